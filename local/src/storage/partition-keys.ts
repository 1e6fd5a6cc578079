import type { Partitioning } from "../types.ts";
import { quoteName } from "../values.ts";

/** The column that an ingestion-time partitioned table has without its schema saying so. */
export const PARTITION_TIME = "_PARTITIONTIME";

/** True for a table partitioned by the time at which rows arrive. */
export function isIngestionTimePartitioned(partitioning: Partitioning): boolean {
  return partitioning.timePartitioning !== undefined && partitioning.timePartitioning.field === undefined;
}

/** The column that decides a row's partition; undefined for a table without partitions. */
export function partitioningColumn(partitioning: Partitioning): string | undefined {
  if (isIngestionTimePartitioned(partitioning)) return PARTITION_TIME;
  return partitioning.timePartitioning?.field ?? partitioning.rangePartitioning?.field;
}

/** Microseconds from 0001-01-01, the first day that BigQuery knows, to 1970: times counted from there are never negative. */
const BEFORE_1970 = 62_135_596_800_000_000n;
const HOUR = 3_600_000_000n;

/**
 * The DuckDB expression for a number that tells partitions apart: the hour or the day (a month and a year are made of days, which is
 * finer and as good) since 0001-01-01, or the range's; -1 outside of all ranges, NULL for NULL. Integer arithmetic, since it is
 * worked out for every row that is written. `column` is the partitioning column; 0 for a table without partitions.
 */
export function partitionKey(partitioning: Partitioning, column: string): string {
  const { timePartitioning: time, rangePartitioning } = partitioning;
  if (rangePartitioning !== undefined) {
    const { start, end, interval } = rangePartitioning.range;
    return `CASE WHEN ${column} < ${start} OR ${column} >= ${end} THEN -1 ELSE (${column} - ${start}) // ${interval} END::BIGINT`;
  }
  if (time === undefined) return "0::BIGINT";
  return `(epoch_us(${column}) + ${BEFORE_1970}) // ${keyUnit(partitioning)}`;
}

function keyUnit({ timePartitioning }: Partitioning): bigint {
  return timePartitioning?.type === "HOUR" ? HOUR : 24n * HOUR;
}

/**
 * A FROM item, to be named `t`, with one row for each of these keys: the key as `partition_key`, and the partitioning column under its
 * own name with a value of that partition. What holds for all rows of a partition or for none can be asked of it. `columnType`
 * is the column's type in DuckDB.
 */
export function partitionRows(
  partitioning: Partitioning,
  columnType: string,
  keys: readonly (bigint | null)[],
): string {
  const list = `(SELECT unnest([${keys.map((key) => key ?? "NULL").join(", ")}]::BIGINT[]) AS partition_key)`;
  const name = partitioningColumn(partitioning);
  if (name === undefined) return list;
  const value = representative(partitioning);
  return `(SELECT partition_key, CAST(${value} AS ${columnType}) AS ${quoteName(name)} FROM ${list})`;
}

function representative(partitioning: Partitioning): string {
  const { rangePartitioning } = partitioning;
  if (rangePartitioning === undefined)
    return `make_timestamptz(partition_key * ${keyUnit(partitioning)} - ${BEFORE_1970})`;
  const { start, end, interval } = rangePartitioning.range;
  return `CASE WHEN partition_key = -1 THEN ${end} ELSE ${start} + partition_key * ${interval} END`;
}
