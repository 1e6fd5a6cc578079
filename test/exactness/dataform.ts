/** Dataform's own compiler on a generated project, and the jobs its runner would start, in order. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** The Dataform CLI's entry. */
export const DATAFORM = join(MODULES, "@dataform", "cli", "bundle.js");

/** A table's name in the compiled graph. */
export interface Target {
  readonly database: string;
  readonly schema: string;
  readonly name: string;
}

interface CompiledAction {
  readonly target: Target;
  readonly fileName: string;
  readonly tags?: readonly string[];
  readonly dependencyTargets?: readonly Target[];
  readonly disabled?: boolean;
}

interface CompiledTable extends CompiledAction {
  readonly type: "table" | "view" | "incremental";
  readonly query: string;
  readonly incrementalQuery?: string;
  readonly preOps?: readonly string[];
  readonly incrementalPreOps?: readonly string[];
  readonly postOps?: readonly string[];
  readonly uniqueKey?: readonly string[];
  readonly bigquery?: { readonly partitionBy?: string; readonly clusterBy?: readonly string[] };
}

interface CompiledOperation extends CompiledAction {
  readonly queries: readonly string[];
}

interface CompiledQuery extends CompiledAction {
  readonly query: string;
}

/** What `dataform compile --json` prints, as far as it is read here. */
export interface CompiledGraph {
  readonly tables?: readonly CompiledTable[];
  readonly operations?: readonly CompiledOperation[];
  readonly assertions?: readonly CompiledQuery[];
  readonly declarations?: readonly CompiledAction[];
  readonly tests?: readonly {
    readonly name: string;
    readonly testQuery: string;
    readonly expectedOutputQuery: string;
  }[];
  readonly graphErrors?: {
    readonly compilationErrors?: readonly { readonly message: string; readonly fileName?: string }[];
  };
}

/** One action with the BigQuery jobs it takes. */
export interface Action {
  readonly target: Target;
  readonly kind: "operation" | "table" | "view" | "incremental" | "assertion";
  /** The jobs when the table does not exist yet, and (incremental only) when it does. */
  readonly jobs: readonly string[];
  readonly incrementalJobs?: readonly string[];
  /** The query of a table, without pre_operations and CREATE. */
  readonly query?: string;
  readonly dependencies: readonly Target[];
  readonly tags: readonly string[];
}

/** Writes a project where Dataform can compile it; the caller removes the folder. */
export async function writeProject(files: ReadonlyMap<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "exactness-"));
  for (const [path, content] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
  const core = join("node_modules", "@dataform", "core");
  await mkdir(join(directory, core), { recursive: true });
  for (const file of ["bundle.js", "package.json"]) {
    await cp(join(MODULES, "@dataform", "core", file), join(directory, core, file));
  }
  return directory;
}

/** Removes a project. */
export async function removeProject(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** Compiles a project with the Dataform CLI. */
export async function compileProject(
  directory: string,
  vars: Readonly<Record<string, string>> = {},
): Promise<CompiledGraph> {
  const varsText = Object.entries(vars).map(([name, value]) => `${name}=${value}`);
  const args = [
    DATAFORM,
    "compile",
    directory,
    "--json",
    "--timeout=10m",
    ...(varsText.length > 0 ? [`--vars=${varsText.join(",")}`] : []),
  ];
  const { stdout } = await run(process.execPath, args, {
    maxBuffer: 2 ** 30,
    env: { ...process.env, METADATA_SERVER_DETECTION: "none" },
  });
  const graph = JSON.parse(stdout) as CompiledGraph;
  const errors = graph.graphErrors?.compilationErrors ?? [];
  if (errors.length > 0)
    throw new Error(errors.map(({ fileName, message }) => `${fileName}: ${message}`).join("\n"));
  return graph;
}

/** The actions of a graph, each after what it depends on; what is disabled is left out. */
export function planActions(graph: CompiledGraph): Action[] {
  const actions = [
    ...(graph.operations ?? [])
      .filter(isEnabled)
      .map((operation): Action => ({ ...common(operation), kind: "operation", jobs: operation.queries })),
    ...(graph.tables ?? []).filter(isEnabled).map(planTable),
    ...(graph.assertions ?? []).filter(isEnabled).map(
      (assertion): Action => ({
        ...common(assertion),
        kind: "assertion",
        jobs: [
          `create or replace view ${nameOf(assertion.target)} as ${assertion.query}`,
          `select sum(1) as row_count from ${nameOf(assertion.target)}`,
        ],
      }),
    ),
  ];
  return sortByDependency(actions);
}

function isEnabled(action: CompiledAction): boolean {
  return action.disabled !== true;
}

function common(action: CompiledAction): Pick<Action, "target" | "dependencies" | "tags"> {
  return { target: action.target, dependencies: action.dependencyTargets ?? [], tags: action.tags ?? [] };
}

/** A target as SQL names it. */
export function nameOf({ database, schema, name }: Target): string {
  return `\`${database}.${schema}.${name}\``;
}

/** As the CLI builds it: pre_operations and the query are one job. */
function planTable(table: CompiledTable): Action {
  const { partitionBy, clusterBy = [] } = table.bigquery ?? {};
  const create = [
    `create or replace ${table.type === "view" ? "view" : "table"} ${nameOf(table.target)}`,
    ...(partitionBy ? [`partition by ${partitionBy}`] : []),
    ...(clusterBy.length > 0 ? [`cluster by ${clusterBy.join(", ")}`] : []),
    `as ${table.query}`,
  ].join(" ");
  const action: Action = {
    ...common(table),
    kind: table.type,
    query: table.query,
    jobs: [oneJob([...(table.preOps ?? []), create, ...(table.postOps ?? [])])],
  };
  if (table.type !== "incremental") return action;
  return {
    ...action,
    incrementalJobs: [oneJob([...(table.incrementalPreOps ?? []), incrementalDml(table)])],
  };
}

/** What the CLI sends for an incremental table that exists, for the columns its query makes. */
function incrementalDml(table: CompiledTable): string {
  const query = table.incrementalQuery ?? table.query;
  const keys = table.uniqueKey ?? [];
  if (keys.length === 0) return `insert into ${nameOf(table.target)} ${query}`;
  const on = keys.map((key) => `DATAFORM_DEST.${key} = DATAFORM_SOURCE.${key}`).join(" and ");
  return `merge ${nameOf(table.target)} DATAFORM_DEST using (${query}) DATAFORM_SOURCE on ${on} when not matched then insert row`;
}

function oneJob(statements: readonly string[]): string {
  return statements
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "")
    .map((statement) => (statement.endsWith(";") ? statement : `${statement}\n;`))
    .join("\n");
}

function sortByDependency(actions: readonly Action[]): Action[] {
  const byName = new Map(actions.map((action) => [nameOf(action.target), action]));
  const sorted = new Set<Action>();
  const visit = (action: Action, trail: readonly Action[]): void => {
    if (trail.includes(action)) throw new Error(`a cycle at ${nameOf(action.target)}`);
    for (const dependency of action.dependencies) {
      const needed = byName.get(nameOf(dependency));
      if (needed !== undefined && !sorted.has(needed)) visit(needed, [...trail, action]);
    }
    sorted.add(action);
  };
  for (const action of actions) visit(action, []);
  return [...sorted];
}
