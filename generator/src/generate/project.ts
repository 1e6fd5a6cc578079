import { type EntityConfig, parseConfig } from "../project/config.ts";
import { withPlaces } from "../project/json.ts";
import { InputError, type Problem } from "../project/problems.ts";
import { parseSchema } from "../project/schema.ts";
import { includedFiles } from "./merge-sql.ts";
import { buildModel, type EntityModel, placeOf, placeText } from "./model.ts";
import { renderFiles } from "./render.ts";
import { renderUsualRuns, USUAL_RUNS_FILE } from "./usual-runs.ts";

/** What a project has beside entities.json and the schemas. */
export interface ProjectSettings {
  /** The dataset of entities that name none: `defaultSchema` of dataform.json. */
  readonly defaultDataset: string;
  /** The configuration's name in errors. */
  readonly configFile: string;
}

const DEFAULTS: ProjectSettings = { defaultDataset: "analytics", configFile: "entities.json" };

/**
 * The whole generator, without a disk: entities.json and the schemas, by the path under which entities.json names them, to
 * the files of the Dataform project. Throws an InputError that lists every fault.
 */
export function generateProject(
  entitiesConfig: unknown,
  schemasByPath: ReadonlyMap<string, string>,
  settings: Partial<ProjectSettings> = {},
): ReadonlyMap<string, string> {
  const files = new Map(includedFiles());
  const models = buildModels(entitiesConfig, schemasByPath, settings);
  for (const model of models) {
    for (const [path, text] of renderFiles(model)) files.set(path, text);
  }
  files.set(USUAL_RUNS_FILE, renderUsualRuns(models.map(({ config }) => config)));
  return files;
}

/** Checks the input and describes each entity; throws an InputError that lists every fault. */
export function buildModels(
  entitiesConfig: unknown,
  schemasByPath: ReadonlyMap<string, string>,
  settings: Partial<ProjectSettings> = {},
): readonly EntityModel[] {
  const { defaultDataset, configFile } = { ...DEFAULTS, ...settings };
  const source = typeof entitiesConfig === "string" ? entitiesConfig : JSON.stringify(entitiesConfig);
  const sources = new Map([...schemasByPath, [configFile, source]]);
  return withPlaces(sources, () => buildAll(source, configFile, schemasByPath, defaultDataset));
}

function buildAll(
  source: string,
  configFile: string,
  schemasByPath: ReadonlyMap<string, string>,
  defaultDataset: string,
): readonly EntityModel[] {
  const problems: Problem[] = [];
  const models: EntityModel[] = [];
  for (const entity of parseConfig(source, configFile)) {
    try {
      models.push(buildEntity(entity, schemasByPath, defaultDataset));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(...error.problems);
    }
  }
  problems.push(...findCollisions(models));
  if (problems.length > 0) throw new InputError(problems);
  return withoutTwinDeclarations(models);
}

/** One table is declared once: by the first entity that reads it, and not where an entity makes it. */
function withoutTwinDeclarations(models: readonly EntityModel[]): readonly EntityModel[] {
  const known = new Set(
    models.flatMap(({ source, dataset, tables }) =>
      Object.entries(tables).flatMap(([role, table]) =>
        role === "updates" && source !== undefined ? [] : [`${dataset}.${table}`],
      ),
    ),
  );
  return models.map((model) => {
    if (model.source === undefined) return model;
    const place = placeText(placeOf(model, "updates"));
    const declaresUpdates = !known.has(place);
    known.add(place);
    return { ...model, declaresUpdates };
  });
}

function buildEntity(
  entity: EntityConfig,
  schemasByPath: ReadonlyMap<string, string>,
  defaultDataset: string,
): EntityModel {
  const text = schemasByPath.get(entity.schema);
  if (text === undefined) {
    throw new InputError([
      {
        file: entity.file,
        path: `${entity.path}.schema`,
        wrong: `there is no file ${JSON.stringify(entity.schema)}`,
        right: "name the schema's file, relative to this one",
      },
    ]);
  }
  return buildModel(entity, parseSchema(text, entity.schema), defaultDataset);
}

/** Two actions cannot make one table; names that differ in case only would share a file on some disks. */
function findCollisions(models: readonly EntityModel[]): readonly Problem[] {
  const owners = new Map<string, string>();
  const problems: Problem[] = [];
  for (const model of models) {
    for (const [role, table] of Object.entries(model.tables)) {
      if (role === "updates" && model.source !== undefined) continue;
      const target = `${model.dataset}.${table}`.toLowerCase();
      const owner = owners.get(target);
      if (owner !== undefined) {
        problems.push({
          file: model.config.file,
          path: model.config.path,
          wrong: `its ${role} would be ${model.dataset}.${table}, which is already ${owner}`,
          right: "choose another name for the entity or in tables",
        });
      }
      owners.set(target, `the ${role} of ${model.name}`);
    }
  }
  return problems;
}
