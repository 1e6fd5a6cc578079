import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, posix } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { InputError, type Problem } from "../project/problems.ts";

/** The folder of the compiled SQL; every `.sql` file in it is ours. */
export const COMPILED_FOLDER = "compiled";

/** What the compiled graph says of an action, as far as we use it. */
interface CompiledAction {
  readonly target: { readonly database: string; readonly schema: string; readonly name: string };
  readonly fileName: string;
  readonly disabled?: boolean;
  readonly tags?: readonly string[];
  readonly dependencyTargets?: readonly { readonly schema: string; readonly name: string }[];
  readonly actionDescriptor?: unknown;
  readonly bigquery?: unknown;
}

interface CompiledTable extends CompiledAction {
  readonly type: "table" | "view" | "incremental";
  readonly query: string;
  readonly incrementalQuery?: string;
  readonly preOps?: readonly string[];
  readonly postOps?: readonly string[];
  readonly incrementalPreOps?: readonly string[];
  readonly bigquery?: { readonly partitionBy?: string; readonly clusterBy?: readonly string[] };
  readonly uniqueKey?: readonly string[];
}

interface CompiledOperation extends CompiledAction {
  readonly queries: readonly string[];
}

interface CompiledAssertion extends CompiledAction {
  readonly query: string;
}

interface CompiledTest extends CompiledAction {
  readonly testQuery: string;
  readonly expectedOutputQuery: string;
}

/** The graph that `dataform compile --json` prints. */
export interface CompiledGraph {
  readonly tables?: readonly CompiledTable[];
  readonly operations?: readonly CompiledOperation[];
  readonly assertions?: readonly CompiledAssertion[];
  readonly tests?: readonly CompiledTest[];
  readonly declarations?: readonly CompiledAction[];
  readonly graphErrors?: {
    readonly compilationErrors?: readonly { readonly fileName?: string; readonly message?: string }[];
  };
}

/** Compiles the project and renders the SQL of each action: path to text. */
export async function compileProject(root: string): Promise<ReadonlyMap<string, string>> {
  return renderCompiled(await runDataform(root));
}

/** True for every file that `npm run compile` writes. */
export function isCompiled(path: string): boolean {
  return path.endsWith(".sql");
}

/** Dataform gives itself a minute, which a thousand leaves can take on a busy machine. */
export const COMPILE_TIMEOUT = "--timeout=10m";

/** Runs Dataform's own compiler; throws an InputError with its errors, one line each. */
export async function runDataform(root: string): Promise<CompiledGraph> {
  const cli = createRequire(import.meta.url).resolve("@dataform/cli/bundle.js");
  const output = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    const options = { cwd: root, maxBuffer: 1 << 30 };
    execFile(
      process.execPath,
      [cli, "compile", "--json", COMPILE_TIMEOUT, "--vars=audit=true"],
      options,
      (_, stdout, stderr) => resolve({ stdout, stderr }),
    );
  });
  const graph = parseGraph(output.stdout);
  const errors = graph?.graphErrors?.compilationErrors ?? [];
  if (graph !== undefined && errors.length === 0) return graph;
  const messages =
    errors.length > 0 ? errors : [{ message: stripVTControlCharacters(output.stderr).trim() || "no output" }];
  throw new InputError(
    messages.map(
      ({ fileName, message }): Problem => ({
        file: fileName ?? "dataform compile",
        path: "",
        wrong: (message ?? "does not compile").split("\n")[0] ?? "",
        right: "correct it, and run `npm run generate` if the file is a generated one",
      }),
    ),
  );
}

function parseGraph(stdout: string): CompiledGraph | undefined {
  try {
    return JSON.parse(stdout) as CompiledGraph;
  } catch {
    return undefined;
  }
}

/** One action of the graph, with its SQL. */
export interface ActionText {
  readonly schema: string;
  readonly name: string;
  readonly type: "table" | "view" | "incremental" | "operations" | "assertion" | "test" | "declaration";
  /** Where its SQL stands below `compiled/`, without the ending. */
  readonly path: string;
  readonly disabled: boolean;
  readonly tags: readonly string[];
  /** What it depends on, as `dataset.name`, sorted. */
  readonly dependencies: readonly string[];
  /** The SQL as BigQuery gets it; empty for a declaration. */
  readonly sql: string;
  /** What a plain run sends as jobs of their own, views aside, whose query it is; empty where nothing runs. */
  readonly jobs: readonly string[];
  /** Descriptions and labels, and BigQuery's own options, each as one text to compare. */
  readonly documentation: string;
  readonly layout: string;
}

/**
 * The SQL of each action as BigQuery gets it, `compiled/<folder>/<action>.sql`. Dataform wraps what a SQLX file holds
 * (CREATE, INSERT, the count of an assertion's rows); that is written out here, in Dataform's own words.
 */
export function renderCompiled(graph: CompiledGraph): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { path, schema, disabled, sql, type } of actionTexts(graph)) {
    if (type === "declaration") continue;
    const name = `${COMPILED_FOLDER}/${path}`;
    const file = files.has(`${name}.sql`) ? `${name}.${schema}.sql` : `${name}.sql`;
    files.set(file, `${disabled ? "-- disabled: compiled, but not run\n\n" : ""}${sql}\n`);
  }
  return files;
}

/** The actions of a graph, in its order. */
export function actionTexts(graph: CompiledGraph): readonly ActionText[] {
  return [
    ...(graph.tables ?? []).map((table) =>
      actionText(table, table.type, table.type === "incremental" ? incremental(table) : [create(table)], [
        jobOf(table),
      ]),
    ),
    ...(graph.operations ?? []).map(({ queries, ...action }) =>
      actionText(action, "operations", [queries.map(tidy).join("\n\n---\n\n")], queries),
    ),
    ...(graph.assertions ?? []).map(({ query, ...action }) => {
      const view = nameOf(action);
      const parts = [
        `create or replace view ${view} as\n${tidy(query)}`,
        `-- the assertion holds when this counts nothing\nselect sum(1) as row_count from ${view}`,
      ];
      return actionText(action, "assertion", parts, [query]);
    }),
    ...(graph.tests ?? []).map(({ testQuery, expectedOutputQuery, ...action }) => {
      const parts = [
        `-- the query under test, on the test's input\n${tidy(testQuery)}`,
        `-- what it must return\n${tidy(expectedOutputQuery)}`,
      ];
      return actionText(action, "test", parts, []);
    }),
    ...(graph.declarations ?? []).map((action) => actionText(action, "declaration", [], [])),
  ];
}

function actionText(
  action: CompiledAction,
  type: ActionText["type"],
  parts: readonly string[],
  jobs: readonly string[],
): ActionText {
  const { schema, name } = action.target;
  const disabled = action.disabled === true || (action.tags ?? []).includes("audit");
  const folder = posix.relative("definitions", posix.join(dirname(action.fileName), "."));
  return {
    schema,
    name,
    type,
    path: posix.join(folder, name),
    disabled,
    tags: action.tags ?? [],
    dependencies: (action.dependencyTargets ?? []).map((target) => `${target.schema}.${target.name}`).sort(),
    sql: parts.join("\n\n"),
    jobs: disabled ? [] : jobs,
    documentation: JSON.stringify(action.actionDescriptor ?? null),
    layout: JSON.stringify(action.bigquery ?? null),
  };
}

/** A table's query as every run but the first sends it, without the CREATE or INSERT around it. */
function jobOf(table: CompiledTable): string {
  const isLater = table.type === "incremental";
  const before = (isLater ? table.incrementalPreOps : table.preOps) ?? [];
  const query = isLater ? (table.incrementalQuery ?? table.query) : table.query;
  return [...before, query].map((sql) => tidy(sql).replace(/;$/, "")).join(";\n");
}

function create(table: CompiledTable): string {
  const { partitionBy, clusterBy = [] } = table.bigquery ?? {};
  const clauses = [
    `create or replace ${table.type === "view" ? "view" : "table"} ${nameOf(table)}`,
    ...(partitionBy ? [`partition by ${partitionBy}`] : []),
    ...(clusterBy.length > 0 ? [`cluster by ${clusterBy.join(", ")}`] : []),
    "as",
  ];
  const statement = `${clauses.join(" ")}\n${tidy(table.query)}`;
  return [...(table.preOps ?? []), statement, ...(table.postOps ?? [])].map(tidy).join("\n\n");
}

function incremental(table: CompiledTable): readonly string[] {
  const write = (table.uniqueKey ?? []).length > 0 ? "merge into" : "insert into";
  const later = [...(table.incrementalPreOps ?? []), table.incrementalQuery ?? table.query]
    .map(tidy)
    .join("\n\n");
  return [
    `-- the first run\n${create(table)}`,
    `-- every later run: ${write} ${nameOf(table)} the rows of\n${later}`,
  ];
}

function nameOf({ target }: CompiledAction): string {
  return `\`${target.database}.${target.schema}.${target.name}\``;
}

/** SQLX leaves blank lines where blocks and conditions stood, and an indented block indented. */
function tidy(sql: string): string {
  const lines = sql.split("\n").map((line) => line.trimEnd());
  const depths = lines.filter((line) => line !== "").map((line) => line.length - line.trimStart().length);
  const common = Math.min(...depths);
  return lines
    .map((line) => line.slice(Number.isFinite(common) ? common : 0))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
