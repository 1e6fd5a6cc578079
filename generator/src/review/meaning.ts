import { type EntityModel, placeText } from "../generate/model.ts";
import { buildModels } from "../generate/project.ts";
import type { ProjectInput } from "../project/load-project.ts";
import { InputError, isObject } from "../project/problems.ts";
import { findTable, tableOf, type Warehouse } from "../warehouse/client.ts";
import type { EntityChanges, Need } from "./changes.ts";
import { compareEntities } from "./entity-changes.ts";

/**
 * What decides the meaning of final (key, clocks, policies, clears, deletes, fields) is kept beside the watermark, as the entity and its
 * schema stood when a run last merged by them. A run by others would make final a mixture of two meanings.
 */
const COLUMN = "meaning";

/** What an entity means now, against what its tables were made by. */
export interface MeaningChange {
  readonly model: EntityModel;
  readonly changes: EntityChanges["changes"];
  /** What must be done before a run may go on, of the steps that a run cannot do by itself. */
  readonly due: "nothing" | "acceptance" | "rebuild" | "fix";
}

/** Compares the entities with what their tables were made by; those of which nothing is kept yet count as unchanged. */
export async function findMeaningChanges(
  warehouse: Warehouse,
  input: ProjectInput,
  models: readonly EntityModel[],
): Promise<readonly MeaningChange[]> {
  const found = await Promise.all(
    models.map(async (model) => {
      const kept = await readMeaning(warehouse, model);
      const before = kept === undefined ? undefined : modelOf(kept);
      if (kept === meaningOf(input, model) || before === undefined) return [];
      const after = model.base ?? model;
      const [compared] = compareEntities([before], [after], warehouse.project.projectId);
      const changes = compared?.changes ?? [];
      return [{ model, changes, due: dueOf(before, after, changes) }];
    }),
  );
  return found.flat();
}

/**
 * The heaviest of what the changes ask for that no run does by itself. By hand is what concerns options: deleted users that would come
 * back, updates that must be copied; what is to be done for a field, `init` and reviewers see to.
 */
export function dueOf(
  before: EntityModel,
  after: EntityModel,
  changes: EntityChanges["changes"],
): MeaningChange["due"] {
  const has = (step: Need["step"]) => changes.some(({ needs }) => needs.some((need) => need.step === step));
  if (has("fix")) return "fix";
  if (has("rebuild")) return "rebuild";
  const dropsDeletes = before.deletes !== undefined && after.deletes === undefined;
  const [old, now] = [before, after].map(({ source, tables }) =>
    source === undefined ? tables.updates : placeText(source),
  );
  return dropsDeletes || old !== now ? "acceptance" : "nothing";
}

/** Keeps what an entity means beside its watermark, where it has one. */
export async function keepMeaning(
  warehouse: Warehouse,
  input: ProjectInput,
  model: EntityModel,
): Promise<void> {
  const meaning = meaningOf(input, model);
  if (!(await hasWatermark(warehouse, model)) || (await readMeaning(warehouse, model)) === meaning) return;
  const table = watermarkOf(warehouse, model);
  const description = "What decides the meaning of final: the entity and its schema.";
  await warehouse.client.query(
    `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${COLUMN} STRING OPTIONS(description='${description}')`,
  );
  await warehouse.client.query({
    query: `UPDATE ${table} SET ${COLUMN} = @meaning WHERE TRUE`,
    params: { meaning },
  });
}

async function hasWatermark(warehouse: Warehouse, model: EntityModel): Promise<boolean> {
  const place = { dataset: model.dataset, table: model.tables.watermark };
  return (await findTable(tableOf(warehouse, place))) !== undefined;
}

/** The entity by which a watermark's final was last made; undefined where nothing is kept that this version can read. */
export async function readMeaningAt(warehouse: Warehouse, place: Place): Promise<EntityModel | undefined> {
  const kept = await readKept(warehouse, place);
  return kept === undefined ? undefined : modelOf(kept);
}

function readMeaning(warehouse: Warehouse, { dataset, tables }: EntityModel): Promise<string | undefined> {
  return readKept(warehouse, { dataset, table: tables.watermark });
}

type Place = { readonly dataset: string; readonly table: string };

async function readKept(warehouse: Warehouse, place: Place): Promise<string | undefined> {
  const live = await findTable(tableOf(warehouse, place));
  if (!(live?.schema?.fields ?? []).some(({ name }) => name === COLUMN)) return undefined;
  const table = `\`${warehouse.project.projectId}.${place.dataset}.${place.table}\``;
  const [rows] = await warehouse.client.query(`SELECT ${COLUMN} FROM ${table}`);
  const kept: unknown = (rows as Record<string, unknown>[])[0]?.[COLUMN];
  return typeof kept === "string" ? kept : undefined;
}

function watermarkOf({ project }: Warehouse, { dataset, tables }: EntityModel): string {
  return `\`${project.projectId}.${dataset}.${tables.watermark}\``;
}

/** The entity as entities.json has it, with its dataset, and its schema. */
function meaningOf(input: ProjectInput, model: EntityModel): string {
  const { entities } = JSON.parse(input.config) as { entities: { name: string }[] };
  const { dataset } = model.base ?? model;
  const entity = { ...entities.find(({ name }) => name === model.name), dataset };
  const schema: unknown = JSON.parse(input.schemas.get(model.schemaFile) ?? "null");
  return JSON.stringify({ entity, schema });
}

/** The model of a kept meaning; undefined where this version of the tool cannot read it. */
function modelOf(kept: string): EntityModel | undefined {
  try {
    const meaning: unknown = JSON.parse(kept);
    if (!isObject(meaning) || !isObject(meaning.entity)) return undefined;
    const schemas = new Map([[String(meaning.entity.schema), JSON.stringify(meaning.schema)]]);
    return buildModels({ entities: [meaning.entity] }, schemas)[0];
  } catch (error) {
    if (error instanceof InputError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
