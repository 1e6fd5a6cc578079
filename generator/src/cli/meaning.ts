import { CommandError } from "../project/errors.ts";
import type { ProjectInput } from "../project/load-project.ts";
import { withoutBackticks } from "../review/changes.ts";
import { type Due, keepMeaning, type MeaningChange } from "../review/meaning.ts";
import { listTodos } from "../review/todo.ts";
import type { Warehouse } from "../warehouse/client.ts";

/** A line for each change of meaning, and what is due for it: as `review` words it. */
export function describeChanges(changed: readonly MeaningChange[]): readonly string[] {
  return changed.flatMap(({ model, changes, due }) => {
    const entities = [{ entity: model.name, kind: "changed" as const, changes }];
    const todos = listTodos(entities, []).filter(({ step }) => step !== "init");
    const hasRebuild = todos.some(({ step }) => step === "rebuild");
    return [
      ...changes.map(
        ({ path, what, means }) => `${model.name}: ${withoutBackticks(`${path}: ${what}: ${means}`)}`,
      ),
      ...todos.map(
        ({ text, commands }) => `${model.name}: due: ${[withoutBackticks(text), ...commands].join(" ")}`,
      ),
      ...(due.rebuild === undefined || hasRebuild
        ? []
        : [`${model.name}: ${due.rebuild}: due: ${rebuildOf(model.name)}`]),
    ];
  });
}

/** Throws, before anything is written, where a run would mix two meanings in one final; a rebuild settles what it can. */
export function refuseMixture(changed: readonly MeaningChange[], isRebuild: boolean): void {
  const refusals = changed.flatMap(({ model, changes, due }) => {
    const remedy = remedyFor(model.name, changes, due, isRebuild);
    if (remedy === undefined) return [];
    const what = [due.init, due.tables, due.rebuild].filter((part) => part !== undefined).join(", ");
    return [
      `${model.name}: ${what}: changed since the last run, and final would mix both meanings; ${remedy}`,
    ];
  });
  if (refusals.length > 0) throw new CommandError(refusals.join("\n"));
}

function remedyFor(
  entity: string,
  changes: MeaningChange["changes"],
  { init, tables, rebuild }: Due,
  isRebuild: boolean,
): string | undefined {
  if (tables !== undefined) return "npm run init -- --plan says what stands against it";
  const then = rebuild === undefined ? "" : `; then due is ${rebuildOf(entity)}`;
  if (init !== undefined)
    return `npm run init -- --plan says what to do first, and npm run init accepts it${then}`;
  if (rebuild === undefined || isRebuild) return undefined;
  const isByHand = changes.some(({ needs }) =>
    needs.some(({ step }) => step === "before" || step === "fill"),
  );
  const first = "the statements that npm run init -- --plan lists, where they are not run yet";
  return isByHand
    ? `due is ${rebuildOf(entity)}, after ${first}`
    : `due is ${rebuildOf(entity)}; npm run init -- --plan says why`;
}

function rebuildOf(entity: string): string {
  return `npm run update -- --tags ${entity} --vars=rebuild=true`;
}

/** What `init` accepts by being run: all but what needs a rebuild or another schema. */
export async function acceptMeanings(
  warehouse: Warehouse,
  input: ProjectInput,
  changed: readonly MeaningChange[],
): Promise<void> {
  for (const { model, due, accepted } of changed) {
    const isDue = due.rebuild !== undefined || due.tables !== undefined;
    await keepMeaning(warehouse, input, model, { basis: accepted, isDue });
  }
}
