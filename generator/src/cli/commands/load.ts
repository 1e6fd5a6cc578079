import { findEntity, readEntities } from "../../generate/read-entities.ts";
import { loadFiles } from "../../warehouse/load/load.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { openTarget } from "../target.ts";

/** `npm run load`: files of updates, appended to an entity's updates table. */
export const load = defineCommand({
  name: "load",
  summary: "append updates: NDJSON, CSV, Parquet, each also as .gz",
  description:
    "Checks every row of every file, and then appends all of them or none to the entity's updates.",
  args: [
    { term: "<entity>", meaning: "an entity of entities.json" },
    { term: "<file...>", meaning: "files of updates: .ndjson, .jsonl, .json, .csv, .parquet" },
  ],
  options: {},
  examples: [
    {
      term: "npm run load -- user_info samples/user_info_1.ndjson",
      meaning: "the worked example's first batch",
    },
  ],
  exitCodes: [
    EXIT.done,
    { code: EXIT.failed, meaning: "a row is wrong or BigQuery refused it; no row was appended" },
  ],
  async run(context, { args: [name = "", ...files] }) {
    const warehouse = await openTarget(context);
    const entity = findEntity(await readEntities(warehouse.project.root), name);
    const target = { dataset: entity.dataset, table: entity.tables.updates };
    const result = await loadFiles(warehouse, target, files);
    const [rows, from] = [countOf(result.rows, "row"), countOf(result.files, "file")];
    context.output.line(
      `${rows} of ${from} ${result.rows === 1 ? "is" : "are"} now in ${target.dataset}.${target.table}`,
    );
    return EXIT.done;
  },
});

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
