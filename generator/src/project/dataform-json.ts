import path from "node:path";
import { z } from "zod";
import { type Environment, parseEnvironments } from "./config.ts";
import { datasetIn } from "./environments.ts";
import { wrongUsage } from "./errors.ts";
import { parseJson, withPlaces } from "./json.ts";
import { PROJECT_ID } from "./names.ts";
import { findNear, suggest } from "./near.ts";
import { InputError, isObject, show } from "./problems.ts";
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

/** A multi-region, a region, or another cloud's (https://cloud.google.com/bigquery/docs/locations): their form, since there are ever new ones. */
const LOCATION = /^([a-z]{2}|[a-z]+(-[a-z]+)+\d+|aws(-[a-z]+)+-\d+|azure-[a-z]+\d*)$/i;

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

const settingShape = {
  defaultDatabase: projectId,
  defaultSchema: dataset('the dataset of all entities that name none, such as "analytics"'),
  assertionSchema: dataset('the dataset of assertions, such as "analytics"').optional(),
  defaultLocation: z
    .string({ error: ({ input }) => fault(input, 'where the datasets are, such as "EU"') })
    .regex(LOCATION, {
      error: ({ input }) =>
        input === ""
          ? say("is empty", 'write where the datasets are, such as "EU"')
          : say(
              `${show(input)} is not a location`,
              'write a multi-region, such as "EU", or a region, such as "europe-west1"',
            ),
    })
    .default("US"),
  databaseSuffix: environment,
  schemaSuffix: environment,
  tablePrefix: environment,
};

const settings = z
  .looseObject(settingShape, {
    error: ({ input }) => fault(input, '{"defaultDatabase": "my-project", "defaultSchema": "analytics", …}'),
  })
  .transform(
    (given): Settings => ({
      projectId: given.defaultDatabase,
      dataset: given.defaultSchema,
      assertionDataset: given.assertionSchema ?? given.defaultSchema,
      location: given.defaultLocation,
    }),
  );

/** What is wrong with one setting of a `dataform.json` that is to be; undefined where nothing is. */
export function settingProblem(
  name: "defaultDatabase" | "defaultSchema" | "defaultLocation",
  value: string,
): string | undefined {
  try {
    validate(settings, { defaultDatabase: "p", defaultSchema: "d", [name]: value }, FILE);
    return undefined;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.map(({ wrong, right }) => `${wrong}; ${right}`).join("; ");
  }
}

/** Dataform has settings that are none of ours, so that of others only a slip in one of ours is told. */
function refuseSlips(json: unknown): void {
  const names = Object.keys(settingShape);
  const problems = Object.keys(isObject(json) ? json : {}).flatMap((path) => {
    const near = names.includes(path) ? undefined : findNear(path, names);
    return near === undefined
      ? []
      : [{ file: FILE, path, wrong: "unknown setting", right: `did you mean ${near}?` }];
  });
  if (problems.length > 0) throw new InputError(problems);
}

/** Reads `dataform.json`, the one place that names project, dataset and location. */
export async function readSettings(read: ReadProjectFile): Promise<Settings> {
  const text = await readInput(read, FILE);
  return withPlaces(new Map([[FILE, text]]), () => {
    const json = parseJson(text, FILE);
    refuseSlips(json);
    return validate(settings, json, FILE);
  });
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
