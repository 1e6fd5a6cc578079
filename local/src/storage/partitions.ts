import { BigQueryError } from "../errors.ts";
import { raise } from "../raise.ts";
import type { FieldSchema, Partitioning } from "../types.ts";
import { quoteName, quoteText } from "../values.ts";
import type { CatalogChange } from "./catalog-change.ts";
import { type TableEntry, tableName } from "./entries.ts";
import { PARTITION_TIME, partitioningColumn } from "./partition-keys.ts";
import { elementType } from "./schema.ts";

const FORMATS = { HOUR: "%Y%m%d%H", DAY: "%Y%m%d", MONTH: "%Y%m", YEAR: "%Y" } as const;
const ID_DIGITS = { HOUR: 10, DAY: 8, MONTH: 6, YEAR: 4 } as const;
const SPECIAL = ["__NULL__", "__UNPARTITIONED__"];

/**
 * The DuckDB expression for the id of the partition that a row lies in, NULL for a table without partitions; `column` is the partitioning
 * column where the row is no row of the table yet (https://cloud.google.com/bigquery/docs/managing-partitioned-tables#partition_ids).
 */
export function partitionId(partitioning: Partitioning, column?: string): string {
  const name = partitioningColumn(partitioning);
  if (name === undefined) return "NULL::VARCHAR";
  const value = column ?? quoteName(name);
  const { timePartitioning: time, rangePartitioning } = partitioning;
  if (rangePartitioning !== undefined) {
    const { start, end, interval } = rangePartitioning.range;
    const bucket = `(${start} + ((${value} - ${start}) // ${interval}) * ${interval})::VARCHAR`;
    return `CASE WHEN ${value} IS NULL THEN '__NULL__' WHEN ${value} < ${start} OR ${value} >= ${end} THEN '__UNPARTITIONED__' ELSE ${bucket} END`;
  }
  return `CASE WHEN ${value} IS NULL THEN '__NULL__' ELSE strftime(${value}, '${FORMATS[time?.type ?? "DAY"]}') END`;
}

/** The DuckDB condition for the rows of one partition of a table; throws where the table can have none of this id. */
export function inPartition(entry: TableEntry, id: string): string {
  const { timePartitioning: time, rangePartitioning } = entry.partitioning;
  if (time === undefined && rangePartitioning === undefined) {
    throw invalid(
      `Cannot use the partition decorator $${id.slice(0, 100)}: ${tableName(entry.ref)} is not partitioned.`,
    );
  }
  const isRight =
    SPECIAL.includes(id) ||
    (time === undefined ? /^-?\d{1,19}$/.test(id) : timeOf(id, time.type) !== undefined);
  if (!isRight) {
    const kind = time === undefined ? "integer range" : time.type;
    throw invalid(
      `Invalid partition ID "${id.slice(0, 100)}" for the ${kind} partitions of ${tableName(entry.ref)}.`,
    );
  }
  return `${partitionId(entry.partitioning)} = ${quoteText(id)}`;
}

/** Makes room for what is written into a partition: it must be empty, is emptied, or is left as it is. */
export async function clearPartition(
  change: CatalogChange,
  entry: TableEntry,
  id: string,
  writeDisposition: string,
): Promise<void> {
  const condition = inPartition(entry, id);
  if (writeDisposition === "WRITE_TRUNCATE") await change.deleteRows(entry, condition);
  if (writeDisposition !== "WRITE_EMPTY") return;
  const reader = await change.connection.runAndReadAll(
    `SELECT 1 FROM ${entry.physical} WHERE ${condition} LIMIT 1`,
  );
  if (reader.currentRowCount > 0)
    throw new BigQueryError("duplicate", `Already Exists: Table ${tableName(entry.ref)}$${id}`);
}

/**
 * A query's rows as rows of one partition, and the columns they go to: with the partition's time where that is no column of the schema,
 * else only such rows as belong there (https://cloud.google.com/bigquery/docs/load-data-partitioned-tables).
 */
export function rowsInPartition(
  entry: TableEntry,
  id: string,
  fields: readonly FieldSchema[],
  query: string,
): { readonly fields: readonly FieldSchema[]; readonly query: string } {
  const { partitioning } = entry;
  const time = partitioning.timePartitioning;
  if (time !== undefined && time.field === undefined) {
    const value = timeOf(id, time.type);
    if (value === undefined) throw invalid(`Rows cannot be written to the partition $${id.slice(0, 100)}.`);
    const own: FieldSchema = { name: PARTITION_TIME, type: "TIMESTAMP", mode: "NULLABLE" };
    return {
      fields: [...fields, own],
      query: `SELECT given.*, make_timestamptz(${BigInt(value) * 1000n}) FROM (${query}) AS given`,
    };
  }
  const name = partitioningColumn(partitioning)?.toLowerCase();
  const at = fields.findIndex((field) => field.name.toLowerCase() === name);
  const message = `Some rows belong to different partitions rather than destination partition ${tableName(entry.ref)}$${id}`;
  const field = fields[at];
  if (field === undefined) {
    if (id === "__NULL__") return { fields, query };
    throw invalid(message);
  }
  const names = fields.map((_, index) => `c${index}`);
  const values = names.map((column, index) =>
    index === at
      ? `CASE WHEN ${partitionId(partitioning, column)} = ${quoteText(id)} THEN ${column} ELSE ${raise(elementType(field), message)} END`
      : column,
  );
  return { fields, query: `SELECT ${values.join(", ")} FROM (${query}) AS given(${names.join(", ")})` };
}

/** The time at which a partition begins, in milliseconds since 1970; undefined for what is no id of this kind. */
function timeOf(id: string, type: keyof typeof ID_DIGITS): number | undefined {
  if (!/^\d+$/.test(id) || id.length !== ID_DIGITS[type]) return undefined;
  const [year, month, day, hour] = [
    id.slice(0, 4),
    id.slice(4, 6) || "01",
    id.slice(6, 8) || "01",
    id.slice(8) || "00",
  ];
  const text = `${year}-${month}-${day}T${hour}:00:00.000Z`;
  const time = Date.parse(text);
  return Number.isNaN(time) || new Date(time).toISOString() !== text ? undefined : time;
}

/** BigQuery's error for a partition of a table that does not exist, where nothing says how it would be partitioned. */
export function unknownPartitioning(): BigQueryError {
  return invalid("Partitioning specification must be provided in order to create partitioned table");
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalid", message);
}
