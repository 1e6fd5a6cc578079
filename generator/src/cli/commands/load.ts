import { stat } from "node:fs/promises";
import { placeOf, placeText } from "../../generate/model.ts";
import { findEntity, readEntities } from "../../generate/read-entities.ts";
import { readProject } from "../../project/dataform-json.ts";
import { onlyReadsUpdates } from "../../project/environments.ts";
import { wrongUsage } from "../../project/errors.ts";
import { loadFiles } from "../../warehouse/load/load.ts";
import { defineCommand, ENVIRONMENT_OPTION, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { describeLoad, watchLoad } from "../load-report.ts";
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
  options: {
    ...ENVIRONMENT_OPTION,
    yes: flag("--yes", "do not ask before the first change of a real project"),
    json: flag("--json", "print what was loaded as JSON"),
  },
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
  interrupted:
    "no row was appended, unless the load job had them all already: npm run status counts what waits",
  async run(context, { args: [name = "", ...files], options }) {
    const { output, signal } = context;
    const started = Date.now();
    const { environment } = await readProject(context.root, context.environment);
    if (onlyReadsUpdates(environment))
      throw wrongUsage(
        `load: environment ${environment?.name} only reads the updates, which are the project's own; leave --env out to append there`,
      );
    const warehouse = await openTarget(context, { change: "Append updates", isSure: options.yes });
    const entity = findEntity(await readEntities(warehouse.project), name);
    if (entity.source !== undefined)
      throw wrongUsage(
        `load: ${name} reads ${placeText(placeOf(entity, "updates"))}, which is others' and only read here; append there by its owner's means`,
      );
    const target = {
      ...placeOf(entity, "updates"),
      ingestTimestamp: entity.ingest.name,
    };
    const progress = watchLoad(output, await sizeOf(files));
    const result = await loadFiles(warehouse, target, files, { ...progress, signal }).finally(progress.stop);
    if (options.json)
      output.json({ table: `${target.dataset}.${target.table}`, ...result, removal: result.removal ?? null });
    else {
      const [summary = "", ...more] = describeLoad(result, {
        table: `${target.dataset}.${target.table}`,
        entity: entity.name,
        milliseconds: Date.now() - started,
      });
      output.line(summary);
      for (const line of more) output.say(line);
    }
    return EXIT.done;
  },
});

/** How many bytes the files have together; one that is not there is told later, by its name. */
async function sizeOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
