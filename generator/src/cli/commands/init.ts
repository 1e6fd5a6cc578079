import { readEntities } from "../../generate/read-entities.ts";
import { applyInit, planInit } from "../../warehouse/init.ts";
import { defineCommand, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { openTarget } from "../target.ts";

/** `npm run init`: the datasets and tables that hold what cannot be made again. */
export const init = defineCommand({
  name: "init",
  summary: "create and extend datasets and tables; never drop",
  description:
    "Compares BigQuery with the schemas, and creates or extends what is missing. It never drops and never narrows.",
  options: { plan: flag("--plan", "only print what would be done") },
  examples: [
    { term: "npm run init -- --plan", meaning: "look first" },
    { term: "npm run init", meaning: "do it" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { options }) {
    const warehouse = await openTarget(context);
    const steps = await planInit(warehouse, await readEntities(warehouse.project.root));
    const rows = steps.map((step) => [
      `${step.kind} ${step.name}`,
      step.action === "none" ? "as it should be" : step.action,
      [...step.changes, ...step.notes.map((note) => `note: ${note}`)].join("\n"),
    ]);
    context.output.line(formatTable(["what", options.plan ? "would do" : "does", "in detail"], rows));
    if (options.plan) return EXIT.done;
    await applyInit(steps);
    const done = steps.filter((step) => step.action !== "none").length;
    context.output.line(done === 0 ? "nothing to do" : `${done} of ${steps.length} created or extended`);
    return EXIT.done;
  },
});
