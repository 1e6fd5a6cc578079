import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { ROOT, runTool, TOOLS } from "./tools.ts";

/** Packages that carry the published shapes, of which nothing else is installed: their files by name. */
const PACKAGES = {
  // Google's own client has each API's discovery document: https://developers.google.com/discovery/v1/reference/apis
  "google-api-python-client==2.202.0": ["googleapiclient/discovery_cache/documents/dataform.v1.json"],
  // SchemaStore's schema of Cloud Workflows, which Google's page on syntax completion names.
  "workflows-emulator==1.10.0": ["workflows_emulator/workflow-schema.json"],
};

const UNPACK = [
  "import sys, zipfile, glob, os",
  "folder, *files = sys.argv[1:]",
  "for wheel in glob.glob(os.path.join(folder, '*.whl')):",
  "    with zipfile.ZipFile(wheel) as unzipped:",
  "        for name in set(unzipped.namelist()) & set(files):",
  "            with open(os.path.join(folder, os.path.basename(name)), 'wb') as file: file.write(unzipped.read(name))",
  "    os.remove(wheel)",
].join("\n");

/** The folder with the shapes' files; undefined where they are not to be had, and the tests that need them are skipped by name. */
export const SHAPES = await fetchShapes();

/** Why tests of shapes are skipped, for their names. */
export const NEEDS_SHAPES = SHAPES === undefined ? " (skipped: the published shapes are not to be had)" : "";

async function fetchShapes(): Promise<string | undefined> {
  if (TOOLS === undefined) return undefined;
  const version = createHash("sha256").update(JSON.stringify(PACKAGES)).digest("hex").slice(0, 12);
  const folder = path.join(ROOT, ".cache", `manifest-shapes-${version}`);
  const files = Object.values(PACKAGES).flat();
  const isThere = () => files.every((file) => existsSync(path.join(folder, path.basename(file))));
  if (isThere()) return folder;
  mkdirSync(folder, { recursive: true });
  const python = path.join(TOOLS, "python");
  const download = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder];
  await runTool(python, [...download, ...Object.keys(PACKAGES)]);
  await runTool(python, ["-c", UNPACK, folder, ...files]);
  if (isThere()) return folder;
  rmSync(folder, { recursive: true, force: true });
  return undefined;
}

/** A schema of a discovery document, as far as it is looked at. */
interface Shape {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly readOnly?: boolean;
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape;
}

/** The schemas of an API's discovery document, by name; none where there is no such file. */
export function readApi(file: string): Readonly<Record<string, Shape>> {
  if (SHAPES === undefined) return {};
  const { schemas } = JSON.parse(readFileSync(path.join(SHAPES, file), "utf8")) as {
    schemas: Readonly<Record<string, Shape>>;
  };
  return schemas;
}

/** What a value has that the API's shape of this name does not take, one line each. */
export function faultsOf(
  api: Readonly<Record<string, Shape>>,
  shape: Shape | string,
  value: unknown,
  at = "$",
): readonly string[] {
  const found = typeof shape === "string" ? api[shape] : shape.$ref === undefined ? shape : api[shape.$ref];
  if (found === undefined) return [`${at}: no such shape`];
  if (found.readOnly === true) return [`${at}: only the service writes it`];
  if (Array.isArray(value)) {
    const { items } = found;
    return found.type === "array" && items !== undefined
      ? value.flatMap((one, index) => faultsOf(api, items, one, `${at}[${index}]`))
      : [`${at}: a list`];
  }
  if (typeof value === "object" && value !== null) {
    if (found.type !== "object") return [`${at}: an object where ${found.type} is taken`];
    return Object.entries(value).flatMap(([name, inner]) => {
      const member = found.properties?.[name] ?? found.additionalProperties;
      return member === undefined
        ? [`${at}.${name}: no such member`]
        : faultsOf(api, member, inner, `${at}.${name}`);
    });
  }
  if (found.enum !== undefined && !found.enum.includes(String(value)))
    return [`${at}: ${value} is no value of it`];
  // A number of 64 bits is a text in the API's JSON, and a manifest writes it as a number.
  const isLong = found.format === "int64" && typeof value === "number";
  const type = found.type === "integer" ? "number" : found.type;
  return isLong || typeof value === type ? [] : [`${at}: ${typeof value} where ${found.type} is taken`];
}
