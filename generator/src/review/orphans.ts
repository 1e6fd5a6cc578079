import type { EntityModel } from "../generate/model.ts";
import { modelIn, placeOf } from "../generate/model.ts";
import { ACTION_SUFFIXES, DELETE_SUFFIXES } from "../generate/own-tables.ts";
import { buildModels } from "../generate/project.ts";
import { parseEnvironments } from "../project/config.ts";
import { CommandError, codeOf, isNotFound } from "../project/errors.ts";
import type { ProjectInput } from "../project/load-project.ts";
import { findTable, sqlName, tableOf, type Warehouse } from "../warehouse/client.ts";
import { statementsToMove } from "./entity-changes.ts";
import { readMeaningAt } from "./meaning.ts";
import { createDataset, isAlike, isMoved } from "./moves.ts";

/** Tables of an entity that entities.json does not have, or not there: it was renamed, moved or taken out. */
export interface Orphan {
  /** The entity's name, as its tables have it. */
  readonly name: string;
  readonly dataset: string;
  /** Whether the dataset is none of the project's: it is then an entity of the same name, maybe another project's. */
  readonly isElsewhere: boolean;
  readonly tables: readonly string[];
  /** The entity, as it stood when a run last merged by it; undefined where nothing is kept of that. */
  readonly model?: EntityModel;
}

const SUFFIXES = Object.values({ ...ACTION_SUFFIXES, ...DELETE_SUFFIXES });

/**
 * Looks for such tables by their watermarks: in the project's own datasets, and for entities that are `beginning`, of which no run has
 * been where they are, in all others at the same location. In an environment there are none to look for.
 */
export async function findOrphans(
  warehouse: Warehouse,
  input: ProjectInput,
  beginning: readonly EntityModel[],
): Promise<readonly Orphan[]> {
  if (warehouse.project.environment !== undefined) return [];
  const { config, schemas, defaultDataset } = input;
  const models = buildModels(config, schemas, { defaultDataset });
  const places = [undefined, ...parseEnvironments(config, "entities.json")].flatMap((environment) =>
    models.map((model) => modelIn(model, environment)),
  );
  const isOwn = (dataset: string, table: string): boolean =>
    places.some((model) => model.dataset === dataset && Object.values(model.tables).includes(table));
  const datasets = [...new Set([defaultDataset, ...models.map(({ dataset }) => dataset)])];
  const found = await Promise.all(
    datasets.map(async (dataset) => {
      const names = await tableNames(warehouse, dataset);
      const marks = names.filter((name) => name.endsWith(ACTION_SUFFIXES.watermark) && !isOwn(dataset, name));
      return Promise.all(
        marks.map((mark) =>
          readOrphan(
            warehouse,
            dataset,
            mark,
            names.filter((name) => !isOwn(dataset, name)),
          ),
        ),
      );
    }),
  );
  return [
    ...found.flat(2),
    ...(await findElsewhere(warehouse, beginning, [...datasets, ...places.map(({ dataset }) => dataset)])),
  ];
}

/** The tables of these entities in datasets that are none of the project's. */
async function findElsewhere(
  warehouse: Warehouse,
  models: readonly EntityModel[],
  own: readonly string[],
): Promise<readonly Orphan[]> {
  if (models.length === 0) return [];
  const others = (await datasetNames(warehouse)).filter((dataset) => !own.includes(dataset));
  const found: Orphan[] = [];
  for (const dataset of others) {
    const orphans = models.map(async ({ tables: { watermark } }) => {
      if ((await findTable(tableOf(warehouse, { dataset, table: watermark }))) === undefined) return [];
      return readOrphan(warehouse, dataset, watermark, await tableNames(warehouse, dataset));
    });
    const elsewhere = (await Promise.all(orphans)).flat();
    found.push(...elsewhere.map((orphan) => ({ ...orphan, isElsewhere: true })));
  }
  return found;
}

/** The datasets of the project at its location; none where they may not be listed. */
async function datasetNames({ client, project }: Warehouse): Promise<readonly string[]> {
  const [datasets] = await client.getDatasets().catch((error: unknown) => {
    if (codeOf(error) === 403) return [[]];
    throw error;
  });
  const isNear = ({ location = project.location }: { location?: string }) =>
    location.toLowerCase() === project.location.toLowerCase();
  return datasets.filter(({ metadata }) => isNear(metadata)).map(({ id }) => String(id));
}

/** The tables that an entity would leave behind where it begins anew: its own by another name, or in another dataset. */
function formerTables(
  orphans: readonly Orphan[],
  model: EntityModel,
): readonly (Orphan & { readonly model: EntityModel })[] {
  return orphans.flatMap((orphan) => {
    const { model: before, isElsewhere } = orphan;
    if (before === undefined || !isMoved(before, model)) return [];
    return isElsewhere && before.name !== model.name ? [] : [{ ...orphan, model: before }];
  });
}

/** What would be left behind, and the statements that take it along, one line for each place. */
export function describeFormer(
  { project: { projectId, location } }: Warehouse,
  orphans: readonly Orphan[],
  model: EntityModel,
): readonly string[] {
  return formerTables(orphans, model).map(({ name, dataset, model: before, isElsewhere }) => {
    const moving = `first run ${statementsToMove(before, model, projectId, location).join(" ")}`;
    return isElsewhere
      ? `${model.name}: ${dataset} has tables of an entity ${name} too: if they are another project's, all is well; if this entity moves here from there, the first run would begin with an empty final: stop the schedule and ${moving}`
      : `${model.name}: the tables of ${name} in ${dataset} stay behind, and the first run begins with an empty final; where they are of the same users, stop the schedule and ${moving}`;
  });
}

/** Throws where a run would begin anew beside tables that are the entity's own; `npm run init` is how somebody says that it is to. */
export async function refuseBeginning(
  warehouse: Warehouse,
  orphans: readonly Orphan[],
  model: EntityModel,
): Promise<void> {
  const [former] = describeFormer(warehouse, orphans, model);
  if (former === undefined) return;
  if ((await findTable(tableOf(warehouse, placeOf(model, "watermark")))) !== undefined) return;
  throw new CommandError(`${former} Then, or to begin anew, run npm run init`);
}

/**
 * The entities whose first run would not know whom their tables, under another name or elsewhere, remember as deleted (R10), with both
 * ways to go on: nothing but people can tell a move from another project's tables of the same form.
 */
export async function findLostDeletes(
  warehouse: Warehouse,
  orphans: readonly Orphan[],
  models: readonly EntityModel[],
): Promise<ReadonlyMap<EntityModel, string>> {
  const all = await Promise.all(
    models.map(async (model) => [model, await describeLost(warehouse, orphans, model)] as const),
  );
  return new Map(all.flatMap(([model, text]) => (text === undefined ? [] : [[model, text]])));
}

/** Throws where there are any. */
export function refuseLostDeletes(lost: ReadonlyMap<EntityModel, string>): void {
  if (lost.size > 0) throw new CommandError([...lost.values()].join("\n"));
}

async function describeLost(
  warehouse: Warehouse,
  orphans: readonly Orphan[],
  model: EntityModel,
): Promise<string | undefined> {
  if (model.deletes === undefined) return undefined;
  const { projectId, location } = warehouse.project;
  for (const { model: before, tables, dataset, isElsewhere } of formerTables(orphans, model)) {
    const { tombstones } = before.tables;
    if (tombstones === undefined || !tables.includes(tombstones)) continue;
    if (isElsewhere && !isAlike(before, model)) continue;
    const live = await findTable(tableOf(warehouse, { dataset, table: tombstones }));
    if (Number(live?.numRows ?? 0) === 0) continue;
    const to = { dataset: model.dataset, table: model.tables.tombstones ?? "" };
    const own = await findTable(tableOf(warehouse, to));
    const isMadeSince = Number(own?.creationTime) > Number(live?.lastModifiedTime);
    if (own !== undefined && (isElsewhere || isMadeSince)) continue;
    const from = { dataset, table: tombstones };
    const apart = [
      ...(dataset === model.dataset ? [] : [createDataset(projectId, model.dataset, location)]),
      `CREATE TABLE ${sqlName(warehouse, to)} LIKE ${sqlName(warehouse, from)};`,
    ];
    return [
      `${model.name}: ${dataset}.${tombstones} remembers who was deleted; nothing was changed, since only you can say whose it is:`,
      `- this entity's, which moves from there: without, the next late row of a deleted user would bring them back. Stop the schedule, first run ${statementsToMove(before, model, projectId, location).join(" ")} and npm run init`,
      `- others': tables of the same form, but of other users. Begin without: ${apart.join(" ")} and npm run init`,
    ].join("\n");
  }
  return undefined;
}

async function tableNames({ client }: Warehouse, dataset: string): Promise<readonly string[]> {
  try {
    const [tables] = await client.dataset(dataset).getTables();
    return tables.map(({ id }) => String(id)).sort();
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

async function readOrphan(
  warehouse: Warehouse,
  dataset: string,
  watermark: string,
  others: readonly string[],
): Promise<readonly Orphan[]> {
  const live = await findTable(tableOf(warehouse, { dataset, table: watermark }));
  if (!(live?.schema?.fields ?? []).some(({ name }) => name === "recent_runs")) return [];
  const model = await readMeaningAt(warehouse, { dataset, table: watermark });
  const name = watermark.slice(0, -ACTION_SUFFIXES.watermark.length);
  const known = new Set([
    ...SUFFIXES.map((suffix) => `${name}${suffix}`),
    ...Object.values(model?.tables ?? {}),
  ]);
  return [{ name, dataset, isElsewhere: false, tables: others.filter((table) => known.has(table)), model }];
}
