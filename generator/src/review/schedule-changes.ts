import { usualRuns } from "../generate/usual-runs.ts";
import { spanText } from "../project/config.ts";
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
  return [
    {
      step: "after",
      text: "Renew the schedule where it comes from entities.json: `npm run schedule`, or `terraform apply`; a run that it has no longer stays in managed Dataform until somebody deletes it.",
    },
  ];
}
