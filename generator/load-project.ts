import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig } from "./config.ts";
import { InputError, parseJson } from "./problems.ts";

/** A project's input as it stands on disk. */
export interface ProjectInput {
  readonly config: string;
  readonly schemas: ReadonlyMap<string, string>;
  readonly defaultDataset: string;
}

const CONFIG_FILE = "entities.json";
const DATAFORM_FILE = "dataform.json";

/** Reads entities.json, the schemas it names, and dataform.json. */
export async function loadProject(root: string): Promise<ProjectInput> {
  const config = await readInput(root, CONFIG_FILE, "write one, as the README shows");
  const dataform = parseJson(
    await readInput(root, DATAFORM_FILE, "write one, as the README shows"),
    DATAFORM_FILE,
  );
  const schemas = new Map<string, string>();
  for (const { schema } of parseConfig(config, CONFIG_FILE)) {
    const text = await readIfFile(join(root, schema));
    if (text !== undefined) schemas.set(schema, text);
  }
  return { config, schemas, defaultDataset: defaultDatasetOf(dataform) };
}

function defaultDatasetOf(dataform: unknown): string {
  const dataset =
    typeof dataform === "object" && dataform !== null && "defaultSchema" in dataform
      ? dataform.defaultSchema
      : undefined;
  if (typeof dataset === "string" && /^[A-Za-z0-9_]+$/.test(dataset)) return dataset;
  throw new InputError([
    {
      file: DATAFORM_FILE,
      path: "defaultSchema",
      wrong: dataset === undefined ? "missing" : `${JSON.stringify(dataset)} is not a dataset's name`,
      right: 'name the dataset for all entities that name none, such as "analytics"',
    },
  ]);
}

async function readInput(root: string, file: string, right: string): Promise<string> {
  const text = await readIfFile(join(root, file));
  if (text !== undefined) return text;
  throw new InputError([{ file, path: "", wrong: "no such file", right }]);
}

async function readIfFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
