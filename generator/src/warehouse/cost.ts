import { mergeSql } from "../generate/merge-sql.ts";
import { type EntityModel, placeOf } from "../generate/model.ts";
import { secondsOf } from "../project/config.ts";
import { sqlName, tableOf, type Warehouse } from "./client.ts";
import { dryRun } from "./dry-run.ts";
import { type RunStatus, readStatus } from "./status.ts";

/** What BigQuery takes for bytes on demand. */
export interface Price {
  readonly dollarsPerTib: number;
  /** Since when, or on which day it was looked up. */
  readonly asOf: string;
}

/** The price in the United States; other regions have others (https://cloud.google.com/bigquery/pricing#on_demand_pricing). */
export const US_PRICE: Price = { dollarsPerTib: 6.25, asOf: "2023-07-05" };

/** How often runs start. */
export interface Schedule {
  readonly name: string;
  readonly runsAMonth: number;
}

/** Once an hour. */
export const HOURLY: Schedule = { name: "hourly", runsAMonth: 730 };

/** What an entity's runs read; sizes in logical bytes. */
export interface Measured {
  readonly users: number;
  readonly finalBytes: number;
  /** Of the last batch. */
  readonly batchBytes: number;
  /** Of the updates that a run reads from the watermark on, a lookback earlier, in whole partitions; or of what was committed since. */
  readonly readBytes: number;
  /** Of a day's updates, by what the last runs read. */
  readonly dayBytes: number;
  /** The share of the last runs that changed something; 1 where there is no log yet. */
  readonly withNews: number;
  /** What a run was billed on average for its batch and its merge, BigQuery's least of each statement included; of the last runs whose log says it. */
  readonly billedBytes?: number;
}

/** One way to run for a month, and what it costs. */
export interface MonthlyCost {
  readonly schedule: string;
  /** `every run`, or the interval of `mergeEvery`. */
  readonly merges: string;
  readonly runs: number;
  readonly mergeRuns: number;
  readonly bytes: number;
  readonly dollars: number;
}

const HOURS_A_MONTH = 730;
const SECONDS_AN_HOUR = 3_600;
const TIB = 1024 ** 4;

/**
 * A month of an entity at each schedule, merging at every run and once a day. A merge is one statement: it reads all columns of final once, and
 * the batch is read twice, for its facts and by the MERGE; a run without news stops before it. With `mergeEvery` each run gathers what has come since the last merge, at most a
 * day more of updates, and only a merge reads final.
 */
export function monthlyCosts(
  measured: Measured,
  schedules: readonly Schedule[],
  price: Price,
): MonthlyCost[] {
  const merge = measured.finalBytes + 2 * measured.batchBytes;
  return schedules.flatMap(({ name, runsAMonth }) => {
    const cost = (merges: string, mergeRuns: number, bytes: number): MonthlyCost => ({
      schedule: name,
      merges,
      runs: Math.round(runsAMonth),
      mergeRuns: Math.round(mergeRuns),
      bytes,
      dollars: dollarsFor(bytes, price),
    });
    const withNews = runsAMonth * measured.withNews;
    const daily = Math.min(withNews, HOURS_A_MONTH / 24);
    return [
      cost("every run", withNews, runsAMonth * measured.readBytes + withNews * merge),
      cost("1 day", daily, runsAMonth * (measured.readBytes + measured.dayBytes) + daily * merge),
    ];
  });
}

/** Reads sizes from the tables, and how large batches are from the log of runs; undefined where there are no tables yet. */
export async function measureEntity(
  warehouse: Warehouse,
  entity: EntityModel,
): Promise<Measured | undefined> {
  const status = await readStatus(warehouse, entity);
  if (status.state === "no tables") return undefined;
  const [final, temp, updates] = await Promise.all([
    sizeOf(warehouse, entity, "final"),
    sizeOf(warehouse, entity, "temp"),
    sizeOf(warehouse, entity, "updates"),
  ]);
  const runs = status.runs.filter(({ kind }) => kind === "update");
  return {
    users: final.rows,
    finalBytes: final.bytes,
    batchBytes: temp.bytes,
    readBytes: await readBytes(warehouse, entity, status.watermark),
    dayBytes: bytesOfDay(runs, updates),
    withNews: runs.length === 0 ? 1 : runs.filter((run) => run.rowsChanged > 0).length / runs.length,
    ...billedOf(runs),
  };
}

/** What of the last runs the log says that they were billed, on average. */
export function billedOf(
  runs: readonly Pick<RunStatus, "batchBytesBilled" | "mergeBytesBilled">[],
): Pick<Measured, "billedBytes"> {
  const bills = runs.flatMap(({ batchBytesBilled, mergeBytesBilled }) =>
    batchBytesBilled === undefined || mergeBytesBilled === undefined
      ? []
      : [batchBytesBilled + mergeBytesBilled],
  );
  if (bills.length === 0) return {};
  return { billedBytes: bills.reduce((sum, bill) => sum + bill, 0) / bills.length };
}

/** What so many bytes cost. */
export function dollarsFor(bytes: number, { dollarsPerTib }: Price): number {
  return (bytes / TIB) * dollarsPerTib;
}

/** A day's updates, by what the last runs read; runs by hand are minutes apart and read the same rows, and a day has no more than there is. */
export function bytesOfDay(
  runs: readonly Pick<RunStatus, "mergedAt" | "rowsRead">[],
  updates: { readonly rows: number; readonly bytes: number },
): number {
  const hours = spanInHours(runs.map(({ mergedAt }) => mergedAt));
  if (hours === 0 || updates.rows === 0) return 0;
  const rowsRead = runs.slice(0, -1).reduce((sum, run) => sum + run.rowsRead, 0);
  return Math.min(updates.bytes, (rowsRead / hours) * 24 * (updates.bytes / updates.rows));
}

/** The hours between the first and the last of these times. */
function spanInHours(times: readonly string[]): number {
  const all = times.map((time) => Date.parse(time)).filter((time) => !Number.isNaN(time));
  return all.length < 2 ? 0 : (Math.max(...all) - Math.min(...all)) / 3_600_000;
}

async function sizeOf(
  warehouse: Warehouse,
  entity: EntityModel,
  role: "final" | "temp" | "updates",
): Promise<{ rows: number; bytes: number }> {
  const found = tableOf(warehouse, placeOf(entity, role));
  const [exists] = await found.exists();
  if (!exists) return { rows: 0, bytes: 0 };
  const [{ numRows = 0, numBytes = 0 }] = await found.getMetadata();
  return { rows: Number(numRows), bytes: Number(numBytes) };
}

/** What reading all columns of the updates that a run reads takes, by a dry run: since the watermark, or what an hour and the lookback brought. */
async function readBytes(
  warehouse: Warehouse,
  entity: EntityModel,
  watermark: string | null,
): Promise<number> {
  const from = sqlName(warehouse, placeOf(entity, "updates"));
  const since =
    watermark === null
      ? mergeSql.anyPartition(entity.ingest.quoted)
      : `${entity.ingest.quoted} > TIMESTAMP '${watermark}'`;
  const query =
    entity.readsCommits && watermark !== null
      ? `SELECT * FROM APPENDS(TABLE ${from}, TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL ${secondsOf(entity.lookback) + SECONDS_AN_HOUR} SECOND))`
      : `SELECT * FROM ${from} WHERE ${since}`;
  const { bytes } = await dryRun(warehouse, query);
  return bytes;
}

/** How often a month a cron schedule starts something: five fields with numbers, lists, ranges and steps; a month has 730 hours. */
export function runsAMonth(cron: string): number {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5) throw new RangeError(`"${cron}" is no cron schedule: five fields are wanted`);
  const shares = LIMITS.map(([from, to], at) => expand(fields[at] ?? "*", from, to).size / (to - from + 1));
  return shares.reduce((product, share) => product * share, 60 * HOURS_A_MONTH);
}

/** Minute, hour, day of the month, month, day of the week. */
const LIMITS = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const;

function expand(field: string, from: number, to: number): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const part of field.split(",")) {
    const match = /^(\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (match === null) throw new RangeError(`"${field}" is no field of a cron schedule`);
    const [, all, first, last, step] = match;
    const start = all === "*" ? from : Number(first);
    const end = all === "*" || (step !== undefined && last === undefined) ? to : Number(last ?? first);
    for (let number = start; number <= end; number += Number(step ?? 1)) numbers.add(number);
  }
  return numbers;
}
