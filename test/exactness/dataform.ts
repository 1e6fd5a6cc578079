/** The jobs that Dataform's runner would start for a compiled graph, in order. */
import type {
  CompiledAction,
  CompiledGraph,
  CompiledTable,
  Target,
} from "../../generator/src/dataform/graph.ts";

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
