import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { renderCompiled } from "../dataform/actions.ts";
import { compileProject } from "../dataform/compiler.ts";
import { inTemporaryProject, type ProjectFiles } from "../dataform/temporary-project.ts";
import { generateProject } from "../generate/project.ts";
import { readProjectInput } from "../project/load-project.ts";
import { WORKED_EXAMPLE } from "../project/worked-example.ts";
import { addEntity, type NewEntity, SCHEMA_OF_ENTITIES } from "./new-entity.ts";

/** What a person says of a new project. */
export interface NewProject {
  readonly name: string;
  /** The Google Cloud project, the dataset and its location. */
  readonly cloudProject: string;
  readonly dataset: string;
  readonly location: string;
  /** Its first entity; undefined for the worked example. */
  readonly entity: NewEntity | undefined;
}

/** The two packages as the project's package.json names them. */
export interface ToolPackages {
  readonly tool: string;
  readonly endpoint: string | undefined;
}

const SCAFFOLD = fileURLToPath(new URL("../../scaffold", import.meta.url));

/** Every file of a new project, by its path: what people write, what is generated from it, and what compiles from that. */
export async function newProjectFiles(project: NewProject, packages: ToolPackages): Promise<ProjectFiles> {
  const files = new Map<string, string>();
  const take = async (
    folder: string,
    part: string,
    write: (file: string, text: string) => void,
  ): Promise<void> => {
    for (const file of await listFiles(path.join(folder, part)))
      write(path.posix.join(part, file), await readFile(path.join(folder, part, file), "utf8"));
  };
  const firstEntity = project.entity === undefined ? "user_info" : String(project.entity.entry.name);
  await take(SCAFFOLD, ".", (file, text) => {
    const named = text.replaceAll("{{name}}", project.name).replaceAll("{{entity}}", firstEntity);
    files.set(file.replace(/^_/, "."), file === "package.json" ? packageJson(named, packages) : named);
  });
  files.set("dataform.json", dataformJson(project));
  await take(WORKED_EXAMPLE, "includes", (file, text) => void files.set(file, text));
  if (project.entity === undefined) {
    for (const part of ["schemas", "samples"])
      await take(WORKED_EXAMPLE, part, (file, text) => void files.set(file, text));
    const entities = await readFile(path.join(WORKED_EXAMPLE, "entities.json"), "utf8");
    files.set("entities.json", entities.replace(/"\$schema": ".*"/, `"$schema": "${SCHEMA_OF_ENTITIES}"`));
  } else {
    files.set("entities.json", addEntity(undefined, project.entity.entry));
    files.set(project.entity.schemaFile, project.entity.schema);
  }
  const { config, schemas, defaultDataset } = await readProjectInput(async (file) => files.get(file));
  for (const [file, text] of generateProject(config, schemas, { defaultDataset })) files.set(file, text);
  const compiled = await inTemporaryProject(files, import.meta.dirname, (root) => compileProject(root));
  for (const [file, text] of renderCompiled(compiled)) files.set(file, text);
  return files;
}

function packageJson(text: string, { tool, endpoint }: ToolPackages): string {
  const lines = text
    .replace("{{tool}}", tool)
    .replace("{{endpoint}}", endpoint ?? "")
    .split("\n");
  return lines.filter((line) => endpoint !== undefined || !line.includes('"bigquery-local":')).join("\n");
}

function dataformJson({ cloudProject, dataset, location }: NewProject): string {
  const settings = {
    warehouse: "bigquery",
    defaultDatabase: cloudProject,
    defaultSchema: dataset,
    assertionSchema: dataset,
    defaultLocation: location,
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}
