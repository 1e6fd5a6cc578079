import { BigQueryError } from "../errors.ts";
import type { TableRef } from "../types.ts";

/** Path parameters of every route below a project. */
export interface ProjectParams {
  readonly projectId: string;
}

/** Path parameters of a dataset's routes. */
export interface DatasetParams extends ProjectParams {
  readonly datasetId: string;
}

/** Path parameters of a table's routes. */
export interface TableParams extends DatasetParams {
  readonly tableId: string;
}

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
export function checkTableId(tableId: string): string {
  if (!/^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]+$/u.test(tableId) || Buffer.byteLength(tableId) > 1024) {
    throw new BigQueryError(
      "invalid",
      `Invalid table ID "${tableId.slice(0, 100)}". Table IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long. Also, Table decorators cannot be used.`,
    );
  }
  return tableId;
}

/** Checks all parts of a table's name. */
export function checkTableRef(ref: TableRef): TableRef {
  return {
    projectId: checkProjectId(ref.projectId),
    datasetId: checkDatasetId(ref.datasetId),
    tableId: checkTableId(ref.tableId),
  };
}
