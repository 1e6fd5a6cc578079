import { code, weightOf } from "./changes.ts";
import type { LivePlan } from "./live-plan.ts";
import type { Review } from "./review.ts";
import type { Todo } from "./todo.ts";

/** The review in one sentence. */
export function summary({ entities, schedule, graph, todos, notes }: Review): string {
  const refused = entities
    .flatMap(({ changes }) => changes)
    .filter((change) => weightOf(change) === "refused").length;
  if (refused > 0) return `Not ready: ${count(refused, "change")} cannot work as written.`;
  const isOfData = entities.length > 0 || graph.actions.length > 0;
  if (!isOfData && schedule.length === 0 && todos.length === 0) {
    return notes.length === 0
      ? "Nothing: schema, graph and SQL stay as they are."
      : "No change found; see the notes.";
  }
  const parts = [
    ...(isOfData || schedule.length === 0
      ? [count(entities.length, "entity", "entities"), count(graph.actions.length, "action")]
      : []),
    ...(schedule.length > 0 ? ["the schedule"] : []),
  ];
  const all = parts.join(", ").replace(/, ([^,]*)$/, " and $1");
  const todo = todos.length === 0 ? "nothing to do but merge" : `${count(todos.length, "thing")} to do`;
  return `${all.charAt(0).toUpperCase()}${all.slice(1)} changed; ${todo}.`;
}

/** What stands before the reasons why a dry run has no answer. */
export function notKnown(todos: readonly Todo[]): string {
  const isExpected = todos.some(({ step }) => step === "init" || step === "before");
  return isExpected ? "Not known before the tables are as the change needs them" : "Not known";
}

/** What stands before the plan of `npm run init`. */
export function planTitle({ isRefused }: LivePlan): string {
  return `\`npm run init\` ${isRefused ? "refuses the tables as they are" : "would do this to the tables as they are"}`;
}

/** What was compared with what, and whose tables and costs are meant. */
export function compared({ base: { ref, commit, isForkPoint }, place }: Review): string {
  const short = `\`${commit.slice(0, 12)}\``;
  const name = `\`${ref.replaceAll("`", "'")}\``;
  const what = isForkPoint ? `${short}, where this branch left ${name}` : `${name} (${short})`;
  return `Compared with ${what}; tables and costs are those of ${code(place)}.`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
