import type { Project } from "../project/dataform-json.ts";
import type { Change, EntityChanges } from "./changes.ts";
import type { Costs } from "./cost.ts";
import { compareEntities } from "./entity-changes.ts";
import type { Base } from "./git.ts";
import { compareGraphs, type GraphChanges } from "./graph-changes.ts";
import type { LivePlan } from "./live-plan.ts";
import { compareSchedules } from "./schedule-changes.ts";
import type { Head, Side } from "./sides.ts";
import { diffSql, type SqlDiff } from "./sql-diffs.ts";
import { listTodos, type Todo } from "./todo.ts";

/** All that a pull request changes, ready to be printed. */
export interface Review {
  readonly base: Base;
  /** Whose tables and costs are meant: `acme-crm.analytics (EU) at BigQuery`. */
  readonly place: string;
  readonly entities: readonly EntityChanges[];
  /** What schedule.json says otherwise. */
  readonly schedule: readonly Change[];
  readonly graph: GraphChanges;
  readonly diffs: readonly SqlDiff[];
  readonly costs: Costs;
  /** What `npm run init` finds to do on the tables as they are; undefined where they cannot be seen. */
  readonly plan: LivePlan | undefined;
  readonly todos: readonly Todo[];
  /** What the reader must know of how the review was made, one sentence each. */
  readonly notes: readonly string[];
}

/** Compares both sides; the warehouse has a say only in the cost and the plan. Pure. */
export function compareSides(
  base: Base,
  before: Side,
  after: Head,
  project: Pick<Project, "projectId" | "location">,
): Omit<Review, "costs" | "plan" | "place"> {
  // A base that cannot be read says nothing: without this, all would look new.
  const entities =
    before.models.length === 0 && before.problems.length > 0
      ? []
      : compareEntities(before.models, after.models, project.projectId, project.location);
  const graph =
    before.actions.length === 0 && before.problems.length > 0
      ? { total: after.actions.length, actions: [], untouched: after.actions, readers: [] }
      : compareGraphs(before.actions, after.actions);
  const schedule =
    before.schedule === undefined && before.problems.length > 0
      ? []
      : compareSchedules(before.schedule, after.schedule);
  return {
    base,
    entities,
    schedule,
    graph,
    diffs: diffSql(graph.actions),
    todos: listTodos(entities, after.stale, schedule),
    notes: notesOf(before, after, entities, graph),
  };
}

function notesOf(
  before: Side,
  after: Head,
  entities: readonly EntityChanges[],
  graph: GraphChanges,
): readonly string[] {
  const notes = before.problems.map(
    (problem) => `The base could not be compared in full: \`${problem.replaceAll("`", "'")}\`.`,
  );
  if (!before.hasDefinitions && before.models.length > 0)
    notes.push("The base has no definitions: those compared were made from its schemas by this generator.");
  if (before.core !== after.core)
    notes.push(
      `\`@dataform/core\` changes from ${before.core ?? "none"} to ${after.core ?? "none"}; both sides are compiled by the one installed here.`,
    );
  if (
    entities.some(
      ({ kind, changes }) => kind === "changed" && changes.some((change) => change.kind === "added"),
    )
  )
    notes.push(
      "An added column that the tables still have from an earlier schema comes back with its old values: rebuild then.",
    );
  const isGeneratorsOwn = graph.actions.some(
    ({ kind, aspects, after: action }) =>
      kind === "changed" &&
      aspects.includes("SQL") &&
      after.models.some(
        ({ name, tables }) =>
          (action?.name === tables.final || action?.name === tables.temp) &&
          entities.every(({ entity }) => entity !== name),
      ),
  );
  if (isGeneratorsOwn)
    notes.push(
      "The SQL of a merge changes although its schema does not: the generator or its templates did. `npm run update -- --tags audit --vars=auditShare=1` compares final with a recomputation.",
    );
  return notes;
}
