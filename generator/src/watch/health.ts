import { describeForgottenRuns } from "../warehouse/forgotten-runs.ts";
import { describeUnknownRows, type EntityStatus } from "../warehouse/status.ts";
import { formatDuration } from "./durations.ts";

/** How well something is, from good to bad. */
export type Word = "well" | "look" | "bad";

/** What a person or a program calls too much; what is not given is no limit. */
export interface Thresholds {
  /** How long the oldest waiting update may have waited. */
  readonly maxLagSeconds?: number;
  /** How many rows that runs kept out or reported may be unsettled. */
  readonly maxBadRows?: number;
  /** How many rows may be behind the window of all later runs. */
  readonly maxMissed?: number;
}

/** How one entity is, and why, one sentence each. */
export interface Health {
  readonly entity: string;
  readonly word: Word;
  readonly reasons: readonly string[];
  /** The limits that are passed, one sentence each. */
  readonly passed: readonly string[];
}

/** A run that is this many usual gaps late is missing. */
const LATE = 3;
/** Runs by hand come one after the other: a schedule is no denser than this. */
const DENSEST_SECONDS = 600;

/** Judges an entity: by the given limits, and by what is never right. Pure; `now` in milliseconds. */
export function judge(status: EntityStatus, thresholds: Thresholds, now: number): Health {
  const { entity, state, waiting, lagSeconds, runs, users } = status;
  const last = runs[0];
  const bad: string[] = [];
  const look: string[] = [];
  if (state === "no tables") bad.push("it has no tables: run `npm run init`");
  if (status.changed !== undefined)
    bad.push(
      `its runs stop, by what changed since the last one (${status.changed}): \`npm run init -- --plan\` lists what is due`,
    );
  if (status.forgotten !== undefined && (users ?? 0) === 0) bad.push(describeForgottenRuns(status.forgotten));
  for (const { table, at } of status.expiring)
    look.push(
      `\`${table}\` expires on ${at}: \`ALTER TABLE ${table} SET OPTIONS (expiration_timestamp = NULL)\` keeps it`,
    );
  if (state === "never run" && (users ?? 0) > 0) look.push(describeUnknownRows(users ?? 0, status.entity));
  else if (state === "never run" && (waiting ?? 0) > 0)
    look.push("updates wait for the first run: `npm run update`");
  if (last !== undefined) {
    const late = lateness(status, now);
    if (late !== undefined) look.push(late);
    const newBadRows = last.newBadRows ?? last.badRows;
    if (newBadRows > 0)
      look.push(`${count(newBadRows, "new bad row")} kept out of final: \`npm run bad-rows -- ${entity}\``);
    if (last.futureRows > 0) look.push(`${count(last.futureRows, "row")} stamped in the future`);
    const replay =
      status.missedFrom === null
        ? ""
        : `: \`npm run update -- --tags ${entity} --vars=replayFrom=${status.missedFrom}\``;
    if (status.missedRows > 0)
      look.push(`${count(status.missedRows, "row")} behind the window of all later runs${replay}`);
    if (status.waitingUsers > 0)
      look.push(
        `${count(status.waitingUsers, "deleted user")} ${status.waitingUsers === 1 ? "waits" : "wait"} for the next erasing run: rows streamed in lately could not be deleted yet`,
      );
    if (waiting === null) look.push("the updates could not be read: what waits is unknown");
    else if (state === "unknown")
      look.push(`whether rows came too late for the last run is unknown${replay}`);
  }
  const isThere = state !== "no tables" && !(state === "never run" && waiting === null);
  const isMissedKnown = last === undefined || last.missedRows !== undefined || status.missedRows > 0;
  const passed = [
    ...over("lag:", lagSeconds, thresholds.maxLagSeconds, formatDuration),
    ...over("bad rows:", isThere ? unsettledRows(status) : null, thresholds.maxBadRows, String),
    ...over(
      "missed rows:",
      isThere && isMissedKnown ? status.missedRows : null,
      thresholds.maxMissed,
      String,
    ),
  ];
  const word = bad.length + passed.length > 0 ? "bad" : look.length > 0 ? "look" : "well";
  return { entity, word, reasons: [...bad, ...passed, ...look], passed };
}

/** The worst of the words. */
export function worst(healths: readonly Health[]): Word {
  const words = healths.map(({ word }) => word);
  return words.includes("bad") ? "bad" : words.includes("look") ? "look" : "well";
}

/** What every word is called where people read it. */
export const WORDS: Readonly<Record<Word, string>> = {
  well: "all is well",
  look: "have a look",
  bad: "not well",
};

/** Rows that runs reported and nobody has settled: those kept out, and those that reached final all the same (R12). */
function unsettledRows({ badRows, reportedRows }: EntityStatus): number {
  return badRows + reportedRows;
}

/** What is not known is within no limit. */
function over(
  what: string,
  value: number | null,
  limit: number | undefined,
  format: (value: number) => string,
): readonly string[] {
  if (limit === undefined || (value !== null && value <= limit)) return [];
  return [`${what} ${value === null ? "unknown" : format(value)}, and the limit is ${format(limit)}`];
}

/** Updates wait although a run was due: by the gaps between the last runs, since nobody says here when runs are to be. */
function lateness({ waiting, lagSeconds, runs }: EntityStatus, now: number): string | undefined {
  const times = runs.map(({ mergedAt }) => Date.parse(mergedAt) / 1000);
  const [newest] = times;
  if (newest === undefined || times.length < LATE || (waiting ?? 0) === 0) return undefined;
  const gaps = times.slice(1).map((time, index) => (times[index] ?? time) - time);
  const usual = Math.max(DENSEST_SECONDS, median(gaps));
  const since = now / 1000 - newest;
  if (since <= LATE * usual || (lagSeconds ?? 0) <= usual) return undefined;
  return `no run for ${formatDuration(since)}, and they came every ${formatDuration(usual)}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function count(number: number, one: string): string {
  return `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
}
