import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { renderCompiled, SHOW_ALL } from "../dataform/actions.ts";
import { compileProject } from "../dataform/compiler.ts";
import { inTemporaryProject, type ProjectFiles, readProjectFiles } from "../dataform/project-copy.ts";
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

/** A project's package.json before it has a name and the packages of the tool. */
export const SCAFFOLD_PACKAGE = readFileSync(path.join(SCAFFOLD, "package.json"), "utf8");

/** What every project is written with beside the generated files, by path; README.md and package.json say the project's name and stand apart. */
export async function scaffoldFiles(): Promise<ProjectFiles> {
  const files = [...(await readProjectFiles(SCAFFOLD, ["."]))].filter(
    // The generator writes includes/, with a header that says whose they are.
    ([file]) => !file.startsWith("includes/") && file !== "README.md" && file !== "package.json",
  );
  return new Map(files.map(([file, text]) => [file.replace(/^_/, "."), text]));
}

/**
 * Every file of a new project, by its path: what people write, what is generated from it, and what compiles from that. The tool is
 * packed last, since that takes longest.
 */
export async function newProjectFiles(
  project: NewProject,
  packAll: () => Promise<ToolPackages>,
): Promise<ProjectFiles> {
  const files = new Map(await scaffoldFiles());
  const firstEntity = project.entity === undefined ? "user_info" : String(project.entity.entry.name);
  const named = (text: string): string =>
    text.replaceAll("{{name}}", project.name).replaceAll("{{entity}}", firstEntity);
  files.set("README.md", named(await readFile(path.join(SCAFFOLD, "README.md"), "utf8")));
  files.set("dataform.json", dataformJson(project));
  if (project.entity === undefined) {
    const example = await readProjectFiles(WORKED_EXAMPLE, ["schemas", "samples", "entities.json"]);
    for (const [file, text] of example) files.set(file, text);
    const entities = (example.get("entities.json") ?? "").replace(
      /"\$schema": ".*"/,
      `"$schema": "${SCHEMA_OF_ENTITIES}"`,
    );
    files.set("entities.json", entities);
  } else {
    files.set("entities.json", addEntity(undefined, project.entity.entry));
    files.set(project.entity.schemaFile, project.entity.schema);
  }
  const { config, schemas, defaultDataset } = await readProjectInput(async (file) => files.get(file));
  for (const [file, text] of generateProject(config, schemas, { defaultDataset })) files.set(file, text);
  const compiled = await inTemporaryProject(files, import.meta.dirname, (root) =>
    compileProject(root, SHOW_ALL),
  );
  for (const [file, text] of renderCompiled(compiled)) files.set(file, text);
  files.set("package.json", packageJson(named(SCAFFOLD_PACKAGE), await packAll()));
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
