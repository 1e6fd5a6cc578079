import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { ROOT, runTool } from "./tools.ts";

/** The version of the packages below, made from version 6.50.0 of the providers: deploy/terraform/versions.tf asks for 6. */
const VERSION = "16.12.1";
/** npm packages whose types say what each resource of a provider takes, and what the names of those types begin with. */
const PROVIDERS = {
  google: { package: "@cdktf/provider-google", prefix: "" },
  "google-beta": { package: "@cdktf/provider-google-beta", prefix: "Google" },
} as const;

/** A provider that deploy/terraform uses. */
export type Provider = keyof typeof PROVIDERS;

/** What Terraform itself takes in every resource. */
const OWN = ["for_each", "count", "provider", "depends_on", "lifecycle"];

interface Argument {
  readonly isRequired: boolean;
  readonly type: string;
}
type Blocks = ReadonlyMap<string, ReadonlyMap<string, Argument>>;

/** The types of the resources that are named, by provider; undefined where the packages are not to be had. */
export async function readProviders(
  resources: Readonly<Record<Provider, readonly string[]>>,
): Promise<ReadonlyMap<string, Blocks> | undefined> {
  const read = async (provider: Provider) => {
    const folder = await install(provider, resources[provider]);
    return resources[provider].map((resource) => {
      const file = path.join(folder, folderOf(provider, resource), "index.d.ts");
      const types = existsSync(file) ? parseTypes(readFileSync(file, "utf8")) : new Map();
      return [`${provider} ${resource}`, types] as const;
    });
  };
  try {
    return new Map((await Promise.all((Object.keys(PROVIDERS) as Provider[]).map(read))).flat());
  } catch {
    return undefined;
  }
}

/** What a resource block has that its provider does not take, or lacks what the provider wants, one line each. */
export function faultsOf(
  provider: Provider,
  resource: string,
  block: Readonly<Record<string, unknown>>,
  types: Blocks,
): readonly string[] {
  const own = Object.fromEntries(Object.entries(block).filter(([name]) => !OWN.includes(name)));
  return faultsIn(
    `${PROVIDERS[provider].prefix}${camel(`_${resource.slice("google_".length)}`)}Config`,
    own,
    types,
    resource,
  );
}

function faultsIn(
  name: string,
  block: Readonly<Record<string, unknown>>,
  types: Blocks,
  place: string,
): readonly string[] {
  const known = types.get(name);
  if (known === undefined) return [`${place}: the provider has no ${name}`];
  const given = new Map(Object.entries(block).map(([key, value]) => [camel(key), { key, value }]));
  const missing = [...known].filter(([key, { isRequired }]) => isRequired && !given.has(key));
  return [
    ...missing.map(([key]) => `${place}: ${key} is missing`),
    ...[...given].flatMap(([key, { key: written, value }]) => {
      const argument = known.get(key);
      if (argument === undefined) return [`${place}: ${written} is no argument`];
      const inner = /^\w+/.exec(argument.type)?.[0] ?? "";
      if (!types.has(inner) || !Array.isArray(value)) return [];
      return value.flatMap((one: Record<string, unknown>) =>
        faultsIn(inner, one, types, `${place}.${written}`),
      );
    }),
  ];
}

/** The interfaces of a module's types, with their members. */
function parseTypes(text: string): Blocks {
  const bare = text.replace(/\/\*\*[\s\S]*?\*\//g, "");
  return new Map(
    [...bare.matchAll(/^export interface (\w+)[^{]*\{([\s\S]*?)^\}/gm)].map(([, name = "", body = ""]) => [
      name,
      new Map(
        [...body.matchAll(/readonly (\w+)(\??): ([^;]*)/g)].map(([, member = "", mark, type = ""]) => [
          member,
          { isRequired: mark === "", type },
        ]),
      ),
    ]),
  );
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function folderOf(provider: Provider, resource: string): string {
  const kebab = resource.replaceAll("_", "-");
  return provider === "google" ? kebab.slice("google-".length) : kebab;
}

/** The folder of a package's types for these resources, unpacked once; what the provider does not have is not in it. */
async function install(provider: Provider, resources: readonly string[]): Promise<string> {
  const files = resources.map((resource) => `package/lib/${folderOf(provider, resource)}/index.d.ts`).sort();
  const hash = createHash("sha256").update(files.join()).digest("hex").slice(0, 8);
  const folder = path.join(ROOT, ".cache", `${provider}-types-${VERSION}-${hash}`);
  if (existsSync(folder)) return folder;
  mkdirSync(path.join(ROOT, ".cache"), { recursive: true });
  const making = mkdtempSync(path.join(ROOT, ".cache", "types-"));
  try {
    const name = `${PROVIDERS[provider].package}@${VERSION}`;
    const packed = await runTool("npm", ["pack", name, "--silent", "--fetch-retries=0"], making);
    if (packed.exitCode !== 0) throw new Error(packed.output);
    const archive = packed.output.trim().split("\n").at(-1) ?? "";
    // It ends with an error where one of them is not there, and unpacks the others.
    await runTool("tar", ["-xzf", archive, "--strip-components=2", ...files], making);
    rmSync(path.join(making, archive));
    renameSync(making, folder);
    return folder;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}
