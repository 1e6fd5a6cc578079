import { existsSync } from "node:fs";
import path from "node:path";
import { asksForTag, hasFlag, parseFlags, valuesOf, withAudit } from "../../dataform/flags.ts";
import type { CompiledAction } from "../../dataform/graph.ts";
import { checkFlags, resolveSelection, type Selection } from "../../dataform/selection.ts";
import { type EntityModel, placeOf, placeText } from "../../generate/model.ts";
import { readEntities, refuseStale } from "../../generate/read-entities.ts";
import { onlyReadsUpdates } from "../../project/environments.ts";
import { CommandError, messageOf, wrongUsage } from "../../project/errors.ts";
import { loadProject } from "../../project/load-project.ts";
import { findMeaningChanges, keepMeaning } from "../../review/meaning.ts";
import {
  describeFormer,
  findLostDeletes,
  findOrphans,
  refuseBeginning,
  refuseLostDeletes,
} from "../../review/orphans.ts";
import { refuseUnadopted } from "../../warehouse/adopt.ts";
import type { Warehouse } from "../../warehouse/client.ts";
import { refuseForgetting } from "../../warehouse/forgotten-runs.ts";
import { refuseUnextended } from "../../warehouse/init/init.ts";
import { refuseObstacles } from "../../warehouse/obstacles.ts";
import { countFinal, describeUnknownRows, type RunStatus, readRuns } from "../../warehouse/status.ts";
import {
  describeFailure,
  describeFailures,
  type Failure,
  lastTold,
  runUpdate,
} from "../../warehouse/update.ts";
import { type Context, defineCommand, ENVIRONMENT_OPTION, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { refuseMixture } from "../meaning.ts";
import { countOf } from "../numbers.ts";
import type { Output } from "../output.ts";
import { costOf, RunReport, summarize } from "../run-report.ts";
import { formatTable } from "../table.ts";
import { openTarget } from "../target.ts";

/** `npm run update`: `dataform run` with its traps closed. */
export const update = defineCommand({
  name: "update",
  summary: "merge what is new: dataform run with its traps closed",
  description:
    "Runs `dataform run`: refuses stale SQLX and a selection of nothing, and runs an aborted transaction again. Flags that are not its own go to Dataform.",
  options: {
    ...ENVIRONMENT_OPTION,
    yes: flag("--yes", "do not ask before the first change of a real project"),
    json: flag("--json", "print what the run did as JSON; with --dry-run, what would run"),
  },
  passesThrough: "dataform run",
  variables: [
    { term: "replayFrom", meaning: "a time, such as 2026-01-01T00:00:00Z: read again from there" },
    {
      term: "rebuild",
      meaning: "true: recompute final from all history, swapped in by the same transaction",
    },
    {
      term: "force",
      meaning: "true: go on although users or values would be lost that no update says any more",
    },
    { term: "merge", meaning: "true: merge now, whatever mergeEvery says" },
    {
      term: "audit",
      meaning: "true: compile the audit, which compares final with a recompute over all history",
    },
    { term: "auditShare", meaning: "the share of users that the audit looks at, such as 0.01" },
  ],
  tags: [
    { term: "<entity>", meaning: "one entity's actions" },
    { term: "audit", meaning: "only the audit" },
    { term: "erase", meaning: "remove the older updates of deleted users" },
  ],
  examples: [
    { term: "npm run update", meaning: "everything" },
    { term: "npm run update -- --tags user_info", meaning: "one entity" },
    { term: "npm run update -- --vars=rebuild=true", meaning: "from all history" },
    { term: "npm run update -- --dry-run", meaning: "what would run, without running it" },
  ],
  exitCodes: [
    EXIT.done,
    { code: EXIT.failed, meaning: "an action failed; its message and where its SQL is stand on stderr" },
    {
      code: EXIT.badRows,
      meaning:
        "done, but rows were kept out of final, or came too late for any run, that no earlier run had found: their number is in the last line",
    },
  ],
  interrupted:
    "an entity's merge is one transaction, done or undone: npm run status says which; run it again",
  async run(context, { args, options }) {
    const { output, signal } = context;
    await checkFlags(context.root, args);
    const isDryRun = hasFlag(args, "dry-run");
    const warehouse = await openTarget(context, {
      change: isDryRun ? undefined : "Merge updates",
      isSure: options.yes,
    });
    const { project } = warehouse;
    if (asksForTag(args, "erase") && onlyReadsUpdates(project.environment))
      throw wrongUsage(
        `update: environment ${project.environment?.name} only reads the updates, so it erases none; leave --env out`,
      );
    await refuseStale(project.root);
    const isGraphForPrograms = isDryRun && options.json;
    const flags = withAudit(isGraphForPrograms ? [...args, "--json"] : args);
    const selection = await resolveSelection(project, flags);
    if (selection.actions.length === 0) {
      if (options.json) output.json({ runs: [], failures: [], seconds: 0, bytesBilled: 0 });
      else output.line("no entity has deletes, so nobody is to be erased");
      return EXIT.done;
    }
    // What stands against one entity's run is nothing to those of others.
    const entities = (await readEntities(project)).filter((entity) => isSelected(entity, selection));
    if (asksForTag(args, "erase")) sayUnerasable(output, entities);
    for (const entity of entities) await refuseObstacles(warehouse, entity);
    const before = await Promise.all(entities.map((entity) => readRuns(warehouse, entity)));
    const unknown = entities.filter((_, index) => before[index]?.watermark === null);
    for (const entity of unknown) await refuseUnadopted(warehouse, entity);
    await refuseUnextended(warehouse, entities);
    const input = await loadProject(project.root);
    const vars = valuesOf(parseFlags(args).flags, "vars") ?? [];
    refuseMixture(await findMeaningChanges(warehouse, input, entities), vars.includes("rebuild=true"));
    const beginning: EntityModel[] = [];
    for (const entity of unknown) {
      const rows = await countFinal(warehouse, entity);
      if (rows === 0) beginning.push(entity);
      else output.note(`${entity.name}: ${describeUnknownRows(rows, entity.name)}`);
    }
    const orphans = beginning.length === 0 ? [] : await findOrphans(warehouse, input, beginning);
    refuseLostDeletes(await findLostDeletes(warehouse, orphans, beginning));
    for (const entity of beginning) {
      const isBegun = (before[entities.indexOf(entity)]?.runs ?? []).length > 0;
      if (!isBegun && !vars.includes("force=true")) await refuseForgetting(warehouse, entity);
      await refuseBeginning(warehouse, orphans, entity);
      for (const line of describeFormer(warehouse, orphans, entity)) output.note(line);
    }
    signal.throwIfAborted();
    const report = new RunReport(output, selection.actions);
    const sink = isGraphForPrograms ? { stdout: output.write, stderr: report.sink.stderr } : report.sink;
    const result = await runUpdate(project, { selection, sink, onRetry: output.note }).finally(() =>
      report.stop(),
    );
    signal.throwIfAborted();
    if (isGraphForPrograms) return EXIT.done;
    const after = await Promise.all(entities.map((entity) => readRuns(warehouse, entity)));
    const merged = entities.flatMap(({ name }, index) => {
      const { watermark, waitingUsers, runs } = after[index] ?? {
        watermark: null,
        waitingUsers: 0,
        runs: [],
      };
      const known = new Set(before[index]?.runs.map(({ runId }) => runId));
      return runs
        .filter(({ runId }) => !known.has(runId))
        .map((run) => ({
          entity: name,
          watermark,
          ...(run.kind === "erase" && waitingUsers > 0 ? { waitingUsers } : {}),
          ...run,
        }));
    });
    for (const entity of entities)
      if (merged.some((run) => run.entity === entity.name))
        // Another run may be at the same row; the next one keeps it.
        await keepMeaning(warehouse, input, entity).catch((error: unknown) => {
          output.note(`${entity.name}: what it means is not kept yet: ${messageOf(error)}`);
        });
    const isOnlyBadRows = result.failures.every(({ action }) =>
      entities.some(({ dataset, tables }) => action === `${dataset}.${tables.badRows}`),
    );
    const toldLater = isOnlyBadRows ? undefined : lastTold(result.failures);
    for (const failure of result.failures)
      await showFailure(context, warehouse, failure, selection.actions, failure === toldLater);
    if (options.json) {
      const { milliseconds, bytesBilled } = report;
      output.json({ runs: merged, failures: result.failures, seconds: milliseconds / 1000, bytesBilled });
    } else printRuns(output, merged, costOf(report.milliseconds, report.bytesBilled));
    if (!isOnlyBadRows) throw new CommandError(describeFailures(result));
    if (asksForTag(args, "erase") && !isDryRun) refuseUnerased(entities, merged);
    const hasNews = merged.some(
      ({ badRows, newBadRows = badRows, missedRows = 0 }) => newBadRows > 0 || missedRows > 0,
    );
    return result.failures.length > 0 || hasNews ? EXIT.badRows : EXIT.done;
  },
});

/** Whether a run has any action of an entity. */
function isSelected({ dataset, tables }: EntityModel, { actions }: Selection): boolean {
  const own = new Set<string | undefined>(Object.values(tables));
  return actions.some(({ target }) => target.schema === dataset && own.has(target.name));
}

/** A run that one entity's log has gained. */
type MergedRun = RunStatus & {
  readonly entity: string;
  readonly watermark: string | null;
  readonly waitingUsers?: number;
};

function printRuns(output: Output, merged: readonly MergedRun[], cost: string): void {
  const lines = merged.map((run) =>
    run.kind === "erase"
      ? `${run.entity}: ${countOf(run.rowsRead, "update")} of ${countOf(run.usersRead, "deleted user")} erased${describeWaiting(run.waitingUsers)}`
      : summarize(run.entity, run, run.watermark),
  );
  if (lines.length === 1) output.line(`${lines[0]}, ${cost}`);
  else for (const line of [...lines, cost]) output.line(line);
}

/** The deleted users whose rows BigQuery did not let go yet. */
function describeWaiting(users = 0): string {
  if (users === 0) return "";
  return `; ${countOf(users, "more user")} ${users === 1 ? "waits" : "wait"} for rows streamed in lately to leave the streaming buffer, at most 90 minutes: run it again then`;
}

/** Updates of others are not erased: says so of each such entity. */
function sayUnerasable(output: Output, entities: readonly EntityModel[]): void {
  const erasing = entities.filter(({ deletes }) => deletes !== undefined);
  const others = erasing.filter(({ source }) => source !== undefined);
  for (const entity of others)
    output.note(
      `${entity.name}: ${placeText(placeOf(entity, "updates"))} is others' and only read here: its owner removes deleted users' rows there; only the batch and the list of bad rows are cleared`,
    );
}

/** An erasing run that finds a run of everything under way erases nothing, without an error. */
function refuseUnerased(entities: readonly EntityModel[], merged: readonly MergedRun[]): void {
  const missing = entities.find(
    ({ deletes, name }) => deletes && !merged.some(({ entity, kind }) => entity === name && kind === "erase"),
  );
  if (missing === undefined) return;
  throw new CommandError(
    `${missing.name}: nothing was erased, since a run of everything was under way; run it again`,
  );
}

/** How many rows of a failed assertion are shown. */
const SHOWN_ROWS = 10;

/** A failed action's message and where its SQL is, instead of the SQL; what an assertion found. */
async function showFailure(
  { root, output }: Context,
  warehouse: Warehouse,
  failure: Failure,
  actions: readonly CompiledAction[],
  isToldLater: boolean,
): Promise<void> {
  const { kind, action } = failure;
  const found = actions.find(({ target }) => `${target.schema}.${target.name}` === action);
  const line = describeFailure(failure, found && sqlFileOf(root, found), isToldLater);
  if (line !== undefined) output.note(line);
  if (kind !== "assertion") return;
  const query = `SELECT * FROM \`${warehouse.project.projectId}.${action}\` LIMIT ${SHOWN_ROWS}`;
  const rows = await warehouse.client.query({ query }).then(
    ([all]) => all as Record<string, unknown>[],
    () => [],
  );
  const head = Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => head.map((column) => row[column]));
  if (rows.length > 0) output.note(formatTable(head, cells));
}

/** The compiled SQL of an action where it is committed, else the file that it comes from. */
function sqlFileOf(root: string, { fileName, target }: CompiledAction): string {
  const folder = path.posix.relative("definitions", path.posix.dirname(fileName));
  const compiled = path.posix.join("compiled", folder, `${target.name}.sql`);
  return existsSync(path.join(root, compiled)) ? compiled : fileName;
}
