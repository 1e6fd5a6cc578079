import type { Project } from "../project/dataform-json.ts";
import { CommandError, wrongUsage } from "../project/errors.ts";
import { loadProject } from "../project/load-project.ts";
import { findNear } from "../project/near.ts";
import { type EntityModel, modelIn } from "./model.ts";
import { buildModels, generateProject } from "./project.ts";
import { compareFiles, GENERATED_FOLDERS, isGenerated } from "./write.ts";

/** The entities of the project, as the generator reads them, in the environment that the project is opened in. */
export async function readEntities({ root, environment }: EntitySource): Promise<readonly EntityModel[]> {
  const { config, schemas, defaultDataset } = await loadProject(root);
  return buildModels(config, schemas, { defaultDataset }).map((model) => modelIn(model, environment));
}

/** The project's folder, and its environment. */
type EntitySource = Pick<Project, "root" | "environment">;

/** Throws when `definitions/` is not what the schemas make: a run would keep to an older schema. */
export async function refuseStale(root: string): Promise<void> {
  const { config, schemas, defaultDataset } = await loadProject(root);
  const expected = generateProject(config, schemas, { defaultDataset });
  const differences = await compareFiles(root, GENERATED_FOLDERS, expected, isGenerated);
  const first = differences[0];
  if (first === undefined) return;
  const others = differences.length === 1 ? "" : ` (and ${differences.length - 1} more)`;
  throw new CommandError(
    `${first.path}: ${first.kind}${others}; run \`npm run generate\`, look at what it changes, and commit it`,
  );
}

/** The entity of this name. */
export function findEntity(entities: readonly EntityModel[], name: string): EntityModel {
  const entity = entities.find((candidate) => candidate.name === name);
  if (entity !== undefined) return entity;
  const names = entities.map((candidate) => candidate.name);
  const near = findNear(name, names);
  const hint = near === undefined ? `entities.json has ${names.join(", ")}` : `did you mean ${near}?`;
  throw wrongUsage(`${name}: no such entity; ${hint}`);
}
