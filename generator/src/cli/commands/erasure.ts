import { findEntity, readEntities } from "../../generate/read-entities.ts";
import { type ErasureReport, readErasure } from "../../warehouse/erasure.ts";
import { defineCommand, ENVIRONMENT_OPTION, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { openTarget } from "../target.ts";

/** `npm run erasure`: what the tables still hold of one user. */
export const erasure = defineCommand({
  name: "erasure",
  summary: "what the tables still hold of one user",
  description:
    "Looks for a user in every table of an entity, and for the tombstone that keeps them deleted. Changes nothing.",
  args: [
    { term: "<entity>", meaning: "an entity of entities.json" },
    { term: "[key...]", meaning: "the user's key, a value for each of its columns; BYTES as base64" },
  ],
  options: { ...ENVIRONMENT_OPTION, json: flag("--json", "print it as JSON") },
  examples: [{ term: "npm run erasure -- user_info userA", meaning: "rows of userA, by table" }],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { options, args: [name = "", ...key] }) {
    const warehouse = await openTarget(context);
    const entity = findEntity(await readEntities(warehouse.project), name);
    const report = await readErasure(warehouse, entity, key);
    if (options.json) context.output.json(report);
    else context.output.line(formatErasure(report));
    return EXIT.done;
  },
});

/** The report as a table and a sentence. */
function formatErasure(report: ErasureReport): string {
  const table = formatTable(
    ["table", "rows of this user"],
    report.rows.map((found) => [found.table, found.rows]),
  );
  const deleted =
    report.deletedUpTo === null ? "no delete of this user is known" : `deleted up to ${report.deletedUpTo}`;
  const verdict = report.isErased
    ? "nothing of this user is left in the tables; BigQuery keeps what was deleted for time travel (2 to 7 days) and fail-safe (7 more), and copies, exports and logs are yours to clear"
    : report.source !== undefined
      ? `rows are left: ${report.source} is others' and only read here, so its owner removes them there; a delete and two runs of \`npm run update\` take them out of the rest`
      : report.canDelete
        ? "rows are left: a delete and `npm run update`, then `npm run update -- --tags erase`, remove them; what was streamed in it takes up to 90 minutes later"
        : `rows are left, and nothing removes them: ${report.entity} names no column "deleted" in entities.json`;
  return `${table}\n${deleted}; ${verdict}`;
}
