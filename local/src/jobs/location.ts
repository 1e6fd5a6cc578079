import { BigQueryError } from "../errors.ts";
import type { Catalog } from "../storage/catalog.ts";
import { sameLocation } from "../storage/names.ts";

/**
 * Where a job runs: where the client says, else where its dataset is, else the default. A dataset that is elsewhere does not exist for
 * the job (https://cloud.google.com/bigquery/docs/locations#specify_locations).
 */
export function resolveLocation(
  catalog: Catalog,
  requested: string | null | undefined,
  target: { projectId: string; datasetId: string } | undefined,
): string {
  const dataset = target === undefined ? undefined : catalog.getDataset(target.projectId, target.datasetId);
  if (!requested) return dataset?.location ?? catalog.location;
  if (dataset !== undefined && !sameLocation(dataset.location, requested)) {
    throw new BigQueryError(
      "notFound",
      `Not found: Dataset ${dataset.projectId}:${dataset.datasetId} was not found in location ${requested}`,
    );
  }
  return requested.length === 2 ? requested.toUpperCase() : requested;
}
