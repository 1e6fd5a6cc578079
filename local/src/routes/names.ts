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
