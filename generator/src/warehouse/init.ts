import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { TableField } from "@google-cloud/bigquery";
import { credentialsText } from "../dataform/credentials.ts";
import { type EntityModel, placeOf } from "../generate/model.ts";
import { onlyReadsUpdates } from "../project/environments.ts";
import { CommandError, isNotFound } from "../project/errors.ts";
import { unusableFile } from "../project/problems.ts";
import { findTable, type TableMetadataFound, tableOf, type Warehouse } from "./client.ts";
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
    const specs = isNew ? tableSpecs(model) : (await alignedSpecs(warehouse, model)).specs;
    for (const spec of ownSpecs(warehouse, specs, model))
      steps.push(isNew ? creation(warehouse, spec) : await planTable(warehouse, spec));
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
  if (!onlyReadsUpdates(project.environment)) return specs;
  return specs.filter(({ table }) => table !== model.tables.updates);
}

/** Throws where an environment reads updates that are not as the schema says, since only their own environment may extend them. */
async function refuseForeignUpdates(warehouse: Warehouse, model: EntityModel): Promise<void> {
  const { environment } = warehouse.project;
  const spec = tableSpecs(model).find(({ table }) => table === model.tables.updates);
  if (!onlyReadsUpdates(environment) || spec === undefined) return;
  const step = await planTable(warehouse, spec);
  const lacks = step.changes.filter((change) => change.startsWith("+")).map((change) => change.slice(2));
  if (step.action !== "create" && lacks.length === 0) return;
  const what = step.action === "create" ? "is not there" : `lacks ${lacks.join(", ")}`;
  throw new CommandError(
    `${step.name} ${what}, and environment ${environment?.name} only reads it; run \`npm run init\` without --env first`,
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
    const extended = (live: readonly TableField[], name: string) =>
      diffSchema(live, specs.find(({ table }) => table === name)?.fields ?? []).fields;
    const record = findMisalignedRecord(
      model,
      extended(updates, model.tables.updates),
      extended(final, model.tables.final),
    );
    if (record === undefined) return { specs, isReordered: false };
    throw new CommandError(
      `${model.dataset}.${model.tables.final}: ${record} lists other fields, or in another order, than in ${model.tables.updates}, and moves as one value, by position; drop ${model.tables.final} and run \`npm run init\`: the next update fills it from all history`,
    );
  }
  const other = updates ?? final;
  if (other === undefined) return { specs, isReordered: false };
  const missing = updates === undefined ? model.tables.updates : model.tables.final;
  const aligned = specs.map((spec) =>
    spec.table === missing ? { ...spec, fields: alignWholeRecords(model, spec.fields, other) } : spec,
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
  const name = `${spec.dataset}.${spec.table}`;
  if (live.type !== undefined && live.type !== "TABLE") {
    throw new CommandError(
      `${name} exists and is a ${live.type.toLowerCase()}; drop it, or name another table in entities.json`,
    );
  }
  const diff = diffSchema(live.schema?.fields ?? [], spec.fields);
  if (diff.faults.length > 0)
    throw new CommandError(diff.faults.map((fault) => `${name}: ${fault}`).join("\n"));
  const notes = [...layoutNotes(live, spec), ...diff.notes];
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

/** The steps that give the watermark and the log of an earlier version the columns that they have gained since. */
async function planLog(warehouse: Warehouse, model: EntityModel): Promise<readonly Step[]> {
  const steps = await Promise.all(logSpecs(model).map((spec) => planTable(warehouse, spec)));
  return steps.filter(({ action }) => action === "extend").map((step) => ({ ...step, notes: [] }));
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
    name: `${spec.dataset}.${spec.table}`,
    action: "create",
    changes: layout,
    notes: [],
    apply: async () => {
      await ignoreExisting(() =>
        warehouse.client.dataset(spec.dataset).createTable(spec.table, {
          description: spec.description,
          schema: { fields: [...spec.fields] },
          ...(spec.partitionBy === undefined
            ? {}
            : { timePartitioning: { type: "DAY", field: spec.partitionBy } }),
          ...(spec.clusterBy.length === 0 ? {} : { clustering: { fields: [...spec.clusterBy] } }),
        }),
      );
    },
  };
}

/** Partitioning cannot be changed in place: to say so is all that can be done. */
function layoutNotes(live: TableMetadataFound, spec: TableSpec): readonly string[] {
  const partition = live.timePartitioning?.field;
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
