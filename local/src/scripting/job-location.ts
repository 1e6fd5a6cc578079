import { BigQueryError } from "../errors.ts";
import type { DatasetEntry } from "../storage/entries.ts";

/**
 * Where a query job runs: where the client says, else where the first dataset is that it refers to, else the default. Datasets elsewhere
 * do not exist for it (https://cloud.google.com/bigquery/docs/locations#specify_locations).
 */
export class JobLocation {
  readonly #byDefault: string;
  #settled: string | undefined;

  constructor(given: string | undefined, byDefault: string) {
    this.#settled = given;
    this.#byDefault = byDefault;
  }

  /** The location's name, the default one while nothing says another. */
  get name(): string {
    return this.#settled ?? this.#byDefault;
  }

  /** The location that the client or a dataset has decided, if any. */
  get settled(): string | undefined {
    return this.#settled;
  }

  /** Whether the dataset is where the job runs. The first dataset that is asked about decides where that is. */
  admits({ location }: Pick<DatasetEntry, "location">): boolean {
    this.#settled ??= location;
    return this.#settled.toLowerCase() === location.toLowerCase();
  }

  /** Throws BigQuery's error for a dataset that does not exist where the job runs. */
  need(projectId: string, datasetId: string, dataset: DatasetEntry | undefined): void {
    if (dataset === undefined || !this.admits(dataset)) throw this.datasetNotFound(projectId, datasetId);
  }

  /** BigQuery's error for a dataset that is not here. */
  datasetNotFound(projectId: string, datasetId: string): BigQueryError {
    const message = `Not found: Dataset ${projectId}:${datasetId} was not found in location ${this.name}`;
    return new BigQueryError("notFound", message, "query");
  }
}
