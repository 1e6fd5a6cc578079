import { readEntities } from "../../generate/read-entities.ts";
import { loadProject } from "../../project/load-project.ts";
import { findMeaningChanges } from "../../review/meaning.ts";
import { describeFormer, findLostDeletes, findOrphans, refuseLostDeletes } from "../../review/orphans.ts";
import { applyInit, planInit } from "../../warehouse/init/init.ts";
import type { Step } from "../../warehouse/init/step.ts";
import { findBeginning } from "../../warehouse/status.ts";
import { type Context, defineCommand, ENVIRONMENT_OPTION, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { acceptMeanings, describeChanges } from "../meaning.ts";
import { formatSteps } from "../steps.ts";
import { openTarget } from "../target.ts";

/** `npm run init`: the datasets and tables that hold what cannot be made again. */
export const init = defineCommand({
  name: "init",
  summary: "create and extend datasets and tables; never drop",
  description:
    "Compares BigQuery with the schemas, and creates or extends what is missing. It never drops and never narrows.",
  options: {
    ...ENVIRONMENT_OPTION,
    plan: flag("--plan", "only print what would be done"),
    yes: flag("--yes", "do not ask before the first change of a real project"),
    json: flag("--json", "print the steps as JSON"),
  },
  examples: [
    { term: "npm run init -- --plan", meaning: "look first" },
    { term: "npm run init", meaning: "do it" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  interrupted: "each table is made and extended whole or not at all; run it again to go on",
  async run(context, { options }) {
    const change = options.plan ? undefined : "Create and extend tables";
    const warehouse = await openTarget(context, { change, isSure: options.yes });
    const { root } = warehouse.project;
    const entities = await readEntities(warehouse.project);
    const steps = await planInit(warehouse, entities);
    const input = await loadProject(root);
    const changed = await findMeaningChanges(warehouse, input, entities);
    const beginning = await findBeginning(warehouse, entities);
    const orphans = await findOrphans(warehouse, input, beginning);
    const lost = await findLostDeletes(warehouse, orphans, beginning);
    if (!options.plan) refuseLostDeletes(lost);
    const { output } = context;
    if (options.json) output.json(steps);
    else output.line(formatSteps(steps, options.plan));
    for (const line of describeChanges(changed)) (options.json ? output.note : output.line)(line);
    for (const entity of beginning)
      if (!lost.has(entity)) for (const line of describeFormer(warehouse, orphans, entity)) output.note(line);
    if (options.plan) {
      refuseLostDeletes(lost);
      return EXIT.done;
    }
    await applyAll(context, steps);
    await acceptMeanings(warehouse, input, changed);
    const done = steps.filter((step) => step.action !== "none").length;
    output.say(done === 0 ? "nothing to do" : `${done} of ${steps.length} created or extended`);
    return EXIT.done;
  },
});

async function applyAll({ output, signal }: Context, steps: readonly Step[]): Promise<void> {
  const progress = output.progress("{value}/{total} {bar} {name}", steps.length);
  try {
    await applyInit(steps, (step, index) => {
      signal.throwIfAborted();
      progress.update(index, { name: step.name });
    });
  } finally {
    progress.stop();
  }
}
