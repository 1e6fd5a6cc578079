import type { LoadResult, LoadWatch } from "../warehouse/load/load.ts";
import { countOf, formatBytes, formatDuration } from "./numbers.ts";
import type { Output } from "./output.ts";

const STEPS = { check: "checking", send: "sending", wait: "waiting for BigQuery" };

/** How far a load of so many bytes is: rows, bytes, rate and time left on a terminal; a line every half minute elsewhere. */
export function watchLoad(
  output: Output,
  total: number,
  clock: () => number = Date.now,
): { show: LoadWatch["show"]; stop: () => void } {
  const progress = output.progress("{step} {bar} {percentage}% {rows} {bytes}{rate}{left}", total);
  let [said, started] = [clock(), clock()];
  let current: keyof typeof STEPS = "check";
  const show: LoadWatch["show"] = (step, bytes, count) => {
    const now = clock();
    // Each step has a speed of its own.
    if (step !== current) [current, started] = [step, now];
    const taken = now - started;
    const isMoving = step !== "wait" && bytes > 0 && taken > 0;
    const rate = isMoving ? `, ${formatBytes((bytes * 1000) / taken)}/s` : "";
    const left =
      isMoving && bytes < total ? `, ${formatDuration((taken * (total - bytes)) / bytes)} left` : "";
    const words = { step: STEPS[step], rows: countOf(count, "row"), bytes: formatBytes(bytes), rate, left };
    progress.update(Math.min(bytes, total), words);
    if (output.isTerminal || now - said < 30_000) return;
    said = now;
    output.say(`${words.step}: ${words.rows}, ${words.bytes} of ${formatBytes(total)}${rate}`);
  };
  show("check", 0, 0);
  return { show, stop: () => progress.stop() };
}

/** What a load did, and, where it brought rows, how they are removed. */
export function describeLoad(
  { rows, files, removal }: LoadResult,
  { table, entity, milliseconds }: { table: string; entity: string; milliseconds: number },
): readonly string[] {
  const summary = `${countOf(rows, "row")} of ${countOf(files, "file")} ${rows === 1 ? "is" : "are"} now in ${table}, ${formatDuration(milliseconds)}`;
  if (rows === 0) return [summary];
  return [
    summary,
    removal === undefined
      ? "no statement removes exactly these rows: by their ingest timestamps they cannot be told from others"
      : `to remove exactly these rows: ${removal}; if they were merged, final follows by npm run update -- --tags ${entity} --vars=rebuild=true,force=true, which loses what trimmed updates said too`,
  ];
}
