import type { Project } from "../project/dataform-json.ts";
import { flagsOf } from "../project/environments.ts";
import { CommandError, wrongUsage } from "../project/errors.ts";
import { findNear, suggest } from "../project/near.ts";
import { InputError } from "../project/problems.ts";
import { type CompileSettings, compileProject } from "./compiler.ts";
import { type Flag, KNOWN_FLAGS, parseFlags, valuesOf } from "./flags.ts";
import type { CompiledAction } from "./graph.ts";
import { meantVariable, readOwnVariables } from "./run-variables.ts";

/** Flags that run in another environment than the one `dataform.json` names, whose tables no other command would look at. */
const ENVIRONMENT_FLAGS = new Set([
  "database-suffix",
  "default-database",
  "default-location",
  "default-schema",
  "schema-suffix",
  "table-prefix",
]);

/** What a run was told to run. */
export interface Selection {
  readonly flags: readonly string[];
  /** The actions that run; with dependencies or dependents asked for, those that may. */
  readonly actions: readonly CompiledAction[];
}

/**
 * The flags with each of their actions under its full name, the only one by which the CLI finds an action for certain:
 * `schema.name` and patterns with `*` it takes without a word, and then runs nothing. What selects nothing is refused, but for `erase`.
 */
export async function resolveSelection(project: Project, flags: readonly string[]): Promise<Selection> {
  const parsed = await checkFlags(project.root, flags);
  const inEnvironment = project.environment === undefined ? [] : flagsOf(project.environment);
  const graph = await compile(project, {
    ...settingsOf(parsed.flags),
    ...compileSettings(project.environment),
  });
  if (graph.length === 0)
    throw new CommandError("update: the project has no actions; run `npm run generate`");
  const actions = valuesOf(parsed.flags, "actions");
  const tags = valuesOf(parsed.flags, "tags");
  for (const { name, values } of [
    { name: "actions", values: actions },
    { name: "tags", values: tags },
  ]) {
    if (values !== undefined && values.length === 0) throw wrongUsage(`update: --${name} needs a value`);
  }
  for (const tag of tags ?? []) checkTag(tag, graph);
  const widening = parsed.flags.find(({ name }) => /^include-(deps|dependents)$/.test(name));
  if (widening !== undefined && actions === undefined && tags === undefined)
    throw wrongUsage(`update: --${widening.name} needs --actions or --tags`);
  const isWidened = widening !== undefined;
  const isSelected = ({ tags: own = [] }: CompiledAction) =>
    isWidened || tags === undefined || own.some((tag) => tags.includes(tag));
  if (actions === undefined)
    return { flags: [...flags, ...inEnvironment], actions: graph.filter(isSelected) };
  const names = new Set(actions.flatMap((pattern) => findActions(pattern, graph)));
  const others = parsed.flags.filter(({ name }) => name !== "actions").flatMap(({ written }) => written);
  const named = graph.filter(
    (action) => isWidened || names.has(fullName(action)) || tags?.some((tag) => action.tags?.includes(tag)),
  );
  return { flags: [...others, ...inEnvironment, "--actions", ...names], actions: named };
}

/** Reads flags of `dataform run` in this folder, and refuses those that it would ignore, or that would leave what dataform.json says. */
export async function checkFlags(
  root: string,
  flags: readonly string[],
): Promise<ReturnType<typeof parseFlags>> {
  const parsed = parseFlags(flags);
  if (parsed.positional.length > 0) {
    throw wrongUsage(
      `update: ${parsed.positional[0]}: not a flag of \`dataform run\`; did you mean --actions ${parsed.positional[0]}?`,
    );
  }
  const unknown = parsed.flags.find(({ name }) => !KNOWN_FLAGS.includes(name));
  if (unknown !== undefined) {
    const near = findNear(unknown.name, KNOWN_FLAGS);
    const hint = near === undefined ? "`npx dataform run --help` lists them" : `did you mean --${near}?`;
    throw wrongUsage(`update: --${unknown.name}: no such flag; ${hint}`);
  }
  const environment = parsed.flags.find(({ name }) => ENVIRONMENT_FLAGS.has(name));
  if (environment !== undefined) {
    throw wrongUsage(
      `update: --${environment.name}: this command goes where entities.json says; name the environment there and write --env, or use \`npx dataform run ${environment.written.join(" ")}\``,
    );
  }
  if (
    parsed.flags.some(({ name }) => name === "json") &&
    !parsed.flags.some(({ name }) => name === "dry-run")
  )
    throw wrongUsage("update: --json: needs --dry-run; without it Dataform would run nothing");
  if (parsed.flags.filter(({ name }) => name === "vars").length > 1)
    throw wrongUsage("update: --vars is given twice; write --vars=<name>=<value>,<name>=<value>");
  const vars = valuesOf(parsed.flags, "vars");
  if (vars !== undefined) checkVars(vars, await readOwnVariables(root));
  return parsed;
}

/** What of the flags changes what is compiled, and so what a selection can name. */
function settingsOf(flags: readonly Flag[]): CompileSettings {
  const vars = (valuesOf(flags, "vars") ?? []).map((setting) => setting.split("=", 2));
  return {
    vars: Object.fromEntries(vars.map(([name = "", value = ""]) => [name, value])),
    assertionSchema: valuesOf(flags, "assertion-schema")?.[0],
    disableAssertions: valuesOf(flags, "disable-assertions")?.[0] === "true",
    defaultReservation: valuesOf(flags, "default-reservation")?.[0],
  };
}

/** What an environment changes of what is compiled. */
function compileSettings(environment: Project["environment"]): CompileSettings {
  if (environment === undefined) return {};
  const { schemaSuffix, tablePrefix, defaultDatabase } = environment;
  return { schemaSuffix, tablePrefix, defaultDatabase };
}

/** What a run with some variables is of: the tags of all actions, and of those that it has; or what the variables' own check refuses. */
export type RunCompiled =
  | { readonly tags: readonly string[]; readonly runs: readonly string[] }
  | { readonly refusal: string };

/** Compiles the project in this folder as a run with these variables does. */
export async function compileRun(
  root: string,
  vars: NonNullable<CompileSettings["vars"]>,
): Promise<RunCompiled> {
  try {
    const actions = await actionsOf(root, { vars });
    return { tags: tagsOf(actions), runs: tagsOf(actions.filter(({ disabled }) => !disabled)) };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { refusal };
  }
}

function tagsOf(actions: readonly CompiledAction[]): readonly string[] {
  return [...new Set(actions.flatMap((action) => action.tags ?? []))];
}

/** The actions that a run can select; what the run variables' own check refuses is wrong usage. */
async function compile(project: Project, settings: CompileSettings): Promise<readonly CompiledAction[]> {
  try {
    return await actionsOf(project.root, settings);
  } catch (error) {
    const refusal = refusalOf(error);
    throw refusal === undefined ? error : wrongUsage(`update: --vars: ${refusal}`);
  }
}

async function actionsOf(root: string, settings: CompileSettings): Promise<readonly CompiledAction[]> {
  const { tables = [], operations = [], assertions = [] } = await compileProject(root, settings);
  return [...tables, ...operations, ...assertions];
}

/** What includes/run.js says against a variable's value, among what does not compile. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof InputError)) return undefined;
  const said = error.problems.map(({ wrong }) => /--vars: (.*)/s.exec(wrong)?.[1]);
  return said.find((one) => one !== undefined);
}

/** The form of run variables, and slips in their names. */
function checkVars(settings: readonly string[], own: readonly string[]): void {
  if (settings.length === 0) throw wrongUsage("update: --vars needs a value, such as --vars=rebuild=true");
  for (const setting of settings) {
    const name = setting.split("=")[0] ?? "";
    if (name === setting) throw wrongUsage(`update: --vars: ${setting}: write ${setting}=<value>`);
    const meant = meantVariable(name, own);
    if (meant !== undefined) throw wrongUsage(`update: --vars: ${name}: did you mean ${meant}?`);
  }
}

function findActions(pattern: string, actions: readonly CompiledAction[]): readonly string[] {
  const matches = actions.filter((action) =>
    [action.target.name, `${action.target.schema}.${action.target.name}`, fullName(action)].some((name) =>
      matchesPattern(name, pattern),
    ),
  );
  if (matches.length === 0)
    throw wrongUsage(
      `update: --actions ${pattern}: no such action; ${suggest(
        pattern,
        actions.map(({ target }) => target.name),
      )}`,
    );
  return matches.map(fullName);
}

function fullName({ target }: CompiledAction): string {
  return `${target.database}.${target.schema}.${target.name}`;
}

function checkTag(tag: string, actions: readonly CompiledAction[]): void {
  const tags = tagsOf(actions);
  // Where nobody can be deleted: a schedule that erases need not know of what.
  if (!tags.includes(tag) && tag !== "erase")
    throw wrongUsage(`update: --tags ${tag}: no action has this tag; ${suggest(tag, tags)}`);
}

function matchesPattern(name: string, pattern: string): boolean {
  const expression = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${expression}$`).test(name);
}
