import type { TableField } from "@google-cloud/bigquery";
import { initialRow } from "../../generate/merge-sql.ts";
import { type EntityModel, ownsUpdates, placeOf, placeText } from "../../generate/model.ts";
import { DESCRIPTIONS } from "../../generate/own-tables.ts";
import { CommandError, isNotFound } from "../../project/errors.ts";
import { findTable, sqlName, tableOf, type Warehouse } from "../client.ts";
import { refuseObstacles } from "../obstacles.ts";
import { convertVersions, hasOldVersions } from "../old-versions.ts";
import { diffSchema } from "../schema-diff.ts";
import { logSpecs, type TableSpec, tableSpecs } from "../tables.ts";
import { alignWholeRecords, findMisalignedRecord } from "../whole-records.ts";
import { planArrivalDays } from "./arrival-days.ts";
import { planCredentialsFile } from "./credentials-file.ts";
import { refuseForeignUpdates, refuseHistory } from "./refusals.ts";
import { planRowPolicies } from "./row-policies.ts";
import type { Step } from "./step.ts";
import { creation, ignoreExisting, keep, planTable } from "./table.ts";

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
    steps.push(...(await planArrivalDays(warehouse, model)));
    if (!isNew)
      steps.push(
        ...(await planVersions(warehouse, model)),
        ...(await planLog(warehouse, model)),
        ...(await planRowPolicies(warehouse, model)),
      );
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

/**
 * Throws when a table lacks a column that the schema has, or what guards one: a run adds top-level columns by itself, but cannot reach into
 * RECORDs and `_versions`, nor put a policy tag on a column, in which it would leave values unguarded.
 */
export async function refuseUnextended(
  warehouse: Warehouse,
  entities: readonly EntityModel[],
): Promise<void> {
  const specs: TableSpec[] = [];
  for (const model of entities) {
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
    const added = step.changes.filter((change) => change.startsWith("+") || / guarded by /.test(change));
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
