import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig } from "./config.ts";
import { InputError, parseJson, unusableFile } from "./problems.ts";

/** A project's input as it stands on disk. */
export interface ProjectInput {
  readonly config: string;
  readonly schemas: ReadonlyMap<string, string>;
  readonly defaultDataset: string;
}

const CONFIG_FILE = "entities.json";
const DATAFORM_FILE = "dataform.json";

/** Reads a file of a project by its path in it; undefined where there is none. */
export type ReadProjectFile = (path: string) => Promise<string | undefined>;

/** Reads entities.json, the schemas it names, and dataform.json from a folder. */
export function loadProject(root: string): Promise<ProjectInput> {
  return readProjectInput((path) => readIfFile(root, path));
}

/** The same from wherever the project's files are. */
export async function readProjectInput(read: ReadProjectFile): Promise<ProjectInput> {
  const config = await readInput(read, CONFIG_FILE);
  const dataform = parseJson(await readInput(read, DATAFORM_FILE), DATAFORM_FILE);
  const schemas = new Map<string, string>();
  for (const { schema } of parseConfig(config, CONFIG_FILE)) {
    const text = await read(schema);
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

async function readInput(read: ReadProjectFile, file: string): Promise<string> {
  const text = await read(file);
  if (text !== undefined) return text;
  throw new InputError([{ file, path: "", wrong: "no such file", right: "write one, as the README shows" }]);
}

async function readIfFile(root: string, path: string): Promise<string | undefined> {
  const bytes = await readFile(join(root, path)).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return undefined;
    throw unusableFile(path, "read", error);
  });
  if (bytes === undefined) return undefined;
  if (isUtf8(bytes)) return bytes.toString();
  throw new InputError([{ file: path, path: "", wrong: "not UTF-8", right: "save the file as UTF-8" }]);
}
