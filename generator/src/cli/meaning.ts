import { CommandError } from "../project/errors.ts";
import type { ProjectInput } from "../project/load-project.ts";
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
      ...changes.map(({ path, what, means }) => `${model.name}: ${path}: ${what}: ${means}`),
      ...todos.map(({ text, commands }) => `${model.name}: due: ${[text, ...commands].join(" ")}`),
      ...(due.rebuild === undefined || hasRebuild
        ? []
        : [`${model.name}: ${due.rebuild}: due: ${rebuildOf(model.name)}`]),
    ].map((line) => line.replaceAll("`", ""));
  });
}

/** Throws, before anything is written, where a run would mix two meanings in one final; a rebuild settles what it can. */
export function refuseMixture(changed: readonly MeaningChange[], isRebuild: boolean): void {
  for (const { model, due } of changed) {
    const remedy = remedyFor(model.name, due, isRebuild);
    if (remedy === undefined) continue;
    const what = [due.init, due.tables, due.rebuild].filter((part) => part !== undefined).join(", ");
    throw new CommandError(
      `${model.name}: ${what}: changed since the last run, and final would mix both meanings; ${remedy}`,
    );
  }
}

function remedyFor(entity: string, { init, tables, rebuild }: Due, isRebuild: boolean): string | undefined {
  if (tables !== undefined) return "npm run init -- --plan says what stands against it";
  if (init !== undefined) return "npm run init -- --plan says what to do first, and npm run init accepts it";
  if (rebuild === undefined || isRebuild) return undefined;
  return `due is ${rebuildOf(entity)}; npm run init -- --plan says why`;
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
