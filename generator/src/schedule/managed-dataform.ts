import { isDeepStrictEqual } from "node:util";
import { v1 } from "@google-cloud/dataform";
import { GoogleAuth, googleAuthLibrary } from "google-gax";
import type { Wanted } from "./wanted.ts";

/** One thing that managed Dataform is to have, and what has to be done for it. */
export interface ScheduleStep {
  readonly kind: "repository" | "release" | "workflow";
  /** Its name, without where it stands. */
  readonly name: string;
  readonly action: "create" | "update" | "none";
  /** What differs, one line each. */
  readonly changes: readonly string[];
  /** Does it. */
  readonly apply: () => Promise<void>;
}

type Dataform = v1.DataformClient;
type Options = NonNullable<ConstructorParameters<typeof v1.DataformClient>[0]>;

/** A resource of the API as the client gives it. */
type Resource = Readonly<Record<string, unknown>>;

/** The address of a stand-in for the API, `http://host:port`, as DATAFORM_API_ENDPOINT names it; undefined for the API itself. */
export function standInAddress(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return environment.DATAFORM_API_ENDPOINT || undefined;
}

/** Opens the API, or without credentials a stand-in for it. */
export function openDataform(standIn: string | undefined): Dataform {
  if (standIn === undefined) return new v1.DataformClient({ fallback: true });
  const { hostname, port, protocol } = new URL(standIn);
  return new v1.DataformClient({
    fallback: true,
    apiEndpoint: hostname,
    port: Number(port),
    protocol: protocol.replace(":", ""),
    // The same class, but of the library's types for ES modules, where the client has those for CommonJS.
    auth: new GoogleAuth({
      authClient: new googleAuthLibrary.PassThroughClient(),
    }) as unknown as Options["auth"],
  });
}

/**
 * Compares what is there with what is wanted; on paper, where nobody may look, with nothing. It takes nothing away: what the description does
 * not name stays.
 */
export async function planSchedule(
  client: Dataform,
  { repository, releases, workflows }: Wanted,
  isOnPaper: boolean,
): Promise<readonly ScheduleStep[]> {
  const parent = repository.name;
  const found = isOnPaper ? undefined : await find(() => client.getRepository({ name: parent }));
  const steps = [
    step("repository", repository, found, {
      create: () =>
        client.createRepository({
          parent: parent.replace(/\/repositories\/.*$/, ""),
          repositoryId: idOf(parent),
          repository,
        }),
      update: (paths) => client.updateRepository({ repository, updateMask: { paths: [...paths] } }),
    }),
  ];
  for (const releaseConfig of releases) {
    const there = found && (await find(() => client.getReleaseConfig({ name: releaseConfig.name })));
    steps.push(
      step("release", releaseConfig, there, {
        create: () =>
          client.createReleaseConfig({ parent, releaseConfigId: idOf(releaseConfig.name), releaseConfig }),
        update: (paths) => client.updateReleaseConfig({ releaseConfig, updateMask: { paths: [...paths] } }),
      }),
    );
  }
  for (const workflow of workflows) {
    const workflowConfig = {
      ...workflow,
      invocationConfig: {
        ...workflow.invocationConfig,
        includedTags: [...workflow.invocationConfig.includedTags],
      },
    };
    const there = found && (await find(() => client.getWorkflowConfig({ name: workflow.name })));
    steps.push(
      step("workflow", workflowConfig, there, {
        create: () =>
          client.createWorkflowConfig({ parent, workflowConfigId: idOf(workflow.name), workflowConfig }),
        update: (paths) => client.updateWorkflowConfig({ workflowConfig, updateMask: { paths: [...paths] } }),
      }),
    );
  }
  return steps;
}

/** gRPC's NOT_FOUND: https://grpc.io/docs/guides/status-codes/ */
const NOT_FOUND = 5;

async function find(get: () => Promise<readonly unknown[]>): Promise<Resource | undefined> {
  try {
    const [resource] = await get();
    return resource as Resource;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === NOT_FOUND || code === 404) return undefined;
    throw error;
  }
}

function step(
  kind: ScheduleStep["kind"],
  wanted: { readonly name: string } & Resource,
  found: Resource | undefined,
  write: { create: () => Promise<unknown>; update: (paths: readonly string[]) => Promise<unknown> },
): ScheduleStep {
  const name = idOf(wanted.name);
  const fields = Object.keys(wanted).filter((field) => field !== "name");
  if (found === undefined) {
    const changes = linesOf({}, Object.fromEntries(fields.map((field) => [field, wanted[field]])));
    return { kind, name, action: "create", changes, apply: async () => void (await write.create()) };
  }
  const different = fields.filter(
    (field) => !isDeepStrictEqual(trim(wanted[field]), narrow(found[field], wanted[field])),
  );
  return {
    kind,
    name,
    action: different.length === 0 ? "none" : "update",
    changes: different.flatMap((field) =>
      linesOf({ [field]: narrow(found[field], wanted[field]) }, { [field]: wanted[field] }),
    ),
    apply: async () => void (different.length > 0 && (await write.update(different.map(snakeCase)))),
  };
}

/** Of what is there, the members that are wanted: the API adds others of its own. */
function narrow(found: unknown, wanted: unknown): unknown {
  if (wanted === null || typeof wanted !== "object" || Array.isArray(wanted)) return trim(found);
  const there = (found ?? {}) as Resource;
  return trim(Object.fromEntries(Object.keys(wanted).map((key) => [key, there[key]])));
}

/** Empty lists, maps and texts are what the API leaves out. */
function trim(value: unknown): unknown {
  if (value === null || value === undefined || value === "") return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : [...value];
  if (typeof value !== "object") return value;
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    const trimmed = trim(inner);
    return trimmed === undefined ? [] : [[key, trimmed] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** What differs between what is there and what is wanted, a line for each part: `codeCompilationConfig.vars.audit: none -> true`. */
function linesOf(found: Resource, wanted: Resource): readonly string[] {
  const [old, now] = [new Map(partsOf(found)), new Map(partsOf(wanted))];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
    const [was, is] = [old.get(path), now.get(path)];
    if (was === is) return [];
    return Object.keys(found).length === 0
      ? [`${path}: ${is}`]
      : [`${path}: ${was ?? "none"} -> ${is ?? "none"}`];
  });
}

function partsOf(value: unknown, path = ""): readonly (readonly [path: string, text: string])[] {
  const trimmed = trim(value);
  if (trimmed === undefined || trimmed === null) return [];
  if (typeof trimmed === "object" && !Array.isArray(trimmed))
    return Object.entries(trimmed).flatMap(([key, inner]) =>
      partsOf(inner, path === "" ? key : `${path}.${key}`),
    );
  const text = Array.isArray(trimmed) ? trimmed.join(", ") : String(trimmed);
  // Within the repository, which stands above.
  return [[path, text.replace(/^projects\/.*\/repositories\/[^/]+\//, "")]];
}

/** A field mask of the API names fields as its protocol buffers do. */
function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function idOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
