import { BigQueryError } from "../errors.ts";
import type { TableEntry } from "../storage/entries.ts";
import { checkDecorator } from "../storage/names.ts";
import { needDataset } from "./datasets.ts";
import type { TableParams } from "./names.ts";
import type { Services } from "./services.ts";

/** The table or view a path names. */
export function needTable(services: Services, params: TableParams): TableEntry {
  const { projectId, datasetId, tableId } = params;
  const entry = services.storage.catalog.getTable({ projectId, datasetId, tableId });
  if (entry !== undefined) return entry;
  checkDecorator(tableId);
  needDataset(services, params);
  throw new BigQueryError("notFound", `Not found: Table ${projectId}:${datasetId}.${tableId}`);
}
