import { CommandError } from "../project/errors.ts";
import type { ProjectInput } from "../project/load-project.ts";
import { keepMeaning, type MeaningChange } from "../review/meaning.ts";
import { listTodos } from "../review/todo.ts";
import type { Warehouse } from "../warehouse/client.ts";

/** A line for each change of meaning, and what is due for it: as `review` words it. */
export function describeChanges(changed: readonly MeaningChange[]): readonly string[] {
  return changed.flatMap(({ model, changes }) => {
    const entities = [{ entity: model.name, kind: "changed" as const, changes }];
    return [
      ...changes.map(({ path, what, means }) => `${model.name}: ${path}: ${what}: ${means}`),
      ...listTodos(entities, [])
        .filter(({ step }) => step !== "init")
        .map(({ text, commands }) => `${model.name}: due: ${[text, ...commands].join(" ")}`),
    ].map((line) => line.replaceAll("`", ""));
  });
}

/** Throws, before anything is written, where a run would mix two meanings in one final; a rebuild settles what it can. */
export function refuseMixture(changed: readonly MeaningChange[], isRebuild: boolean): void {
  const first = changed.find(
    ({ due }) => due === "fix" || due === "acceptance" || (due === "rebuild" && !isRebuild),
  );
  if (first === undefined) return;
  const paths = [...new Set(first.changes.map(({ path }) => path))].join(", ");
  const remedy = {
    nothing: "",
    fix: "npm run init -- --plan says what stands against it",
    acceptance: "npm run init -- --plan says what to do first, and npm run init accepts it",
    rebuild: `due is npm run update -- --tags ${first.model.name} --vars=rebuild=true; npm run init -- --plan says why`,
  }[first.due];
  throw new CommandError(
    `${first.model.name}: ${paths} changed since the last run, and final would mix both meanings; ${remedy}`,
  );
}

/** What `init` accepts by being run: every change that needs neither a rebuild nor another schema. */
export async function acceptMeanings(
  warehouse: Warehouse,
  input: ProjectInput,
  changed: readonly MeaningChange[],
): Promise<void> {
  for (const { model, due } of changed)
    if (due === "acceptance" || due === "nothing") await keepMeaning(warehouse, input, model);
}
