import { dirname, posix } from "node:path";
import type { CompiledAction, CompiledGraph, CompiledTable } from "./graph.ts";

/** What the compiled SQL is compiled with: an audit that nobody asks for is not built, and could not be reviewed. */
export const SHOW_ALL = { vars: { audit: "true" } };

/** The folder of the compiled SQL; every `.sql` file in it is ours. */
export const COMPILED_FOLDER = "compiled";

/** True for every file that `npm run compile` writes. */
export function isCompiled(path: string): boolean {
  return path.endsWith(".sql");
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
