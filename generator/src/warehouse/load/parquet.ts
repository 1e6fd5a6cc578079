import { createWriteStream } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { TableField } from "@google-cloud/bigquery";
import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type SchemaTree,
} from "hyparquet";
import { messageOf } from "../../project/errors.ts";
import { elementOf, isList } from "./parquet-fields.ts";
import { findMissing, findNullInLists } from "./parquet-nulls.ts";
import { dataError, openBytes } from "./text.ts";
import { findField, typeName, unknownField } from "./value.ts";

/** True for a file whose name says Parquet, packed or not. */
export function isParquet(file: string): boolean {
  return /\.parquet(\.gz)?$/i.test(file);
}

/** The path of the Parquet file itself: a `.gz` is unpacked into `folder` first. */
export async function unpackParquet(file: string, folder: string): Promise<string> {
  if (!file.endsWith(".gz")) return file;
  const unpacked = path.join(folder, path.basename(file, ".gz"));
  try {
    await pipeline(openBytes(file), createWriteStream(unpacked));
  } catch (error) {
    throw dataError({ file }, `cannot be unpacked: ${messageOf(error)}`);
  }
  return unpacked;
}

/** What a Parquet file brings. */
export interface ParquetContents {
  readonly rows: number;
  /** The names of its columns, as the file spells them. */
  readonly columns: readonly string[];
}

/**
 * Checks what BigQuery may pass over, or takes amiss later: that every column of a Parquet file is one of the table's, that no list
 * holds a NULL, and that a column with a default value, where the file has it, has a value in every row.
 */
export async function checkParquet(
  file: string,
  shownAs: string,
  fields: readonly TableField[],
  signal?: AbortSignal,
): Promise<ParquetContents> {
  const { columns, rows, metadata } = await readFooter(file, shownAs);
  const problem = findColumnProblem(columns, fields, "");
  if (problem !== undefined) throw dataError({ file: shownAs }, problem);
  const required = fields.filter((field) => field.mode === "REQUIRED" && !field.defaultValueExpression);
  const absent = required.find(
    (field) => !columns.some(({ element }) => findField(element.name, [field]) !== undefined),
  );
  if (absent !== undefined)
    throw dataError({ file: shownAs }, `${absent.name}: REQUIRED in the table, and no column of the file`);
  const read = { file, metadata, signal };
  const nulls = columns.flatMap((column) => {
    const field = findField(column.element.name, fields);
    const name = field?.name ?? column.element.name;
    const byDefault = field?.defaultValueExpression ?? "";
    const inLists = {
      find: () => findNullInLists(read, column, name),
      wrong: "an array in BigQuery cannot hold NULL",
    };
    const missing = {
      find: () => findMissing(read, column, name),
      wrong: `NULL; give every row a value, or leave the column out of the file and all get its default, ${byDefault}`,
    };
    if (byDefault !== "") return [inLists, missing];
    return field?.mode === "REQUIRED" ? [inLists, { ...missing, wrong: "NULL, but REQUIRED" }] : [inLists];
  });
  for (const { find, wrong } of nulls) {
    const found = await find().catch((error: unknown) => {
      throw dataError({ file: shownAs }, `cannot be read: ${messageOf(error)}`);
    });
    if (found !== undefined) throw dataError({ file: shownAs }, `row ${found.row}: ${found.path}: ${wrong}`);
  }
  return { rows, columns: columns.map(({ element }) => element.name) };
}

function findColumnProblem(
  columns: readonly SchemaTree[],
  fields: readonly TableField[],
  parent: string,
): string | undefined {
  for (const column of columns) {
    const { name } = column.element;
    const path = parent === "" ? name : `${parent}.${name}`;
    const field = findField(name, fields);
    if (field === undefined) return `${path}: ${unknownField(name, fields)}`;
    if (isList(column) !== (field.mode === "REPEATED")) {
      return `${path}: ${isList(column) ? "a list in the file, but not REPEATED" : "not a list in the file, but REPEATED"} in the table`;
    }
    const value = isList(column) ? elementOf(column) : column;
    const isRecord = typeName(field) === "RECORD";
    if (value.children.length > 0 !== isRecord) {
      return `${path}: ${isRecord ? "RECORD in the table, but a plain value in the file" : `${field.type} in the table, but a group of columns in the file`}`;
    }
    const problem = isRecord ? findColumnProblem(value.children, field.fields ?? [], path) : undefined;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What a Parquet file's footer says: its columns and its number of rows. Reads the file's end alone. */
export async function readFooter(
  file: string,
  shownAs: string,
): Promise<{ columns: readonly SchemaTree[]; rows: number; metadata: FileMetaData }> {
  try {
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(file));
    return { columns: parquetSchema(metadata).children, rows: Number(metadata.num_rows), metadata };
  } catch (error) {
    throw dataError({ file: shownAs }, `not Parquet (${messageOf(error)})`);
  }
}
