import { readFile } from "node:fs/promises";
import path from "node:path";
import { CommandError, messageOf } from "./errors.ts";

/** Where the project's tables live, as `dataform.json` says. */
export interface Project {
  /** The folder that holds `dataform.json`. */
  readonly root: string;
  readonly projectId: string;
  readonly dataset: string;
  readonly assertionDataset: string;
  readonly location: string;
}

/** What makes of one project several environments; Dataform's own runs know them, and only by compilation overrides. */
const ENVIRONMENT_SETTINGS = ["databaseSuffix", "schemaSuffix", "tablePrefix"];

/** Reads `dataform.json`, the one place that names project, dataset and location. */
export async function readProject(root: string): Promise<Project> {
  const file = path.join(root, "dataform.json");
  const settings = parseSettings(await readText(file));
  const environment = ENVIRONMENT_SETTINGS.find((key) => settings[key] !== undefined && settings[key] !== "");
  if (environment !== undefined) {
    throw new CommandError(
      `dataform.json: $.${environment}: makes another environment, which these commands do not know; leave it out, and give it to \`npx dataform run\` or to a release of managed Dataform`,
    );
  }
  const dataset = textAt(settings, "defaultSchema");
  return {
    root,
    projectId: textAt(settings, "defaultDatabase"),
    dataset,
    assertionDataset: "assertionSchema" in settings ? textAt(settings, "assertionSchema") : dataset,
    location: "defaultLocation" in settings ? textAt(settings, "defaultLocation") : "US",
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CommandError("dataform.json: not found here; run this in the project's folder", {
      cause: error,
    });
  }
}

function parseSettings(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch (error) {
    throw new CommandError(`dataform.json: not JSON (${messageOf(error)})`, { cause: error });
  }
  throw new CommandError("dataform.json: must hold an object");
}

function textAt(settings: Record<string, unknown>, key: string): string {
  const value = settings[key];
  if (typeof value === "string" && value !== "") return value;
  throw new CommandError(`dataform.json: $.${key}: must be a text that is not empty`);
}
