import { findEntity, readEntities } from "../../generate/read-entities.ts";
import { type BadRows, readBadRows } from "../../warehouse/bad-rows.ts";
import { defineCommand, ENVIRONMENT_OPTION, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { openTarget } from "../target.ts";

/** `npm run bad-rows`: what runs kept out or report, and how to settle it. */
export const badRows = defineCommand({
  name: "bad-rows",
  summary: "which updates runs kept out of final or report, and how to settle them",
  description:
    "Lists the updates that runs kept out of final, or merged but report, with the statement that removes each. Changes nothing.",
  args: [{ term: "<entity>", meaning: "an entity of entities.json" }],
  options: { ...ENVIRONMENT_OPTION, json: flag("--json", "print it as JSON") },
  examples: [{ term: "npm run bad-rows -- user_info", meaning: "what was kept out, why, and since when" }],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { options, args: [name = ""] }) {
    const warehouse = await openTarget(context);
    const entity = findEntity(await readEntities(warehouse.project), name);
    const found = await readBadRows(warehouse, entity);
    if (options.json) context.output.json(found);
    else context.output.line(found.length === 0 ? `${name}: no bad rows` : formatBadRows(name, found));
    return EXIT.done;
  },
});

function formatBadRows(entity: string, found: readonly BadRows[]): string {
  const table = formatTable(
    ["reason", "update", "rows", "still there", "first seen"],
    found.map((one) => [one.reason, one.details, one.rows, one.left, one.firstSeen]),
  );
  const there = found.filter(({ left }) => left > 0);
  const [kept, merged] = [there.filter(({ isBad }) => isBad), there.filter(({ isBad }) => !isBad)];
  const gone = found.length - there.length;
  const [owner] = there.flatMap((one) => one.owner ?? []);
  return [
    table,
    ...(owner === undefined
      ? []
      : [
          `${owner} is only read here, and its owner corrects and removes rows there; the rest is here to do.`,
        ]),
    ...(kept.length === 0
      ? []
      : [
          "Final lacks what these say. Append a corrected update, and remove the bad one (not within 90 minutes of streaming it):",
          ...kept.flatMap(({ removal }) => removal),
        ]),
    ...(merged.length === 0
      ? []
      : [
          `Final has what these say. To take it back, remove the update and run npm run update -- --tags ${entity} --vars=rebuild=true,force=true:`,
          ...merged.flatMap(({ removal }) => removal),
        ]),
    ...(gone === 0
      ? []
      : [
          `${gone} of them ${gone === 1 ? "is" : "are"} no longer in the updates: the next run that reads their time forgets them.`,
        ]),
  ].join("\n");
}
