import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { TableField } from "@google-cloud/bigquery";
import { credentialsText } from "../dataform/credentials.ts";
import { initialRow } from "../generate/merge-sql.ts";
import { type EntityModel, ownsUpdates, type Place, placeOf, placeText } from "../generate/model.ts";
import { DESCRIPTIONS } from "../generate/own-tables.ts";
import { CommandError, isNotFound } from "../project/errors.ts";
import { unusableFile } from "../project/problems.ts";
import { findTable, sqlName, type TableMetadataFound, tableOf, type Warehouse } from "./client.ts";
import { refuseObstacles } from "./obstacles.ts";
import { convertVersions, hasOldVersions } from "./old-versions.ts";
import { diffSchema } from "./schema-diff.ts";
import { logSpecs, type TableSpec, tableSpecs } from "./tables.ts";
import { alignWholeRecords, findMisalignedRecord } from "./whole-records.ts";

/** One thing that `init` finds in order, or makes so. */
export interface Step {
  readonly kind: "dataset" | "table" | "file";
  readonly name: string;
  readonly action: "create" | "extend" | "none";
  /** What is created or changed, one line each. */
  readonly changes: readonly string[];
  /** What stays although the schema says otherwise. */
  readonly notes: readonly string[];
  /** Does it; absent where nothing is to be done. */
  readonly apply?: () => Promise<void>;
}

/** Compares BigQuery with what the entities need; changes nothing. Throws when something cannot be made right. */
export async function planInit(
  warehouse: Warehouse,
  entities: readonly EntityModel[],
): Promise<readonly Step[]> {
  const { project } = warehouse;
  const datasets = [
    ...new Set([project.dataset, project.assertionDataset, ...entities.map((entity) => entity.dataset)]),
  ];
  const steps: Step[] = [];
  for (const dataset of datasets) steps.push(await planDataset(warehouse, dataset));
  const newDatasets = new Set(steps.filter((step) => step.action === "create").map((step) => step.name));
  for (const model of entities) {
    const isNew = newDatasets.has(model.dataset);
    if (!isNew) await refuseObstacles(warehouse, model);
    await refuseForeignUpdates(warehouse, model);
    if (model.readsCommits) await refuseHistory(warehouse, model);
    const specs = isNew ? tableSpecs(model) : (await alignedSpecs(warehouse, model)).specs;
    for (const spec of ownSpecs(warehouse, specs, model))
      steps.push(isNew ? creation(warehouse, spec) : await planTable(warehouse, spec));
    steps.push(...(await planWatermark(warehouse, model)));
    if (!isNew) steps.push(...(await planVersions(warehouse, model)), ...(await planLog(warehouse, model)));
  }
  // The file tells `npx dataform run` of the project's own place.
  if (project.environment === undefined) steps.push(await planCredentialsFile(warehouse));
  return steps;
}

/** The tables that are the environment's own: where it only reads the updates, they are not. */
function ownSpecs(
  { project }: Warehouse,
  specs: readonly TableSpec[],
  model: EntityModel,
): readonly TableSpec[] {
  return ownsUpdates(model, project.environment) ? specs : specs.filter(({ role }) => role !== "updates");
}

/** Throws where updates that are only read are not as the schema says, since nothing here may make or extend them. */
async function refuseForeignUpdates(warehouse: Warehouse, model: EntityModel): Promise<void> {
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
async function refuseHistory(warehouse: Warehouse, model: EntityModel): Promise<void> {
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
function refusePartitionFilter(live: TableMetadataFound, spec: TableSpec): void {
  if (spec.role !== "updates" || live.requirePartitionFilter !== true) return;
  const column = partitionOf(live);
  if (column === spec.partitionBy) return;
  const name = placeText(spec);
  throw new CommandError(
    `${name} requires a filter on ${column ?? "its partitions"}, and runs read it by ${spec.partitionBy}; ALTER TABLE ${name} SET OPTIONS (require_partition_filter = FALSE), or read it through a view that names its partitions`,
  );
}

/** An entity's tables as they should be; of updates and final, one that is missing takes its RECORDs from the other one. */
async function alignedSpecs(
  warehouse: Warehouse,
  model: EntityModel,
): Promise<{ specs: readonly TableSpec[]; isReordered: boolean }> {
  const specs = tableSpecs(model);
  const liveOf = async (role: "updates" | "final") => {
    const table = await findTable(tableOf(warehouse, placeOf(model, role)));
    return table?.schema?.fields;
  };
  const [updates, final] = [await liveOf("updates"), await liveOf("final")];
  if (updates !== undefined && final !== undefined) {
    const extended = (live: readonly TableField[], name: "updates" | "final") =>
      diffSchema(live, specs.find(({ role }) => role === name)?.fields ?? [], "foreign").fields;
    const record = findMisalignedRecord(model, extended(updates, "updates"), extended(final, "final"));
    if (record === undefined) return { specs, isReordered: false };
    throw new CommandError(
      `${model.dataset}.${model.tables.final}: ${record} lists other fields, or in another order, than in ${model.tables.updates}, and moves as one value, by position; drop ${model.tables.final} and run \`npm run init\`: the next update fills it from all history`,
    );
  }
  const other = updates ?? final;
  if (other === undefined) return { specs, isReordered: false };
  const missing = updates === undefined ? "updates" : "final";
  const aligned = specs.map((spec) =>
    spec.role === missing ? { ...spec, fields: alignWholeRecords(model, spec.fields, other) } : spec,
  );
  const isReordered = specs.some(
    (spec, index) => findMisalignedRecord(model, spec.fields, aligned[index]?.fields ?? []) !== undefined,
  );
  return { specs: aligned, isReordered };
}

/** Carries out the steps in their order: datasets before their tables. `before` is told of each, and may throw to stop. */
export async function applyInit(
  steps: readonly Step[],
  before: (step: Step, index: number) => void = () => undefined,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    before(step, index);
    await step.apply?.();
  }
}

async function planDataset(warehouse: Warehouse, name: string): Promise<Step> {
  const dataset = warehouse.client.dataset(name);
  const { location } = warehouse.project;
  try {
    const [metadata] = await dataset.getMetadata();
    const actual = String(metadata.location ?? location);
    if (actual.toLowerCase() !== location.toLowerCase()) {
      throw new CommandError(
        `dataset ${name} is in ${actual}, but dataform.json says ${location}; set $.defaultLocation to "${actual}", or choose another dataset`,
      );
    }
    return { kind: "dataset", name, action: "none", changes: [], notes: [] };
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return {
    kind: "dataset",
    name,
    action: "create",
    changes: [`in ${location}`],
    notes: [],
    apply: async () => {
      await ignoreExisting(() => dataset.create({ location }));
    },
  };
}

async function planTable(warehouse: Warehouse, spec: TableSpec): Promise<Step> {
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
  const diff = diffSchema(
    live.schema?.fields ?? [],
    spec.fields,
    spec.role === "updates" ? "foreign" : "own",
  );
  if (diff.faults.length > 0)
    throw new CommandError(diff.faults.map((fault) => `${name}: ${fault}`).join("\n"));
  const notes = [...layoutNotes(live, spec), ...expirationNotes(live), ...diff.notes];
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

/** The step that makes the watermark, which a run makes too, but not for ever where the dataset lets tables expire. */
async function planWatermark(warehouse: Warehouse, model: EntityModel): Promise<readonly Step[]> {
  const place = placeOf(model, "watermark");
  if ((await findTable(tableOf(warehouse, place))) !== undefined) return [];
  const description = DESCRIPTIONS.watermark(model.name);
  return [
    {
      kind: "table",
      name: placeText(place),
      action: "create",
      changes: ["one row: nothing is merged yet"],
      notes: [],
      apply: async () => {
        await warehouse.client.query(
          `CREATE TABLE IF NOT EXISTS ${sqlName(warehouse, place)} OPTIONS(description='${description}') AS SELECT\n  ${initialRow()}`,
        );
        await keep(warehouse, place);
      },
    },
  ];
}

/** The steps that give the watermark and the log of an earlier version the columns that they have gained since. */
async function planLog(warehouse: Warehouse, model: EntityModel): Promise<readonly Step[]> {
  const steps = await Promise.all(logSpecs(model).map((spec) => planTable(warehouse, spec)));
  return steps.flatMap((step) => {
    const notes = step.notes.filter((note) => note.startsWith("expires"));
    return step.action === "extend" || (step.action === "none" && notes.length > 0)
      ? [{ ...step, notes }]
      : [];
  });
}

/** The step that gives a final of an earlier version its versions as they are stored now; none where it has them so. */
async function planVersions(warehouse: Warehouse, model: EntityModel): Promise<readonly Step[]> {
  const { dataset, tables } = model;
  const live = await findTable(tableOf(warehouse, { dataset, table: tables.final }));
  const fields = live?.schema?.fields ?? [];
  if (!hasOldVersions(fields)) return [];
  const name = `${dataset}.${tables.final}`;
  const query = convertVersions(model, `\`${warehouse.project.projectId}.${name}\``, fields);
  return [
    {
      kind: "table",
      name,
      action: "extend",
      changes: ["stores of _versions only what differs from a base, and drops it: rewrites the table once"],
      notes: [],
      apply: async () => {
        await warehouse.client.query({ query });
      },
    },
  ];
}

function creation(warehouse: Warehouse, spec: TableSpec): Step {
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
async function keep(warehouse: Warehouse, place: Place): Promise<void> {
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

/** The column that partitions a table by time; none where nothing does. */
function partitionOf({ timePartitioning }: TableMetadataFound): string | undefined {
  return timePartitioning === undefined ? undefined : (timePartitioning.field ?? "_PARTITIONTIME");
}

/** What of a table will be gone one day, and how to keep it. */
function expirationNotes({ expirationTime, timePartitioning }: TableMetadataFound): readonly string[] {
  const days = Number(timePartitioning?.expirationMs ?? 0) / 86_400_000;
  return [
    ...(expirationTime === undefined
      ? []
      : [
          `expires on ${new Date(Number(expirationTime)).toISOString()}: ALTER TABLE … SET OPTIONS (expiration_timestamp = NULL) keeps it`,
        ]),
    ...(days === 0
      ? []
      : [
          `its partitions expire after ${days} day${days === 1 ? "" : "s"}: a rebuild forgets what they said; ALTER TABLE … SET OPTIONS (partition_expiration_days = NULL) keeps them`,
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

/** `npx dataform run` reads project and location from this file; it holds no secret and is not committed. */
async function planCredentialsFile(warehouse: Warehouse): Promise<Step> {
  const name = ".df-credentials.json";
  const file = path.join(warehouse.project.root, name);
  const wanted = credentialsText(warehouse.project);
  const actual = await readFile(file, "utf8").catch(() => undefined);
  if (actual === wanted || (actual !== undefined && !isOurs(actual))) {
    return { kind: "file", name, action: "none", changes: [], notes: [] };
  }
  return {
    kind: "file",
    name,
    action: actual === undefined ? "create" : "extend",
    changes: ["project and location for `npx dataform run`, no secret"],
    notes: [],
    apply: () =>
      writeFile(file, wanted).catch((error: unknown) => {
        throw unusableFile(name, "written", error);
      }),
  };
}

/** True for a file as we write it; one that somebody made by hand may say more, and is left alone. */
function isOurs(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    const keys = typeof parsed === "object" && parsed !== null ? Object.keys(parsed) : [];
    return keys.sort().join() === "location,projectId";
  } catch {
    return false;
  }
}

/**
 * Throws when somebody else's table is in the way, or a table lacks a column that the schema has: a run adds top-level columns by itself, but cannot reach into
 * RECORDs and `_versions`.
 */
export async function refuseUnextended(
  warehouse: Warehouse,
  entities: readonly EntityModel[],
): Promise<void> {
  const specs: TableSpec[] = [];
  for (const model of entities) {
    await refuseObstacles(warehouse, model);
    const aligned = await alignedSpecs(warehouse, model);
    if (aligned.isReordered) {
      throw new CommandError(
        `${model.dataset} lacks ${model.tables.final} or ${model.tables.updates}, whose RECORDs must list their fields as the other one does; run \`npm run init\` first`,
      );
    }
    await refuseForeignUpdates(warehouse, model);
    if (model.readsCommits) await refuseHistory(warehouse, model);
    specs.push(...ownSpecs(warehouse, aligned.specs, model), ...logSpecs(model));
  }
  for (const spec of specs) {
    const step = await planTable(warehouse, spec);
    const added = step.changes.filter((change) => change.startsWith("+"));
    if (step.action === "extend" && added.length > 0) {
      throw new CommandError(
        `${step.name} lacks ${added.map((change) => change.slice(2)).join(", ")}; run \`npm run init\` first`,
      );
    }
  }
  for (const model of entities) {
    const [step] = await planVersions(warehouse, model);
    if (step !== undefined) {
      throw new CommandError(`${step.name} has its versions in an older form; run \`npm run init\` first`);
    }
  }
}

/** Two runs of `init` at once both succeed: the second one's creation finds the first one's work. */
async function ignoreExisting(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 409) throw error;
  }
}
