import path from "node:path";
import { parseArgs } from "node:util";
import { asksForTag, hasFlag } from "../dataform/flags.ts";
import { readProject } from "../project/dataform-json.ts";
import { findEntity, readEntities, refuseStale } from "../project/entities.ts";
import { CommandError, explainServiceError, messageOf, wrongUsage } from "../project/errors.ts";
import { InputError } from "../project/problems.ts";
import { checkEndpoint, emulatorAddress, openWarehouse, type Warehouse } from "../warehouse/client.ts";
import { formatErasure, readErasure, readLastErase } from "../warehouse/erasure.ts";
import { applyInit, planInit, refuseUnextended } from "../warehouse/init.ts";
import { loadFiles } from "../warehouse/load/load.ts";
import { formatStatus, readStatus } from "../warehouse/status.ts";
import { runUpdate } from "../warehouse/update.ts";
import { formatTable } from "./print.ts";

const USAGE = `usage: npm run init [-- --plan]                  create and extend datasets and tables; --plan only prints
       npm run load -- <entity> <file…>          append updates: NDJSON, CSV, Parquet, each also as .gz
       npm run update [-- dataform flags]        dataform run: merge what is new
       npm run status [-- --json]                watermark, lag, last runs, users, bad rows
       npm run erasure -- <entity> <key…>        what the tables still hold of one user
Each takes --verbose, which prints a stack trace with an error, and --project <folder> (default: here).`;

type Command = (warehouse: Warehouse, args: readonly string[]) => Promise<void>;

const commands: Readonly<Record<string, Command>> = { init, load, update, status, erasure };

async function init(warehouse: Warehouse, args: readonly string[]): Promise<void> {
  const { values } = readArgs(args, { plan: { type: "boolean" } });
  const steps = await planInit(warehouse, await readEntities(warehouse.project.root));
  const rows = steps.map((step) => [
    `${step.kind} ${step.name}`,
    step.action === "none" ? "as it should be" : step.action,
    [...step.changes, ...step.notes.map((note) => `note: ${note}`)].join("\n"),
  ]);
  console.log(formatTable(["what", values.plan === true ? "would do" : "does", "in detail"], rows));
  if (values.plan === true) return;
  await applyInit(steps);
  const done = steps.filter((step) => step.action !== "none").length;
  console.log(done === 0 ? "nothing to do" : `${done} of ${steps.length} created or extended`);
}

async function load(warehouse: Warehouse, args: readonly string[]): Promise<void> {
  const { positionals } = readArgs(args, {}, true);
  const [name, ...files] = positionals;
  if (name === undefined || files.length === 0)
    throw wrongUsage("load: name an entity and at least one file");
  const entity = findEntity(await readEntities(warehouse.project.root), name);
  const target = { dataset: entity.dataset, table: entity.tables.updates };
  const result = await loadFiles(warehouse, target, files);
  const [rows, from] = [countOf(result.rows, "row"), countOf(result.files, "file")];
  console.log(
    `${rows} of ${from} ${result.rows === 1 ? "is" : "are"} now in ${target.dataset}.${target.table}`,
  );
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

async function update(warehouse: Warehouse, args: readonly string[]): Promise<void> {
  const { project } = warehouse;
  await refuseStale(project.root);
  const entities = await readEntities(project.root);
  await refuseUnextended(warehouse, entities);
  const erasing =
    asksForTag(args, "erase") && !hasFlag(args, "dry-run") ? entities.filter(({ deletes }) => deletes) : [];
  const earlier = await Promise.all(erasing.map((entity) => readLastErase(warehouse, entity)));
  await runUpdate(project, {
    flags: args,
    sink: { stdout: (text) => process.stdout.write(text), stderr: (text) => process.stderr.write(text) },
  });
  for (const [index, entity] of erasing.entries()) {
    const erased = await readLastErase(warehouse, entity);
    if (erased === undefined || erased.runId === earlier[index]?.runId) {
      throw new CommandError(
        `${entity.name}: nothing was erased, since a run of everything was under way; run it again`,
      );
    }
    console.log(`${entity.name}: ${erased.updates} updates of ${erased.users} deleted users erased`);
  }
}

async function erasure(warehouse: Warehouse, args: readonly string[]): Promise<void> {
  const { values, positionals } = readArgs(args, { json: { type: "boolean" } }, true);
  const [name, ...key] = positionals;
  if (name === undefined) throw wrongUsage("erasure: name an entity and a user's key");
  const entity = findEntity(await readEntities(warehouse.project.root), name);
  const report = await readErasure(warehouse, entity, key);
  console.log(values.json === true ? JSON.stringify(report, null, 2) : formatErasure(report));
}

async function status(warehouse: Warehouse, args: readonly string[]): Promise<void> {
  const { values } = readArgs(args, { json: { type: "boolean" } });
  const entities = await readEntities(warehouse.project.root);
  const statuses = await Promise.all(entities.map((entity) => readStatus(warehouse, entity)));
  console.log(values.json === true ? JSON.stringify(statuses, null, 2) : formatStatus(statuses));
}

function readArgs(
  args: readonly string[],
  options: Readonly<Record<string, { type: "boolean" | "string" }>>,
  allowPositionals = false,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals });
  } catch (error) {
    throw wrongUsage(messageOf(error));
  }
}

/** Takes the flags that every command has out of the arguments; the rest is the command's own. */
function takeCommonFlags(args: readonly string[]): { root: string; help: boolean; rest: readonly string[] } {
  const rest: string[] = [];
  let root = process.cwd();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--verbose" || arg === "--help" || arg === "-h") continue;
    const inline = /^--project=(.+)$/.exec(arg)?.[1];
    if (inline !== undefined) root = path.resolve(inline);
    else if (arg === "--project") root = path.resolve(args[++index] ?? ".");
    else rest.push(arg);
  }
  return { root, help: args.includes("--help") || args.includes("-h"), rest };
}

async function main(args: readonly string[]): Promise<void> {
  const [name = "", ...others] = args;
  const { root, help, rest } = takeCommonFlags(others);
  if (help || name === "--help" || name === "-h") {
    console.log(USAGE);
    return;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    throw wrongUsage(`${name || "no command"}: expected init, load, update, status or erasure`);
  const warehouse = openWarehouse(await readProject(root));
  await checkEndpoint(warehouse);
  await command(warehouse, rest);
}

function report(thrown: unknown, isVerbose: boolean): number {
  const error = explainServiceError(thrown, emulatorAddress());
  if (isVerbose) {
    console.error(error instanceof Error ? error.stack : error);
    if (error !== thrown) console.error(thrown);
  } else {
    const isExpected = error instanceof CommandError || error instanceof InputError;
    const text = error instanceof Error ? error.message : String(error);
    console.error(isExpected ? text : `${messageOf(error)} (--verbose shows where)`);
  }
  return error instanceof CommandError ? error.exitCode : 1;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = report(error, process.argv.includes("--verbose"));
}
