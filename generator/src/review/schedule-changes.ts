import { type ScheduledRun, usualRuns } from "../generate/usual-runs.ts";
import { spanText } from "../project/config.ts";
import type { Schedule } from "../schedule/description.ts";
import { type Change, code, type Need } from "./changes.ts";
import type { Pair } from "./pair.ts";

/** How long a merge may wait (R13). */
export function compareMergeEvery(pair: Pair): readonly Change[] {
  const { before, after } = pair;
  const [old, now] = [before, after].map(({ mergeEvery }) => mergeEvery && spanText(mergeEvery));
  if (old === now) return [];
  const { final, view } = after.tables;
  return [
    {
      path: "mergeEvery",
      kind: old === undefined ? "added" : now === undefined ? "removed" : "changed",
      what: `${old ?? "every run"} -> ${now ?? "every run"}`,
      means:
        now === undefined
          ? `every run merges again: ${code(final)} is as fresh as the view ${code(view)}, and each run with news reads it`
          : `${code(final)} itself may be ${now} old; the view ${code(view)} is as fresh as the last run, and shows what a merge would`,
      needs: reschedule(pair),
    },
  ];
}

/** What a schedule needs of which the usual runs are others now: nothing makes it anew by itself, nor takes a run out of it. */
export function reschedule({ before, after }: Partial<Pair>): readonly Need[] {
  const [old, now] = [before, after].map((model) =>
    JSON.stringify(usualRuns(model === undefined ? [] : [model.config])),
  );
  if (old === now) return [];
  return [RENEW];
}

/** Nothing makes a schedule anew by itself. */
const RENEW: Need = {
  step: "after",
  text: "Renew the schedule: `npm run schedule`, or `terraform apply`; a run that it has no longer stays in managed Dataform until somebody deletes it.",
};

/** What changes of schedule.json; nothing where neither side has one. */
export function compareSchedules(
  before: Schedule | undefined,
  after: Schedule | undefined,
): readonly Change[] {
  const [old, now] = [factsOf(before), factsOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path): readonly Change[] => {
    const [was, is] = [old.get(path), now.get(path)];
    if (was === is) return [];
    const kind = was === undefined ? "added" : is === undefined ? "removed" : "changed";
    const what = [was, is].flatMap((one) => (one === undefined ? [] : [code(one)])).join(" -> ");
    return [{ path, kind, what, means: meaningOf(path, kind), needs: [RENEW] }];
  });
}

/** What a schedule says, one line of text each, by its place in the file. */
function factsOf(schedule: Schedule | undefined): ReadonlyMap<string, string> {
  if (schedule === undefined) return new Map();
  const { git, runs, environments, ...settings } = schedule;
  const runsOf = (path: string, list: readonly ScheduledRun[]) =>
    list.map((run) => [`${path}runs.${run.name}`, runText(run)] as const);
  return new Map([
    ...Object.entries(settings),
    ...Object.entries(git).map(([name, value]) => [`git.${name}`, value] as const),
    ...runsOf("", runs),
    ...Object.entries(environments).flatMap(([name, own]) => [
      [`environments.${name}`, `branch ${own.branch ?? git.branch}`] as const,
      ...runsOf(`environments.${name}.`, own.runs ?? []),
    ]),
  ]);
}

function runText({ cron, tags, vars }: ScheduledRun): string {
  const variables = Object.entries(vars).map(([name, value]) => `${name}=${value}`);
  return [cron, ...tags.map((tag) => `tag ${tag}`), ...variables].join(", ");
}

function meaningOf(path: string, kind: Change["kind"]): string {
  const isPart = /(^|\.)runs\.|^environments\./.test(path);
  if (isPart && kind === "removed")
    return "it starts as before until somebody deletes it in managed Dataform";
  if (path === "repository" || path === "region")
    return "another repository of managed Dataform: the former one's runs start as before until somebody deletes them";
  if (path === "serviceAccount")
    return "runs act as this account: it needs the roles that the former one has";
  if (path === "startedBy" && kind === "changed")
    return "who started the runs must stop, and the other begin, or they start twice or not at all";
  return "from when the schedule is renewed";
}
