import { type EntityModel, ownsUpdates, placeOf, placeText } from "../../generate/model.ts";
import { CommandError } from "../../project/errors.ts";
import { findTable, type TableMetadataFound, tableOf, type Warehouse } from "../client.ts";
import { diffSchema } from "../schema-diff.ts";
import { type TableSpec, tableSpecs } from "../tables.ts";

/** Throws where updates that are only read are not as the schema says, since nothing here may make or extend them. */
export async function refuseForeignUpdates(warehouse: Warehouse, model: EntityModel): Promise<void> {
  const { environment } = warehouse.project;
  const spec = tableSpecs(model).find(({ role }) => role === "updates");
  if (ownsUpdates(model, environment) || spec === undefined) return;
  const name = placeText(spec);
  const [reader, remedy] =
    model.source === undefined
      ? [`environment ${environment?.name}`, "run `npm run init` without --env first"]
      : [model.name, "name the source as it is in entities.json and in the schema, or a view that has it so"];
  const live = await findTable(tableOf(warehouse, spec));
  if (live === undefined)
    throw new CommandError(`${name} is not there, and ${reader} only reads it; ${remedy}`);
  refusePartitionFilter(live, spec);
  const diff = diffSchema(live.schema?.fields ?? [], spec.fields, "foreign");
  const lacks = diff.changes.filter((change) => change.startsWith("+")).map((change) => change.slice(2));
  const faults = [...diff.faults, ...(lacks.length === 0 ? [] : [`lacks ${lacks.join(", ")}`])];
  if (faults.length > 0)
    throw new CommandError(
      faults.map((fault) => `${name}: ${fault}, and ${reader} only reads it; ${remedy}`).join("\n"),
    );
}

/**
 * Throws where BigQuery does not tell what was committed to the updates, and runs go by that (R5)
 * (https://cloud.google.com/bigquery/docs/change-history).
 */
export async function refuseHistory(warehouse: Warehouse, model: EntityModel): Promise<void> {
  const live = await findTable(tableOf(warehouse, placeOf(model, "updates")));
  if (live === undefined) return;
  const isTable = live.type === undefined || live.type === "TABLE";
  const fault = !isTable
    ? `is a ${(live.type ?? "").toLowerCase().replaceAll("_", " ")}`
    : partitionOf(live) === "_PARTITIONTIME"
      ? "is partitioned by the time of ingestion"
      : undefined;
  if (fault !== undefined)
    throw new CommandError(
      `${placeText(placeOf(model, "updates"))} ${fault}, of which BigQuery does not tell what was committed; leave "cursor": "commit" of ${model.name} out of entities.json`,
    );
}

/** Throws where nobody may read the updates without naming partitions of another column than the ingest timestamp. */
export function refusePartitionFilter(live: TableMetadataFound, spec: TableSpec): void {
  if (spec.role !== "updates" || live.requirePartitionFilter !== true) return;
  const column = partitionOf(live);
  if (column === spec.partitionBy) return;
  const name = placeText(spec);
  throw new CommandError(
    `${name} requires a filter on ${column ?? "its partitions"}, and runs read it by ${spec.partitionBy}; ALTER TABLE ${name} SET OPTIONS (require_partition_filter = FALSE), or read it through a view that names its partitions`,
  );
}

/** The column that partitions a table by time; none where nothing does. */
export function partitionOf({ timePartitioning }: TableMetadataFound): string | undefined {
  return timePartitioning === undefined ? undefined : (timePartitioning.field ?? "_PARTITIONTIME");
}
