import { parseConfig } from "./config.ts";
import { readSettings } from "./dataform-json.ts";
import { type ReadProjectFile, readFolder, readInput } from "./read-file.ts";

/** A project's input as it stands on disk. */
export interface ProjectInput {
  readonly config: string;
  readonly schemas: ReadonlyMap<string, string>;
  readonly defaultDataset: string;
}

const CONFIG_FILE = "entities.json";

/** Reads entities.json, the schemas it names, and dataform.json from a folder. */
export function loadProject(root: string): Promise<ProjectInput> {
  return readProjectInput(readFolder(root));
}

/** The same from wherever the project's files are. */
export async function readProjectInput(read: ReadProjectFile): Promise<ProjectInput> {
  const config = await readInput(read, CONFIG_FILE);
  const { dataset } = await readSettings(read);
  const schemas = new Map<string, string>();
  for (const { schema } of parseConfig(config, CONFIG_FILE)) {
    const text = await read(schema);
    if (text !== undefined) schemas.set(schema, text);
  }
  return { config, schemas, defaultDataset: dataset };
}
