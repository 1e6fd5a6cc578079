import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { type Project, readProject } from "../project/dataform-json.ts";
import { CommandError } from "../project/errors.ts";
import { checkEndpoint, openWarehouse, type Warehouse } from "../warehouse/client.ts";
import { emulatorAddress } from "../warehouse/endpoint.ts";
import type { Context } from "./command.ts";

/** How a command means to use its target. */
export interface TargetUse {
  /** What it is about to do there, such as "create and extend tables"; undefined where it only reads. */
  readonly change?: string;
  /** Whether `--yes` was given. */
  readonly isSure?: boolean;
}

/** Says which BigQuery the project names, asks before the first change of a real one, and opens it. */
export async function openTarget(
  context: Context,
  { change, isSure = false }: TargetUse = {},
): Promise<Warehouse> {
  const warehouse = openWarehouse(await readProject(context.root, context.environment));
  context.output.say(describeTarget(warehouse.project));
  await checkEndpoint(warehouse);
  if (change !== undefined && warehouse.endpoint === undefined)
    await agree(context, `${nameOf(warehouse.project)} on BigQuery itself`, change, isSure);
  return warehouse;
}

/** `acme-crm.analytics (EU) at http://127.0.0.1:9050`. */
export function describeTarget(project: Project): string {
  return `${nameOf(project)} at ${emulatorAddress() ?? "BigQuery"}`;
}

function nameOf({ projectId, dataset, location, environment }: Project): string {
  const place = `${projectId}.${dataset} (${location})`;
  return environment === undefined ? place : `${place}, environment ${environment.name}`;
}

/** A terminal's user is asked once for each target; elsewhere, as in CI, whoever wrote the command has agreed. */
export async function agree(
  { output, signal }: Context,
  target: string,
  change: string,
  isSure: boolean,
): Promise<void> {
  const known = await readKnown();
  if (known.includes(target)) return;
  if (!isSure && output.ask !== undefined) {
    const answer = await output.ask(`${change} in ${target}, for the first time from here? [y/N] `, signal);
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new CommandError("nothing was changed; answer y, or give --yes, to go on");
  }
  await writeKnown([...known, target]);
}

/** The targets that were agreed to on this machine, one a line. */
function fileOfKnown(): string {
  const state = process.env.XDG_STATE_HOME ?? path.join(homedir(), ".local/state");
  return path.join(state, "user-info-updater", "targets");
}

async function readKnown(): Promise<readonly string[]> {
  const text = await readFile(fileOfKnown(), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

/** Where it cannot be kept, as in a read-only container, it is asked again. */
async function writeKnown(names: readonly string[]): Promise<void> {
  await mkdir(path.dirname(fileOfKnown()), { recursive: true })
    .then(() => writeFile(fileOfKnown(), `${names.join("\n")}\n`))
    .catch(() => undefined);
}
