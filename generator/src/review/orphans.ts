import type { EntityModel } from "../generate/model.ts";
import { modelIn } from "../generate/model.ts";
import { ACTION_SUFFIXES, DELETE_SUFFIXES } from "../generate/own-tables.ts";
import { buildModels } from "../generate/project.ts";
import { parseEnvironments } from "../project/config.ts";
import { CommandError, isNotFound } from "../project/errors.ts";
import type { ProjectInput } from "../project/load-project.ts";
import { findTable, tableOf, type Warehouse } from "../warehouse/client.ts";
import { statementsToMove } from "./entity-changes.ts";
import { readMeaningAt } from "./meaning.ts";
import { isMoved } from "./moves.ts";

/** Tables of an entity that entities.json does not have: it was renamed, moved or taken out. */
export interface Orphan {
  /** The entity's name, as its tables have it. */
  readonly name: string;
  readonly dataset: string;
  readonly tables: readonly string[];
  /** The entity, as it stood when a run last merged by it; undefined where nothing is kept of that. */
  readonly model?: EntityModel;
}

const SUFFIXES = Object.values({ ...ACTION_SUFFIXES, ...DELETE_SUFFIXES });

/** Looks for such tables in the project's own datasets, by their watermarks; in an environment there are none to look for. */
export async function findOrphans(warehouse: Warehouse, input: ProjectInput): Promise<readonly Orphan[]> {
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
  return found.flat(2);
}

/** Throws where an entity's first run would not know whom its tables, under another name, remember as deleted (R10). */
export async function refuseLostDeletes(
  warehouse: Warehouse,
  orphans: readonly Orphan[],
  model: EntityModel,
): Promise<void> {
  for (const { model: before, tables, dataset } of orphans) {
    const tombstones = before?.tables.tombstones;
    if (before === undefined || tombstones === undefined || !tables.includes(tombstones)) continue;
    if (model.deletes === undefined || !isMoved(before, model)) continue;
    const live = await findTable(tableOf(warehouse, { dataset, table: tombstones }));
    if (Number(live?.numRows ?? 0) === 0) continue;
    const { projectId } = warehouse.project;
    throw new CommandError(
      `${model.name}: ${dataset}.${tombstones} remembers who was deleted, and a run without would bring them back with their next late row; first run ${statementsToMove(before, model, projectId).join(" ")} and npm run init, or drop it if ${before.name} and ${model.name} are not the same users`,
    );
  }
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
  return [{ name, dataset, tables: others.filter((table) => known.has(table)), model }];
}
