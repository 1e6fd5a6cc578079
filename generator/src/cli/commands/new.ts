import { execFile } from "node:child_process";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { compareFiles, writeFiles } from "../../generate/write.ts";
import { settingProblem } from "../../project/dataform-json.ts";
import { CommandError, codeOf, wrongUsage } from "../../project/errors.ts";
import { InputError, type Problem } from "../../project/problems.ts";
import { readFolder } from "../../project/read-file.ts";
import type { GivenColumns } from "../../scaffold/guess-columns.ts";
import { addEntity, type NewEntity, newEntity } from "../../scaffold/new-entity.ts";
import { type NewProject, newProjectFiles } from "../../scaffold/new-project.ts";
import { packTool } from "../../scaffold/pack-tool.ts";
import {
  type FoundFields,
  readFileFields,
  readSchemaFile,
  readTableFields,
} from "../../scaffold/read-fields.ts";
import { makeWhole } from "../../scaffold/whole-folder.ts";
import { openWarehouse } from "../../warehouse/client.ts";
import { type Ask, terminalAsk } from "../ask.ts";
import { askForColumns } from "../ask-columns.ts";
import { type Context, defineCommand, flag, type Given, text } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { describeTarget, openTarget } from "../target.ts";
import { HALF_WRITTEN } from "../write-or-check.ts";

const OPTIONS = {
  yes: flag("--yes", "a project with the worked example, without a question"),
  cloudProject: text("--cloud-project <id>", "the Google Cloud project of a new project"),
  dataset: text("--dataset <name>", "its dataset (analytics)"),
  location: text("--location <location>", "the dataset's location, such as EU (US)"),
  entity: text("--entity <name>", "the first entity of a new project"),
  fromTable: text("--from-table <project.dataset.table>", "take the schema of a live table"),
  fromFile: text("--from-file <file>", "take it from rows: NDJSON, CSV, Parquet"),
  fromSchema: text("--from-schema <file>", "take it from a BigQuery schema, as `bq show --schema` prints it"),
  key: text("--key <columns>", "the key: a column, or several with commas"),
  ingestTimestamp: text("--ingest-timestamp <column>", "when a row came in"),
  eventTimestamp: text("--event-timestamp <column>", "when it was true, where that is another column"),
};
type Options = Given<typeof OPTIONS>["options"];

const EXAMPLE = { cloudProject: "my-project", dataset: "analytics", location: "US" };

/** `npm run new`: a project of one's own, or an entity in one. */
export const newCommand = defineCommand({
  name: "new",
  summary: "a project of your own, or an entity in one",
  description:
    "A name inside a project is a new entity, anything else the folder of a new project. In a terminal it asks for what no option says.",
  isForAnyVersion: true,
  args: [{ term: "<folder-or-entity>", meaning: "the project's folder, or the entity's name" }],
  options: OPTIONS,
  examples: [
    { term: "npx user-info-updater new crm", meaning: "a project in the folder crm; asks" },
    { term: "npm run new -- ../crm --yes", meaning: "from a clone: a project with the worked example" },
    {
      term: "npm run new -- customer --from-file rows.ndjson",
      meaning: "an entity, its schema from rows; guesses key and timestamps, and says so",
    },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { options, args: [name = ""] }) {
    const ofEntity = firstGiven(options, OF_ENTITY);
    if (options.yes && ofEntity !== undefined)
      throw wrongUsage(`new: --yes makes the worked example; leave out ${ofEntity}`);
    const entities = await readFolder(context.root)("entities.json");
    const isEntity =
      entities !== undefined && /^\w+$/.test(name) && !options.yes && options.cloudProject === undefined;
    if (isEntity) await makeEntity(context, name, entities, options);
    else await makeProject(context, name, options);
    return EXIT.done;
  },
});

async function makeEntity(context: Context, name: string, entities: string, options: Options): Promise<void> {
  const ofProject = firstGiven(options, ["entity", "dataset", "location"]);
  if (ofProject !== undefined)
    throw wrongUsage(`new: ${name} is to be an entity of the project that is here; leave out ${ofProject}`);
  const ask = terminalAsk();
  const found = await findFields(options, ask, false, async () => openTarget(context));
  if (found === undefined)
    throw wrongUsage("new: say where the schema comes from: --from-table, --from-file or --from-schema");
  const entity = newEntity(name, found, await findColumns(found, options, ask));
  const expected = new Map([
    ["entities.json", addEntity(entities, entity.entry)],
    [entity.schemaFile, entity.schema],
  ]);
  const differences = await compareFiles(context.root, ["schemas"], expected, () => false);
  if (differences.some(({ path: file, kind }) => file === entity.schemaFile && kind === "changed"))
    throw new CommandError(`${entity.schemaFile}: there is such a file; remove it, or choose another name`);
  context.stands(HALF_WRITTEN);
  await writeFiles(context.root, differences);
  for (const line of entity.said) context.output.line(line);
  context.output.line(`wrote ${[...expected.keys()].join(", ")}; next: npm run generate, npm run compile`);
}

async function makeProject(context: Context, name: string, options: Options): Promise<void> {
  const { output } = context;
  const target = path.resolve(name);
  await refuseFilled(target, name);
  const project = await describeProject(path.basename(target), options, output);
  let hasEndpoint = false;
  const files = await makeWhole(target, name, async (draft) => {
    const all = await newProjectFiles(project, async () => {
      const packages = await packTool(draft);
      hasEndpoint = packages.endpoint !== undefined;
      return packages;
    }).catch((error: unknown) => {
      throw error instanceof InputError ? new InputError(asGiven(error.problems, options)) : error;
    });
    for (const [file, content] of all) {
      await mkdir(path.dirname(path.join(draft, file)), { recursive: true });
      await writeFile(path.join(draft, file), content);
    }
    return all;
  });
  for (const line of project.entity?.said ?? []) output.line(line);
  output.line(`wrote ${files.size} files to ${name}`);
  if (!hasEndpoint)
    output.line("without bigquery-local, which is not installed here: npm install --save-dev bigquery-local");
  await initialise(target, context);
  const entity = String(project.entity?.entry.name ?? "user_info");
  const given =
    options.fromFile === undefined ? "updates.ndjson" : path.relative(target, path.resolve(options.fromFile));
  const sample = project.entity === undefined ? "samples/user_info_1.ndjson" : given;
  output.line(`next:
  cd ${inShell(name)}
  npm install --include=dev            the tool; commit package-lock.json with the rest
  npm run local                        in another terminal: BigQuery for this machine
  export BIGQUERY_EMULATOR_HOST=http://127.0.0.1:9050
  npm run init
  npm run load -- ${entity} ${inShell(sample)}
  npm run update && npm run status`);
}

/** Where dataform.json has what an option said. */
const OPTION_OF: Readonly<Record<string, string>> = {
  defaultDatabase: "--cloud-project",
  defaultSchema: "--dataset",
  defaultLocation: "--location",
};

/** Problems of files that are not written yet, as ones of what was given: its lines are others. */
function asGiven(problems: readonly Problem[], options: Options): readonly Problem[] {
  const schema = options.fromSchema ?? options.fromFile ?? options.fromTable;
  return problems.flatMap(({ line: _, column: __, ...problem }) => {
    if (problem.file !== "dataform.json")
      return [{ ...problem, file: problem.file.startsWith("schemas/") && schema ? schema : problem.file }];
    const option = OPTION_OF[problem.path];
    return option === undefined ? [] : [{ ...problem, file: option, path: "" }];
  });
}

/** A path as a shell takes it for one word. */
function inShell(file: string): string {
  return /[^\w./@%+=:,~-]/.test(file) ? `"${file.replace(/(["$`\\])/g, "\\$1")}"` : file;
}

async function refuseFilled(target: string, name: string): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory() || (await readdir(target)).length > 0)
    throw new CommandError(`${name}: there is something; name a folder that is empty or not there`);
}

/** Options, answers, and the example's values, in this order. */
async function describeProject(name: string, options: Options, output: Output): Promise<NewProject> {
  const ask = options.yes ? undefined : terminalAsk();
  if (ask === undefined && !options.yes && firstGiven(options, SOURCES) === undefined)
    throw wrongUsage(
      options.entity === undefined
        ? "new: name the first entity, --entity customer --from-file rows.ndjson, or take the worked example with --yes"
        : `new: say where the schema of ${options.entity} comes from: --from-table, --from-file or --from-schema`,
    );
  const answer = async (
    given: string | undefined,
    question: string,
    usual: string,
    setting: Parameters<typeof settingProblem>[0],
  ): Promise<string> =>
    given ??
    (ask === undefined ? usual : ask.text(question, usual, (typed) => settingProblem(setting, typed)));
  const { cloudProject, dataset, location } = options;
  const where = {
    name,
    cloudProject: await answer(cloudProject, "Google Cloud project", EXAMPLE.cloudProject, "defaultDatabase"),
    dataset: await answer(dataset, "Dataset for the tables", EXAMPLE.dataset, "defaultSchema"),
    location: await answer(location, "Location of the dataset", EXAMPLE.location, "defaultLocation"),
  };
  const project = {
    root: process.cwd(),
    projectId: where.cloudProject,
    dataset: where.dataset,
    location: where.location,
    assertionDataset: where.dataset,
  };
  const open = async () => {
    output.say(describeTarget(project));
    return openWarehouse(project);
  };
  const found = options.yes
    ? undefined
    : await findFields(options, ask, firstGiven(options, OF_ENTITY) === undefined, open);
  if (found === undefined) return { ...where, entity: undefined };
  return { ...where, entity: await describeEntity(found, options, ask) };
}

async function describeEntity(
  found: FoundFields,
  options: Options,
  ask: Ask | undefined,
): Promise<NewEntity> {
  const name = options.entity ?? (await ask?.text("Name of the first entity", "customer"));
  if (name === undefined) throw wrongUsage("new: name the first entity, such as --entity customer");
  return newEntity(name, found, await findColumns(found, options, ask));
}

async function findColumns(
  found: FoundFields,
  options: Options,
  ask: Ask | undefined,
): Promise<GivenColumns> {
  const { key, ingestTimestamp, eventTimestamp } = options;
  const columns = key?.split(",").map((column) => column.trim());
  if (columns?.includes("")) throw wrongUsage(`new: --key ${key}: a column's name is missing`);
  const given = { key: columns, ingestTimestamp, eventTimestamp };
  return ask === undefined ? given : askForColumns(found.fields, given, ask);
}

/** The fields that options or answers point at; undefined for the worked example. */
async function findFields(
  options: Options,
  ask: Ask | undefined,
  hasExample: boolean,
  open: () => Promise<ReturnType<typeof openWarehouse>>,
): Promise<FoundFields | undefined> {
  const sources = SOURCES.filter((source) => options[source] !== undefined);
  if (sources.length > 1)
    throw wrongUsage("new: one of --from-table, --from-file and --from-schema is enough");
  const { fromTable, fromFile, fromSchema } =
    sources.length > 0 ? options : await askForSource(ask, hasExample);
  if (fromTable !== undefined) return readTableFields(await open(), fromTable);
  if (fromFile !== undefined) return readFileFields(path.resolve(fromFile), fromFile);
  if (fromSchema !== undefined) return readSchemaFile(path.resolve(fromSchema), fromSchema);
  return undefined;
}

async function askForSource(ask: Ask | undefined, hasExample: boolean): Promise<Partial<Options>> {
  if (ask === undefined) return {};
  const question = hasExample
    ? "Where does the first entity's schema come from?"
    : "Where does its schema come from?";
  const kind = await ask.choice<string>(question, {
    ...(hasExample ? { example: "the worked example" } : {}),
    fromTable: "a live BigQuery table",
    fromFile: "a file of rows",
    fromSchema: "a schema file",
  });
  if (kind === "example") return {};
  return { [kind]: await ask.text(kind === "fromTable" ? "project.dataset.table" : "File", "") };
}

/** The options that say where an entity's schema comes from, and all that say something of one. */
const SOURCES = ["fromTable", "fromFile", "fromSchema"] as const;
const OF_ENTITY = ["entity", ...SOURCES, "key", "ingestTimestamp", "eventTimestamp"] as const;

/** The first of some options that was given, as it is written. */
function firstGiven(options: Options, names: readonly Exclude<keyof Options, "yes">[]): string | undefined {
  const found = names.find((name) => options[name] !== undefined);
  return found === undefined ? undefined : OPTIONS[found].flags.split(" ")[0];
}

/** A repository of its own, where git is there to make one. */
async function initialise(folder: string, { output }: Context): Promise<void> {
  try {
    await promisify(execFile)("git", ["init", "--quiet", "--initial-branch=main"], { cwd: folder });
  } catch (error) {
    output.note(
      `git init: ${codeOf(error) === "ENOENT" ? "git is not installed" : "failed"}; make a repository yourself`,
    );
  }
}
