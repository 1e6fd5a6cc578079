import { type Place, placeText } from "../../generate/model.ts";
import { VERSIONS_COLUMN } from "../../generate/own-tables.ts";
import { CommandError } from "../../project/errors.ts";
import { findTable, sqlName, type TableMetadataFound, tableOf, type Warehouse } from "../client.ts";
import { hasOldVersions } from "../old-versions.ts";
import { diffSchema } from "../schema-diff.ts";
import type { TableSpec } from "../tables.ts";
import { partitionOf, refusePartitionFilter } from "./refusals.ts";
import type { Step } from "./step.ts";

/** The step that makes a table, or gives it what it lacks. Throws where it is in the way, or cannot be made right. */
export async function planTable(warehouse: Warehouse, spec: TableSpec): Promise<Step> {
  const table = tableOf(warehouse, spec);
  const live = await findTable(table);
  if (live === undefined) return creation(warehouse, spec);
  const name = placeText(spec);
  if (live.type !== undefined && live.type !== "TABLE") {
    throw new CommandError(
      `${name} exists and is a ${live.type.toLowerCase()}; drop it, or name another table in entities.json`,
    );
  }
  refusePartitionFilter(live, spec);
  // Columns of producers that the schema lacks are theirs; in final, which only runs write, nothing may ask for a value of them.
  const fields = live.schema?.fields ?? [];
  // The versions of before 0.2 are a step's own to convert.
  const old = hasOldVersions(fields) ? fields.filter(({ name }) => name === VERSIONS_COLUMN.name) : [];
  const diff = diffSchema(fields, [...spec.fields, ...old], spec.role === "updates" ? "foreign" : "own");
  if (diff.faults.length > 0)
    throw new CommandError(diff.faults.map((fault) => `${name}: ${fault}`).join("\n"));
  const notes = [...layoutNotes(live, spec), ...expirationNotes(live, spec), ...diff.notes];
  if (diff.changes.length === 0) return { kind: "table", name, action: "none", changes: [], notes };
  return {
    kind: "table",
    name,
    action: "extend",
    changes: diff.changes,
    notes,
    apply: async () => {
      await table.setMetadata({ schema: { fields: [...diff.fields] } });
    },
  };
}

/** The step that makes a table that is not there. */
export function creation(warehouse: Warehouse, spec: TableSpec): Step {
  const layout = [
    `${spec.fields.length} columns`,
    ...(spec.partitionBy === undefined ? [] : [`partitioned by day of ${spec.partitionBy}`]),
    ...(spec.clusterBy.length === 0 ? [] : [`clustered by ${spec.clusterBy.join(", ")}`]),
  ];
  return {
    kind: "table",
    name: placeText(spec),
    action: "create",
    changes: layout,
    notes: [],
    apply: async () => {
      await ignoreExisting(async () => {
        await warehouse.client.dataset(spec.dataset).createTable(spec.table, {
          description: spec.description,
          schema: { fields: [...spec.fields] },
          ...(spec.partitionBy === undefined
            ? {}
            : { timePartitioning: { type: "DAY", field: spec.partitionBy } }),
          ...(spec.clusterBy.length === 0 ? {} : { clustering: { fields: [...spec.clusterBy] } }),
        });
        await keep(warehouse, spec);
      });
    },
  };
}

/**
 * Takes from a table that was just made what its dataset lets tables and partitions expire by. Only ALTER does: in CREATE a NULL counts as not given
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_table_set_options_statement).
 */
export async function keep(warehouse: Warehouse, place: Place): Promise<void> {
  const live = await findTable(tableOf(warehouse, place));
  const options = [
    ...(live?.expirationTime === undefined ? [] : ["expiration_timestamp = NULL"]),
    ...(live?.timePartitioning?.expirationMs === undefined ? [] : ["partition_expiration_days = NULL"]),
  ];
  if (options.length === 0) return;
  await warehouse.client.query(
    `ALTER TABLE ${sqlName(warehouse, place)} SET OPTIONS (${options.join(", ")})`,
  );
}

/** What of a table will be gone one day, and how to keep it. */
function expirationNotes(
  { expirationTime, timePartitioning }: TableMetadataFound,
  { unions = [] }: TableSpec,
): readonly string[] {
  const days = Number(timePartitioning?.expirationMs ?? 0) / 86_400_000;
  const taken = unions.length === 0 ? "" : `, and a late delete or clear takes it from ${unions.join(", ")}`;
  return [
    ...(expirationTime === undefined
      ? []
      : [
          `expires on ${new Date(Number(expirationTime)).toISOString()}: ALTER TABLE … SET OPTIONS (expiration_timestamp = NULL) keeps it`,
        ]),
    ...(days === 0
      ? []
      : [
          `its partitions expire after ${days} day${days === 1 ? "" : "s"}: a rebuild forgets what they said${taken}; ALTER TABLE … SET OPTIONS (partition_expiration_days = NULL) keeps them`,
        ]),
  ];
}

/** Partitioning cannot be changed in place: to say so is all that can be done. */
function layoutNotes(live: TableMetadataFound, spec: TableSpec): readonly string[] {
  const partition = partitionOf(live);
  const cluster = (live.clustering?.fields ?? []).join(", ");
  return [
    ...(partition === spec.partitionBy
      ? []
      : [
          `partitioned by ${partition ?? "nothing"}, not ${spec.partitionBy ?? "nothing"}: copy it to a new table to change that`,
        ]),
    ...(cluster === spec.clusterBy.join(", ")
      ? []
      : [`clustered by ${cluster || "nothing"}, not ${spec.clusterBy.join(", ") || "nothing"}`]),
  ];
}

/** Two runs of `init` at once both succeed: the second one's creation finds the first one's work. */
export async function ignoreExisting(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 409) throw error;
  }
}
