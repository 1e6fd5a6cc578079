import { readFile } from "node:fs/promises";
import path from "node:path";
import {
  type ActionText,
  actionTexts,
  COMPILED_FOLDER,
  isCompiled,
  renderCompiled,
  SHOW_ALL,
} from "../dataform/actions.ts";
import { compileProject } from "../dataform/compiler.ts";
import type { CompiledGraph } from "../dataform/graph.ts";
import { inTemporaryProject, type ProjectFiles, readProjectFiles } from "../dataform/project-copy.ts";
import { readOwnVariables } from "../dataform/run-variables.ts";
import { compileRun } from "../dataform/selection.ts";
import { type EntityModel, modelIn } from "../generate/model.ts";
import { buildModels, generateProject } from "../generate/project.ts";
import { compareFiles, GENERATED_FOLDERS, isGenerated } from "../generate/write.ts";
import type { Environment } from "../project/config.ts";
import { overridesOf } from "../project/environments.ts";
import { messageOf } from "../project/errors.ts";
import { parseJson } from "../project/json.ts";
import { type ProjectInput, readProjectInput } from "../project/load-project.ts";
import { InputError } from "../project/problems.ts";
import { readSchedule, SCHEDULE_FILE, type Schedule } from "../schedule/description.ts";
import { readCommit } from "./git.ts";

/** One side of a review. */
export interface Side {
  readonly models: readonly EntityModel[];
  readonly actions: readonly ActionText[];
  /** What schedule.json says; undefined where there is none. */
  readonly schedule?: Schedule;
  /** `@dataform/core`'s version as package.json asks for it. */
  readonly core: string | undefined;
  /** False where no definitions were committed, and the generator installed here made them. */
  readonly hasDefinitions: boolean;
  /** What could not be read or compiled, one line each; what depends on it is empty. */
  readonly problems: readonly string[];
}

/** The side of the pull request, with what of it is stale on disk. */
export interface Head extends Side {
  readonly stale: readonly string[];
}

const FOLDERS = ["definitions", "includes", "schemas"];
const SETTINGS = ["dataform.json", "entities.json", "package.json", SCHEDULE_FILE];

/**
 * Reads the base commit's side: its own definitions, compiled as they are committed, or made anew where it has none. Its
 * faults are reported, not thrown. In an environment both sides are as the working tree's entities.json describes it.
 */
export async function readBase(root: string, commit: string, environment?: Environment): Promise<Side> {
  const files = new Map(await readCommit(root, commit, [...FOLDERS, ...SETTINGS]));
  const problems: string[] = [];
  const attempt = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      problems.push(messageOf(error));
      return otherwise;
    }
  };
  const input = await attempt(
    () =>
      readProjectInput(async (file) => {
        if (!files.has(file))
          for (const [name, text] of await readCommit(root, commit, [file])) files.set(name, text);
        return files.get(file);
      }),
    undefined,
  );
  const models = input === undefined ? [] : await attempt(async () => modelsOf(input, environment), []);
  const hasDefinitions = [...files].some(
    ([file, text]) => file.startsWith("definitions/") && isGenerated(file, text),
  );
  if (!hasDefinitions && input !== undefined && models.length > 0)
    for (const [file, text] of definitionsOf(input)) files.set(file, text);
  const actions = await attempt(async () => actionTexts(await compile(root, files, environment)), []);
  const schedule = files.has(SCHEDULE_FILE)
    ? await attempt(() => readSchedule(async (file) => files.get(file)), undefined)
    : undefined;
  return { models, actions, schedule, core: coreVersion(files), hasDefinitions, problems };
}

/** Reads the working tree's side, its definitions made anew. Throws an InputError where the generator or Dataform does. */
export async function readHead(root: string, environment?: Environment): Promise<Head> {
  const files = await readProjectFiles(root, [...SETTINGS, ...FOLDERS]);
  const input = await readProjectInput(async (file) => files.get(file) ?? readIfFile(path.join(root, file)));
  const differences = await compareFiles(root, GENERATED_FOLDERS, definitionsOf(input), isGenerated);
  for (const { path: file, kind, expected } of differences) {
    if (kind === "orphaned") files.delete(file);
    else files.set(file, expected ?? "");
  }
  const graph = await compile(root, files);
  const compiled = await compareFiles(root, [COMPILED_FOLDER], renderCompiled(graph), isCompiled);
  const project = {
    variables: () => readOwnVariables(root),
    compile: (vars: Readonly<Record<string, string>>) =>
      inTemporaryProject(files, root, (copy) => compileRun(copy, vars)),
  };
  const schedule = files.has(SCHEDULE_FILE)
    ? await readSchedule(async (file) => files.get(file), project)
    : undefined;
  return {
    models: modelsOf(input, environment),
    schedule,
    actions: actionTexts(environment === undefined ? graph : await compile(root, files, environment)),
    core: coreVersion(files),
    hasDefinitions: true,
    problems: [],
    stale: [...differences, ...compiled].map(({ path: file, kind }) => `${file} (${kind})`),
  };
}

function modelsOf(
  { config, schemas, defaultDataset }: ProjectInput,
  environment: Environment | undefined,
): readonly EntityModel[] {
  return buildModels(config, schemas, { defaultDataset }).map((model) => modelIn(model, environment));
}

function definitionsOf({ config, schemas, defaultDataset }: ProjectInput): ProjectFiles {
  return generateProject(config, schemas, { defaultDataset });
}

/** The graph of these files, compiled with the core that the project in `root` uses. */
function compile(root: string, files: ProjectFiles, environment?: Environment): Promise<CompiledGraph> {
  const settings = { ...SHOW_ALL, ...overridesOf(environment) };
  return inTemporaryProject(files, root, (copy) => compileProject(copy, settings));
}

function coreVersion(files: ProjectFiles): string | undefined {
  try {
    const text = files.get("package.json");
    const parsed = text === undefined ? undefined : parseJson(text, "package.json");
    const dependencies = (parsed as { dependencies?: Record<string, unknown> } | undefined)?.dependencies;
    const version = dependencies?.["@dataform/core"];
    return typeof version === "string" ? version : undefined;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

async function readIfFile(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "EISDIR" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}
