import { BigQueryError } from "../errors.ts";
import type { TableRef } from "../types.ts";

/** A project id, `domain.com:project` included. The endpoint has every project that is asked for. */
export function checkProjectId(projectId: string): string {
  if (!/^(?:[a-z0-9.-]{1,100}:)?[A-Za-z0-9_-]{1,100}$/.test(projectId)) {
    throw new BigQueryError("invalid", `Invalid project ID "${projectId.slice(0, 100)}".`);
  }
  return projectId;
}

/** https://cloud.google.com/bigquery/docs/datasets#dataset-naming */
export function checkDatasetId(datasetId: string): string {
  if (!/^[A-Za-z0-9_]{1,1024}$/.test(datasetId)) {
    throw new BigQueryError(
      "invalid",
      `Invalid dataset ID "${datasetId.slice(0, 100)}". Dataset IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.`,
    );
  }
  return datasetId;
}

/** https://cloud.google.com/bigquery/docs/tables#table_naming: letters, marks, numbers, connectors, dashes, spaces of any script. */
function checkTableId(tableId: string): string {
  checkDecorator(tableId);
  if (!/^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]+$/u.test(tableId) || Buffer.byteLength(tableId) > 1024) {
    throw new BigQueryError(
      "invalid",
      `Invalid table ID "${tableId.slice(0, 100)}". Table IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long. Also, Table decorators cannot be used.`,
    );
  }
  return tableId;
}

/** Refuses `table$20260101` and `table@time`, which are parts of a table and no tables of their own. */
export function checkDecorator(tableId: string): void {
  const [, sign] = /[^$@]([$@])/.exec(tableId) ?? [];
  if (sign === undefined) return;
  const kind = sign === "$" ? "partition decorators" : "table decorators";
  throw new BigQueryError(
    "invalid",
    `Not supported by the local BigQuery endpoint: ${kind} (${tableId.slice(0, 100)})`,
  );
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/routines#RoutineReference */
export function checkRoutineId(routineId: string): string {
  if (/^[A-Za-z0-9_]{1,256}$/.test(routineId)) return routineId;
  throw new BigQueryError(
    "invalid",
    `Invalid routine ID "${routineId.slice(0, 100)}". Routine IDs must be alphanumeric (plus underscores) and must be at most 256 characters long.`,
  );
}

/** A table's name as written, `table$20260101`, as the table and the partition that it names, if it does. */
export function splitDecorator<T extends { readonly tableId: string }>(
  ref: T,
): { readonly table: T; readonly partition: string | undefined } {
  const at = ref.tableId.indexOf("$");
  if (at < 1) return { table: ref, partition: undefined };
  return { table: { ...ref, tableId: ref.tableId.slice(0, at) }, partition: ref.tableId.slice(at + 1) };
}

/** Checks all parts of a table's name, which may name one partition: `table$20260101`. */
export function checkPartitionRef(ref: TableRef): TableRef {
  const { table, partition } = splitDecorator(ref);
  checkTableRef(table);
  if (partition !== undefined && !/^[\w-]{1,30}$/.test(partition))
    throw new BigQueryError("invalid", `Invalid table ID "${ref.tableId.slice(0, 100)}".`);
  return ref;
}

/** Checks all parts of a table's name. */
export function checkTableRef(ref: TableRef): TableRef {
  return {
    projectId: checkProjectId(ref.projectId),
    datasetId: checkDatasetId(ref.datasetId),
    tableId: checkTableId(ref.tableId),
  };
}

/** Locations compare without case ("us" is "US"). */
export function sameLocation(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** https://cloud.google.com/bigquery/docs/labels-intro#requirements */
export function checkLabel(key: string, value: string): void {
  if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key)) {
    throw new BigQueryError(
      "invalid",
      `Label key "${key.slice(0, 100)}" has invalid characters or length.`,
      "labels",
    );
  }
  if (!/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value)) {
    throw new BigQueryError(
      "invalid",
      `Label value "${value.slice(0, 100)}" has invalid characters or length.`,
      "labels",
    );
  }
}
