import path from "node:path";
import { z } from "zod";
import { type Environment, parseEnvironments } from "./config.ts";
import { datasetIn } from "./environments.ts";
import { wrongUsage } from "./errors.ts";
import { parseJson, withPlaces } from "./json.ts";
import { PROJECT_ID } from "./names.ts";
import { suggest } from "./near.ts";
import { show } from "./problems.ts";
import { type ReadProjectFile, readFolder, readInput } from "./read-file.ts";
import { say, validate } from "./validate.ts";

/** Where the project's tables live, as `dataform.json` says. */
export interface Settings {
  readonly projectId: string;
  readonly dataset: string;
  readonly assertionDataset: string;
  readonly location: string;
}

/** The settings of a project and the folder that it stands in. */
export interface Project extends Settings {
  /** The folder that holds `dataform.json`. */
  readonly root: string;
  /** The environment that `--env` names; undefined for the place that `dataform.json` says. */
  readonly environment?: Environment;
}

const FILE = "dataform.json";

const projectId = z
  .string({ error: ({ input }) => fault(input, 'the Google Cloud project, such as "my-project"') })
  .regex(PROJECT_ID, {
    error: ({ input }) =>
      say(
        `${show(input)} is not a project's id`,
        'write its id, such as "my-project", not the name that people gave it',
      ),
  });

const dataset = (what: string) =>
  z.string({ error: ({ input }) => fault(input, what) }).regex(/^[A-Za-z0-9_]{1,1024}$/, {
    error: ({ input }) =>
      say(`${show(input)} is not a dataset's name`, "use letters, digits and underscores, such as analytics"),
  });

/** What makes of one project several environments; Dataform's own runs know them, and only by compilation overrides. */
const environment = z
  .literal("", {
    error: () =>
      say(
        "would make every run one of another environment",
        'leave it out, and name the environment in entities.json: "environments": {"dev": {"schemaSuffix": "dev"}}',
      ),
  })
  .optional();

const settings = z
  .looseObject(
    {
      defaultDatabase: projectId,
      defaultSchema: dataset('the dataset of all entities that name none, such as "analytics"'),
      assertionSchema: dataset('the dataset of assertions, such as "analytics"').optional(),
      defaultLocation: z
        .string({ error: ({ input }) => fault(input, 'where the datasets are, such as "EU"') })
        .min(1, { error: () => say("is empty", 'write where the datasets are, such as "EU"') })
        .default("US"),
      databaseSuffix: environment,
      schemaSuffix: environment,
      tablePrefix: environment,
    },
    {
      error: ({ input }) =>
        fault(input, '{"defaultDatabase": "my-project", "defaultSchema": "analytics", …}'),
    },
  )
  .transform(
    (given): Settings => ({
      projectId: given.defaultDatabase,
      dataset: given.defaultSchema,
      assertionDataset: given.assertionSchema ?? given.defaultSchema,
      location: given.defaultLocation,
    }),
  );

/** Reads `dataform.json`, the one place that names project, dataset and location. */
export async function readSettings(read: ReadProjectFile): Promise<Settings> {
  const text = await readInput(read, FILE);
  return withPlaces(new Map([[FILE, text]]), () => validate(settings, parseJson(text, FILE), FILE));
}

/** The same from a folder, in one of its environments; throws where it has none of this name. */
export async function readProject(root: string, environment?: string): Promise<Project> {
  const read = readFolder(root);
  const settings = await readSettings(read);
  const folder = path.resolve(root);
  if (environment === undefined) return { root: folder, ...settings };
  const all = parseEnvironments(await readInput(read, "entities.json"), "entities.json");
  const found = all.find(({ name }) => name === environment);
  if (found === undefined) {
    const names = all.map(({ name }) => name);
    throw wrongUsage(
      `--env ${environment}: entities.json has no such environment; ${suggest(environment, names)}`,
    );
  }
  return { root: folder, ...settingsIn(settings, found), environment: found };
}

/** Where an environment's tables are, from where `dataform.json` says that the project's are; Dataform appends a suffix with an underscore. */
function settingsIn(settings: Settings, environment: Environment): Settings {
  return {
    ...settings,
    projectId: environment.defaultDatabase ?? settings.projectId,
    dataset: datasetIn(settings.dataset, environment),
    assertionDataset: datasetIn(settings.assertionDataset, environment),
  };
}

function fault(input: unknown, right: string): string {
  return say(input === undefined ? "missing" : `${show(input)} does not fit`, `write ${right}`);
}
