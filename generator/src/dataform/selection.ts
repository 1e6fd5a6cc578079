import type { Project } from "../project/dataform-json.ts";
import { CommandError, messageOf, wrongUsage } from "../project/errors.ts";
import { findNear, suggest } from "../project/near.ts";
import { parseFlags, valuesOf } from "./flags.ts";
import { type CompiledAction, type CompiledGraph, compileGraph } from "./run.ts";

/** Flags of `dataform run` that change what is compiled, and so what a selection can name. */
const COMPILE_FLAGS = new Set([
  "vars",
  "assertion-schema",
  "disable-assertions",
  "default-reservation",
  "timeout",
]);

/** Flags that run in another environment than the one `dataform.json` names, whose tables no other command would look at. */
const ENVIRONMENT_FLAGS = new Set([
  "database-suffix",
  "default-database",
  "default-location",
  "default-schema",
  "schema-suffix",
  "table-prefix",
]);

/**
 * The flags with each of their actions under its full name, the only one by which the CLI finds an action for certain:
 * `schema.name` and patterns with `*` it takes without a word, and then runs nothing. What selects nothing is refused.
 */
export async function resolveSelection(
  project: Project,
  flags: readonly string[],
): Promise<readonly string[]> {
  const parsed = parseFlags(flags);
  if (parsed.positional.length > 0) {
    throw wrongUsage(
      `update: ${parsed.positional[0]}: not a flag of \`dataform run\`; did you mean --actions ${parsed.positional[0]}?`,
    );
  }
  const environment = parsed.flags.find(({ name }) => ENVIRONMENT_FLAGS.has(name));
  if (environment !== undefined) {
    throw wrongUsage(
      `update: --${environment.name}: this command stays where dataform.json says; for another environment use \`npx dataform run ${environment.written.join(" ")}\``,
    );
  }
  if (
    parsed.flags.some(({ name }) => name === "json") &&
    !parsed.flags.some(({ name }) => name === "dry-run")
  )
    throw wrongUsage("update: --json: needs --dry-run; without it Dataform would run nothing");
  if (parsed.flags.filter(({ name }) => name === "vars").length > 1)
    throw wrongUsage("update: --vars is given twice; write --vars=<name>=<value>,<name>=<value>");
  checkVars(valuesOf(parsed.flags, "vars"));
  const compileFlags = parsed.flags
    .filter(({ name }) => COMPILE_FLAGS.has(name))
    .flatMap(({ written }) => written);
  const graph = await compileWith(project, compileFlags);
  if (graph.actions.length === 0)
    throw new CommandError("update: the project has no actions; run `npm run generate`");
  const actions = valuesOf(parsed.flags, "actions");
  const tags = valuesOf(parsed.flags, "tags");
  for (const { name, values } of [
    { name: "actions", values: actions },
    { name: "tags", values: tags },
  ]) {
    if (values !== undefined && values.length === 0) throw wrongUsage(`update: --${name} needs a value`);
  }
  for (const tag of tags ?? []) checkTag(tag, graph.actions);
  const widening = parsed.flags.find(({ name }) => /^include-(deps|dependents)$/.test(name));
  if (widening !== undefined && actions === undefined && tags === undefined)
    throw wrongUsage(`update: --${widening.name} needs --actions or --tags`);
  if (actions === undefined) return flags;
  const names = new Set(actions.flatMap((pattern) => findActions(pattern, graph.actions)));
  const others = parsed.flags.filter(({ name }) => name !== "actions").flatMap(({ written }) => written);
  return [...others, "--actions", ...names];
}

/** Compiles; what the run variables' own check refuses is wrong usage. */
async function compileWith(project: Project, flags: readonly string[]): Promise<CompiledGraph> {
  try {
    return await compileGraph(project, flags);
  } catch (error) {
    const message = messageOf(error);
    const ours = message.indexOf("--vars: ");
    throw ours === -1 ? error : wrongUsage(`update: ${message.slice(ours)}`);
  }
}

const VARIABLES = ["replayFrom", "rebuild", "audit", "auditShare"];

/** A variable that nobody reads is ignored without a word, so a slip in one of ours must not pass for somebody else's. */
function checkVars(settings: readonly string[] | undefined): void {
  if (settings === undefined) return;
  if (settings.length === 0) throw wrongUsage("update: --vars needs a value, such as --vars=rebuild=true");
  for (const setting of settings) {
    const name = setting.split("=")[0] ?? "";
    if (name === setting) throw wrongUsage(`update: --vars: ${setting}: write ${setting}=<value>`);
    if (VARIABLES.includes(name)) continue;
    const near = findNear(name, VARIABLES);
    if (near !== undefined) throw wrongUsage(`update: --vars: ${name}: did you mean ${near}?`);
  }
}

function findActions(pattern: string, actions: readonly CompiledAction[]): readonly string[] {
  const full = ({ database, schema, name }: CompiledAction) => `${database}.${schema}.${name}`;
  const matches = actions.filter((action) =>
    [action.name, `${action.schema}.${action.name}`, full(action)].some((name) =>
      matchesPattern(name, pattern),
    ),
  );
  if (matches.length === 0)
    throw wrongUsage(
      `update: --actions ${pattern}: no such action; ${suggest(
        pattern,
        actions.map(({ name }) => name),
      )}`,
    );
  return matches.map(full);
}

function checkTag(tag: string, actions: readonly CompiledAction[]): void {
  const tags = [...new Set(actions.flatMap((action) => action.tags))];
  if (!tags.includes(tag))
    throw wrongUsage(`update: --tags ${tag}: no action has this tag; ${suggest(tag, tags)}`);
}

function matchesPattern(name: string, pattern: string): boolean {
  const expression = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${expression}$`).test(name);
}
