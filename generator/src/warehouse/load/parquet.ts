import { createWriteStream } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { TableField } from "@google-cloud/bigquery";
import { messageOf } from "../../project/errors.ts";
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

interface Node {
  readonly name: string;
  readonly isGroup: boolean;
  readonly isList: boolean;
  readonly children: readonly Node[];
}

/**
 * Checks that every column of a Parquet file is one of the table's, since BigQuery itself may pass over the others, and
 * returns how many rows the file has.
 */
export async function checkParquet(
  file: string,
  shownAs: string,
  fields: readonly TableField[],
): Promise<number> {
  const { columns, rows } = await readFooter(file, shownAs);
  const problem = findColumnProblem(columns, fields, "");
  if (problem !== undefined) throw dataError({ file: shownAs }, problem);
  return rows;
}

function findColumnProblem(
  columns: readonly Node[],
  fields: readonly TableField[],
  parent: string,
): string | undefined {
  for (const column of columns) {
    const path = parent === "" ? column.name : `${parent}.${column.name}`;
    const field = findField(column.name, fields);
    if (field === undefined) return `${path}: ${unknownField(column.name, fields)}`;
    if (column.isList !== (field.mode === "REPEATED")) {
      return `${path}: ${column.isList ? "a list in the file, but not REPEATED" : "not a list in the file, but REPEATED"} in the table`;
    }
    const value = column.isList ? elementOf(column) : column;
    const isRecord = typeName(field) === "RECORD";
    if (value.isGroup !== isRecord) {
      return `${path}: ${isRecord ? "RECORD in the table, but a plain value in the file" : `${field.type} in the table, but a group of columns in the file`}`;
    }
    const problem = isRecord ? findColumnProblem(value.children, field.fields ?? [], path) : undefined;
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The element of a list: below the repeated group that Parquet puts around it. */
function elementOf(list: Node): Node {
  const repeated = list.children[0];
  return repeated?.children[0] ?? repeated ?? list;
}

/** What a Parquet file's footer says: its columns, listed there depth first, and its number of rows. */
async function readFooter(
  file: string,
  shownAs: string,
): Promise<{ columns: readonly Node[]; rows: number }> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const database = await DuckDBInstance.create(":memory:");
  const connection = await database.connect();
  try {
    const schema = await connection.runAndReadAll(
      "SELECT name, coalesce(num_children, 0), coalesce(converted_type, '') FROM parquet_schema($file)",
      { file },
    );
    const count = await connection.runAndReadAll("SELECT num_rows FROM parquet_file_metadata($file)", {
      file,
    });
    const nodes = schema.getRows().map(([name, childCount, convertedType]) => ({
      name: String(name),
      childCount: Number(childCount),
      isList: String(convertedType) === "LIST",
    }));
    return { columns: takeTree(nodes.values())?.children ?? [], rows: Number(count.getRows()[0]?.[0] ?? 0) };
  } catch (error) {
    throw dataError({ file: shownAs }, `not Parquet (${messageOf(error)})`);
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

function takeTree(rows: Iterator<{ name: string; childCount: number; isList: boolean }>): Node | undefined {
  const next = rows.next();
  if (next.done === true) return undefined;
  const { name, childCount, isList } = next.value;
  const children = Array.from({ length: childCount }, () => takeTree(rows)).filter(
    (node) => node !== undefined,
  );
  return { name, isGroup: childCount > 0, isList, children };
}
