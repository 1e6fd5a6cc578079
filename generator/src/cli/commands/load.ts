import { stat } from "node:fs/promises";
import { placeOf, placeText } from "../../generate/model.ts";
import { findEntity, readEntities } from "../../generate/read-entities.ts";
import { readProject } from "../../project/dataform-json.ts";
import { onlyReadsUpdates } from "../../project/environments.ts";
import { wrongUsage } from "../../project/errors.ts";
import { type LoadWatch, loadFiles } from "../../warehouse/load/load.ts";
import { defineCommand, ENVIRONMENT_OPTION, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { countOf, formatBytes, formatDuration } from "../numbers.ts";
import type { Output } from "../output.ts";
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
    const progress = await watchLoad(output, files);
    const result = await loadFiles(warehouse, target, files, { ...progress, signal }).finally(progress.stop);
    if (options.json)
      output.json({ table: `${target.dataset}.${target.table}`, ...result, removal: result.removal ?? null });
    else {
      const [rows, from] = [countOf(result.rows, "row"), countOf(result.files, "file")];
      const seconds = formatDuration(Date.now() - started);
      output.line(
        `${rows} of ${from} ${result.rows === 1 ? "is" : "are"} now in ${target.dataset}.${target.table}, ${seconds}`,
      );
      output.say(describeRemoval(result.removal, entity.name));
    }
    return EXIT.done;
  },
});

function describeRemoval(removal: string | undefined, entity: string): string {
  return removal === undefined
    ? "no statement removes exactly these rows: by their ingest timestamps they cannot be told from others"
    : `to remove exactly these rows: ${removal}; if they were merged, final follows by npm run update -- --tags ${entity} --vars=rebuild=true,force=true, which loses what trimmed updates said too`;
}

const STEPS = { check: "checking", send: "sending", wait: "waiting for BigQuery" };

/** Rows, bytes, rate and time left on a terminal; a line every half minute elsewhere. */
async function watchLoad(
  output: Output,
  files: readonly string[],
): Promise<{ show: LoadWatch["show"]; stop: () => void }> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const progress = output.progress(
    "{step} {bar} {percentage}% {rows} {bytes} {rate}, {eta_formatted} left",
    total,
  );
  const started = Date.now();
  let said = started;
  return {
    show: (step, bytes, count) => {
      const now = Date.now();
      const rate = `${formatBytes((bytes * 1000) / Math.max(1, now - started))}/s`;
      const words = { step: STEPS[step], rows: countOf(count, "row"), bytes: formatBytes(bytes), rate };
      progress.update(Math.min(bytes, total), words);
      if (output.isTerminal || now - said < 30_000) return;
      said = now;
      output.say(`${words.step}: ${words.rows}, ${words.bytes} of ${formatBytes(total)}, ${rate}`);
    },
    stop: () => progress.stop(),
  };
}
