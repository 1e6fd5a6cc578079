import type { TableField } from "@google-cloud/bigquery";
import { asyncBufferFromFile, type FileMetaData, parquetScan } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { isObject } from "../../project/problems.ts";
import { findField } from "./value.ts";

/** Where a Parquet file holds a NULL; rows count from 1. */
export interface FoundNull {
  readonly row: number;
  /** `tags[2]`, `orders[1].codes[1]`, or a column's name. */
  readonly path: string;
}

/** The first NULL within a list of this column, whose lists BigQuery's arrays cannot be made of. */
export async function findNullInLists(
  file: string,
  metadata: FileMetaData,
  field: TableField,
): Promise<FoundNull | undefined> {
  return findInColumn(file, metadata, field, (value) => nullInLists(value, field, field.name ?? ""));
}

/** The first row without a value of this column. */
export async function findMissing(
  file: string,
  metadata: FileMetaData,
  field: TableField,
): Promise<FoundNull | undefined> {
  return findInColumn(file, metadata, field, (value) =>
    value === null || value === undefined ? field.name : undefined,
  );
}

/** Reads one column, a row group at a time; none whose statistics say that it holds no NULL. */
async function findInColumn(
  file: string,
  metadata: FileMetaData,
  field: TableField,
  pathOfNull: (value: unknown) => string | undefined,
): Promise<FoundNull | undefined> {
  const column = columnName(metadata, field);
  if (column === undefined || hasNoNull(metadata, column)) return undefined;
  const scan = await parquetScan({
    file: await asyncBufferFromFile(file),
    metadata,
    columns: [column],
    compressors,
    utf8: false,
  });
  for (const range of scan.ranges) {
    const values = await scan.readColumn({ ...range, column });
    for (let index = 0; index < values.length; index++) {
      const path = pathOfNull(values[index]);
      if (path !== undefined) return { row: range.rowStart + index + 1, path };
    }
  }
  return undefined;
}

/** The file's own name of a column, which may differ in case. */
function columnName(metadata: FileMetaData, field: TableField): string | undefined {
  const chunks = metadata.row_groups[0]?.columns ?? [];
  const names = chunks.map((chunk) => chunk.meta_data?.path_in_schema[0] ?? "");
  return names.find((name) => findField(name, [field]) !== undefined);
}

function hasNoNull(metadata: FileMetaData, column: string): boolean {
  return metadata.row_groups
    .flatMap((group) => group.columns)
    .filter((chunk) => chunk.meta_data?.path_in_schema[0] === column)
    .every((chunk) => chunk.meta_data?.statistics?.null_count === 0n);
}

function nullInLists(value: unknown, field: TableField, path: string): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (field.mode === "REPEATED") {
    const element: TableField = { ...field, mode: "NULLABLE" };
    return firstOf(Array.from(value as ArrayLike<unknown>), (item, index) => {
      const place = `${path}[${index}]`;
      return item === null || item === undefined ? place : nullInLists(item, element, place);
    });
  }
  if (!isObject(value)) return undefined;
  return firstOf(Object.entries(value), ([name, member]) => {
    const inner = findField(name, field.fields ?? []);
    return inner === undefined ? undefined : nullInLists(member, inner, `${path}.${name}`);
  });
}

function firstOf<T>(
  items: readonly T[],
  find: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether there is a list in this field, at any depth. */
export function hasList(field: TableField): boolean {
  return field.mode === "REPEATED" || (field.fields ?? []).some(hasList);
}
