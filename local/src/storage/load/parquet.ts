import { type DuckDBType, DuckDBTypeId } from "@duckdb/node-api";
import { unsupported } from "../../errors.ts";
import { failWhen } from "../../raise.ts";
import type { FieldSchema } from "../../types.ts";
import { duckType, quoteName, quoteText } from "../../values.ts";
import type { Database } from "../database.ts";
import { limitedScalar } from "../field-limits.ts";
import { elementType, findField } from "../schema.ts";
import { loadError } from "./bad-records.ts";
import type { LoadOptions } from "./options.ts";

/** A Parquet file's columns as DuckDB sees them, beside the field each of them goes to. */
export interface ParquetSource {
  readonly schema: readonly FieldSchema[];
  readonly query: string;
}

/**
 * The fields of a Parquet file and the DuckDB query that reads it: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet
 * Fields that `wanted` names get its types, where the file's values convert without loss.
 */
export async function readParquet(
  database: Database,
  file: string,
  wanted: readonly FieldSchema[] | undefined,
  options: LoadOptions,
): Promise<ParquetSource> {
  const from = `read_parquet(${quoteText(file)}, binary_as_string=false)`;
  const columns = await database
    .use(async (connection) => {
      const reader = await connection.runAndReadAll(`SELECT * FROM ${from} LIMIT 0`);
      return reader.columnNames().map((name, index) => ({ name, type: reader.columnType(index) }));
    })
    .catch((error: unknown) => {
      const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "";
      throw loadError(`Failed to read the Parquet file: ${why.replaceAll(file, "the file")}`);
    });
  const schema: FieldSchema[] = [];
  const values: string[] = [];
  for (const { name, type } of columns) {
    const target = wanted && findField(wanted, name);
    if (target === undefined && wanted !== undefined && options.ignoreUnknownValues) continue;
    if (target === undefined && options.schema !== undefined) throw loadError(`No such field: ${name}.`);
    const field = target ?? parquetField(name, type, options.listInference);
    schema.push(field);
    values.push(parquetValue(field, type, quoteName(name), 0, name));
  }
  if (values.length === 0) throw loadError("The Parquet file has no columns that the table has.");
  return { schema, query: `SELECT ${values.join(", ")} FROM ${from}` };
}

/** The field that a Parquet column makes where no schema says otherwise. */
function parquetField(name: string, type: DuckDBType, listInference: boolean): FieldSchema {
  if (type.typeId === DuckDBTypeId.LIST || type.typeId === DuckDBTypeId.MAP) {
    if (!listInference && type.typeId === DuckDBTypeId.LIST) {
      const item = parquetField("item", listItem(type), listInference);
      const list: FieldSchema = { name: "list", type: "RECORD", mode: "REPEATED", fields: [item] };
      return { name, type: "RECORD", mode: "NULLABLE", fields: [list] };
    }
    return { ...parquetField(name, listItem(type), listInference), mode: "REPEATED" };
  }
  if (type.typeId === DuckDBTypeId.STRUCT) {
    const fields = structEntries(type).map(([child, childType]) =>
      parquetField(child, childType, listInference),
    );
    return { name, type: "RECORD", mode: "NULLABLE", fields };
  }
  return { name, type: scalarFieldType(name, type), mode: "NULLABLE" };
}

function scalarFieldType(name: string, type: DuckDBType): string {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return "BOOLEAN";
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
    case DuckDBTypeId.UBIGINT:
      return "INTEGER";
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return "FLOAT";
    case DuckDBTypeId.VARCHAR:
    case DuckDBTypeId.ENUM:
    case DuckDBTypeId.UUID:
      return "STRING";
    case DuckDBTypeId.BLOB:
      return "BYTES";
    case DuckDBTypeId.DATE:
      return "DATE";
    case DuckDBTypeId.TIME:
    case DuckDBTypeId.TIME_NS:
      return "TIME";
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
    case DuckDBTypeId.TIMESTAMP_NS:
      return "DATETIME";
    case DuckDBTypeId.TIMESTAMP_TZ:
      return "TIMESTAMP";
    case DuckDBTypeId.DECIMAL: {
      const { width, scale } = type as DuckDBType & { width: number; scale: number };
      return scale <= 9 && width - scale <= 29 ? "NUMERIC" : "BIGNUMERIC";
    }
    default:
      throw unsupported(`Parquet column ${name} of type ${type.toString()}`);
  }
}

/** DuckDB SQL that gives a Parquet column's value as its field stores it. */
function parquetValue(
  field: FieldSchema,
  type: DuckDBType,
  sql: string,
  depth: number,
  path: string,
): string {
  if (field.type === "RANGE") throw unsupported(`Parquet column ${path} into a field of type RANGE`);
  if (field.mode === "REPEATED") {
    if (type.typeId !== DuckDBTypeId.LIST && type.typeId !== DuckDBTypeId.MAP)
      throw mismatch(path, field, type);
    const item = `item${depth}`;
    const list = type.typeId === DuckDBTypeId.MAP ? `map_entries(${sql})` : sql;
    const element = parquetValue({ ...field, mode: "NULLABLE" }, listItem(type), item, depth + 1, path);
    const message = `Array cannot have a null element; error in writing field ${path}`;
    const present = failWhen(`${item} IS NULL`, elementType(field), [message], element);
    const empty = `[]::${duckType(elementType(field))}[]`;
    return `coalesce(list_transform(${list}, lambda ${item}: ${present}), ${empty})`;
  }
  if (field.type === "RECORD") return recordValue(field, type, sql, depth, path);
  return scalarValue(field, type, sql, path);
}

function recordValue(field: FieldSchema, type: DuckDBType, sql: string, depth: number, path: string): string {
  const fields = field.fields ?? [];
  if (type.typeId === DuckDBTypeId.LIST) {
    // Without list inference a list is a RECORD with a REPEATED RECORD `list` in it, which has one field for the items.
    const list = fields[0];
    const item = list?.fields?.[0];
    if (fields.length !== 1 || list?.mode !== "REPEATED" || item === undefined)
      throw mismatch(path, field, type);
    const name = `item${depth}`;
    const value = parquetValue(item, listItem(type), name, depth + 1, path);
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(f0 := list_transform(${sql}, lambda ${name}: struct_pack(f0 := ${value}))) END`;
  }
  if (type.typeId !== DuckDBTypeId.STRUCT) throw mismatch(path, field, type);
  const entries = structEntries(type);
  const values = fields.map((child, index) => {
    const entry = entries.find(([name]) => name.toLowerCase() === child.name.toLowerCase());
    const value =
      entry === undefined
        ? `${child.mode === "REPEATED" ? "[]" : "NULL"}::${duckType(elementType(child))}${child.mode === "REPEATED" ? "[]" : ""}`
        : parquetValue(child, entry[1], `${sql}.${quoteName(entry[0])}`, depth, `${path}.${child.name}`);
    return `f${index} := ${value}`;
  });
  const unknown = entries.find(([name]) => findField(fields, name) === undefined);
  if (unknown !== undefined) throw loadError(`No such field: ${path}.${unknown[0]}.`);
  return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${values.join(", ")}) END`;
}

/** Which fields a Parquet type may fill: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#type_conversions */
const CONVERTS: Readonly<Record<string, readonly string[]>> = {
  BOOLEAN: ["BOOLEAN"],
  INTEGER: ["INTEGER", "FLOAT", "NUMERIC", "BIGNUMERIC", "TIMESTAMP"],
  FLOAT: ["FLOAT"],
  STRING: ["STRING", "BYTES", "JSON", "GEOGRAPHY"],
  BYTES: ["BYTES", "STRING", "GEOGRAPHY", "JSON"],
  DATE: ["DATE"],
  TIME: ["TIME"],
  DATETIME: ["DATETIME", "TIMESTAMP"],
  TIMESTAMP: ["TIMESTAMP", "DATETIME"],
  NUMERIC: ["NUMERIC", "BIGNUMERIC"],
  BIGNUMERIC: ["BIGNUMERIC", "NUMERIC"],
};

function scalarValue(field: FieldSchema, type: DuckDBType, sql: string, path: string): string {
  return limitedScalar(field, convertedValue(field, type, sql, path), path);
}

function convertedValue(field: FieldSchema, type: DuckDBType, sql: string, path: string): string {
  if (field.type === "BIGNUMERIC" && type.typeId === DuckDBTypeId.DOUBLE) {
    throw unsupported(
      `Parquet column ${path}: a decimal of more than 38 digits, or a DOUBLE into BIGNUMERIC`,
    );
  }
  const given = scalarFieldType(path, type);
  if (!CONVERTS[given]?.includes(field.type)) throw mismatch(path, field, type);
  if (field.type === "TIMESTAMP" && given === "INTEGER") return `make_timestamptz(CAST(${sql} AS BIGINT))`;
  if (field.type === "STRING" && given === "BYTES") return `decode(${sql})`;
  if (field.type === "BYTES" && given === "STRING") return `encode(${sql})`;
  // Both are kept in a canonical form that DuckDB cannot make.
  if (field.type === "JSON" || field.type === "GEOGRAPHY") {
    throw unsupported(`Parquet column ${path} into a field of type ${field.type}`);
  }
  if (field.type === "BIGNUMERIC") {
    const text = `CAST(${sql} AS VARCHAR)`;
    return `CAST(split_part(${text}, '.', 1) || rpad(split_part(${text}, '.', 2), 38, '0') AS BIGNUM)`;
  }
  return `CAST(${sql} AS ${duckType(elementType(field))})`;
}

function listItem(type: DuckDBType): DuckDBType {
  if (type.typeId === DuckDBTypeId.LIST) return (type as DuckDBType & { valueType: DuckDBType }).valueType;
  throw unsupported("Parquet MAP columns");
}

function structEntries(type: DuckDBType): [string, DuckDBType][] {
  const { entryNames, entryTypes } = type as DuckDBType & {
    entryNames: readonly string[];
    entryTypes: readonly DuckDBType[];
  };
  return entryNames.map((name, index) => [name, entryTypes[index] as DuckDBType]);
}

function mismatch(path: string, field: FieldSchema, type: DuckDBType): Error {
  return loadError(
    `Parquet column '${path}' has type ${type.toString()} which does not match the target type ${field.mode === "REPEATED" ? "REPEATED " : ""}${field.type}.`,
  );
}
