import { setTimeout as sleep } from "node:timers/promises";
import type { EntityModel } from "../../generate/model.ts";
import { readEntities } from "../../generate/read-entities.ts";
import { wrongUsage } from "../../project/errors.ts";
import { loadProject } from "../../project/load-project.ts";
import { findStop } from "../../review/meaning.ts";
import { describeFormer, findOrphans } from "../../review/orphans.ts";
import type { Warehouse } from "../../warehouse/client.ts";
import { type EntityStatus, findBeginning, readRunLog, readStatus } from "../../warehouse/status.ts";
import { parseDuration } from "../../watch/durations.ts";
import { judge, type Thresholds, worst } from "../../watch/health.ts";
import { type Context, defineCommand, ENVIRONMENT_OPTION, flag, text } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { formatStatus } from "../status-terminal.ts";
import { describeTarget, openTarget } from "../target.ts";
import { writeForCaller } from "../write-for-caller.ts";

/** How far back the page's charts go. */
const CHART_DAYS = 30;
/** How often `--watch` looks: each look is a few small queries. */
const WATCH_MS = 15_000;

/** `npm run status`: how each entity stands. */
export const status = defineCommand({
  name: "status",
  summary: "is all well? per entity: watermark, lag, last runs, users, bad rows",
  options: {
    ...ENVIRONMENT_OPTION,
    json: flag("--json", "print it as JSON"),
    watch: flag("--watch", "look again every 15 seconds, until interrupted"),
    html: text("--html <file>", "write a page with charts of the last 30 days; one file, no network"),
    maxLag: text("--max-lag <time>", "how long the oldest waiting update may have waited, such as 2h"),
    maxBadRows: text("--max-bad-rows <n>", "how many bad or reported rows may be unsettled"),
    maxMissed: text("--max-missed <n>", "how many rows may be behind the window of all later runs"),
  },
  examples: [
    { term: "npm run status", meaning: "one screen to read" },
    { term: "npm run status -- --max-lag 2h --max-bad-rows 0", meaning: "in a check, by its exit code" },
    { term: "npm run status -- --html status.html", meaning: "charts over time" },
    { term: "npm run -s status -- --json", meaning: "the same for a program" },
  ],
  exitCodes: [EXIT.done, EXIT.failed, EXIT.threshold],
  async run(context, { options }) {
    const thresholds = {
      maxLagSeconds:
        options.maxLag === undefined ? undefined : parseDuration(options.maxLag, "status: --max-lag"),
      maxBadRows: parseCount(options.maxBadRows, "--max-bad-rows"),
      maxMissed: parseCount(options.maxMissed, "--max-missed"),
    };
    const warehouse = await openTarget(context);
    const entities = await readEntities(warehouse.project);
    await sayOrphans(context, warehouse, entities);
    for (;;) {
      const code = await look(context, warehouse, entities, thresholds, options);
      if (!options.watch) return code;
      await sleep(WATCH_MS);
    }
  },
});

/** Names tables that no run updates; where an entity has not begun, its own are among them, by another name or elsewhere. */
async function sayOrphans(
  { output }: Context,
  warehouse: Warehouse,
  entities: readonly EntityModel[],
): Promise<void> {
  const beginning = await findBeginning(warehouse, entities);
  const orphans = await findOrphans(warehouse, await loadProject(warehouse.project.root), beginning);
  for (const { name, dataset, tables } of orphans.filter(({ isElsewhere }) => !isElsewhere))
    output.say(
      `${dataset}: ${tables.join(", ")}: of an entity ${name} that entities.json does not have there; no run updates them`,
    );
  for (const entity of beginning)
    for (const line of describeFormer(warehouse, orphans, entity)) output.say(line);
}

async function look(
  context: Context,
  warehouse: Warehouse,
  entities: readonly EntityModel[],
  thresholds: Thresholds,
  options: { readonly json: boolean; readonly watch: boolean; readonly html: string | undefined },
): Promise<ExitCode> {
  const { output } = context;
  const statuses = await Promise.all(
    entities.map(async (entity) => ({
      ...(await readStatus(warehouse, entity)),
      ...(await readStop(warehouse, entity)),
    })),
  );
  const now = Date.now();
  const healths = statuses.map((one) => judge(one, thresholds, now));
  if (options.html !== undefined) {
    const { formatStatusPage } = await import("../../watch/status-page.ts");
    const logs = await Promise.all(entities.map((entity) => readRunLog(warehouse, entity, CHART_DAYS)));
    const watched = statuses.flatMap((one, index) => {
      const [health, log] = [healths[index], logs[index]];
      return health === undefined || log === undefined ? [] : [{ status: one, health, log }];
    });
    const page = formatStatusPage(watched, thresholds, now, describeTarget(warehouse.project));
    await writeForCaller("status: --html", options.html, page);
  }
  if (options.json)
    output.json(
      statuses.map((one, index) => ({
        ...one,
        word: healths[index]?.word,
        reasons: healths[index]?.reasons,
      })),
    );
  else {
    // The screen is cleared, and what was on it stays above.
    if (options.watch && output.isTerminal) output.write("\u001b[2J\u001b[H");
    output.line(formatStatus(statuses, healths, worst(healths), output.isColoured));
  }
  return healths.some(({ passed }) => passed.length > 0) ? EXIT.threshold : EXIT.done;
}

/** What has changed since the last run and stops the next one. */
async function readStop(warehouse: Warehouse, entity: EntityModel): Promise<Pick<EntityStatus, "changed">> {
  const parts = Object.values(await findStop(warehouse, entity)).filter((part) => part !== undefined);
  return parts.length === 0 ? {} : { changed: parts.join(", ") };
}

function parseCount(given: string | undefined, option: string): number | undefined {
  if (given === undefined) return undefined;
  if (!/^\d{1,15}$/.test(given)) throw wrongUsage(`status: ${option} ${given}: expected a number such as 0`);
  return Number(given);
}
