import { mergeSql } from "../generate/merge-sql.ts";
import type { EntityModel } from "../generate/model.ts";
import { secondsOf, spanText } from "../project/config.ts";
import { type Change, code, type Need } from "./changes.ts";
import { hasNewTable } from "./field-changes.ts";
import { byOwner, changeUpdates, type Pair, quoted } from "./pair.ts";

/** Other clocks: by which updates are read, by which they are ordered, and how far ahead one may be (R4, R5). */
export function compareClocks({ before, after }: Pair, projectId: string): readonly Change[] {
  const changes: Change[] = [];
  const hasNewFinal = hasNewTable(before, after, "final");
  if (before.ingest.name.toLowerCase() !== after.ingest.name.toLowerCase()) {
    const { updates, watermark } = after.tables;
    const rebuild: Need = { step: "rebuild", reason: "ingest timestamp" };
    const hasNewUpdates = hasNewTable(before, after, "updates");
    changes.push({
      path: "ingestTimestamp",
      kind: "changed",
      what: `${code(before.ingest.name)} -> ${code(after.ingest.name)}`,
      means: hasNewUpdates
        ? `${code(watermark)} holds a time of the old clock: updates of the new one that are older are not read without a rebuild`
        : `an existing ${code(updates)} stays partitioned by the old column, so every run would read all of it, from a watermark of another clock`,
      needs: hasNewUpdates
        ? [rebuild]
        : [
            {
              step: "fix",
              text: `Name a new updates table in entities.json, such as \`"tables": {"updates": "${updates}_2"}\`: it is partitioned by the new column.`,
            },
            rebuild,
          ],
    });
  }
  if (before.version.name.toLowerCase() !== after.version.name.toLowerCase()) {
    changes.push({
      path: "eventTimestamp",
      kind: "changed",
      what: `values are versioned by ${code(after.version.name)}, no longer by ${code(before.version.name)}`,
      means: hasNewFinal
        ? `${code(after.tables.final)} is new, and filled from all history by the new clock`
        : `${code("_versions")} of ${code(after.tables.final)} holds times of the old clock: until a rebuild, new updates are compared with those`,
      needs: [
        ...fillEvents(after, projectId),
        ...(hasNewFinal ? [] : [{ step: "rebuild", reason: "event timestamp" } as const]),
      ],
    });
  }
  const [old, now] = [before, after].map(({ ahead }) =>
    ahead === undefined
      ? ""
      : `${spanText(ahead.limit)}, then ${ahead.keepsOut ? "keepOut" : "ingestTimestamp"}`,
  );
  if (old !== "" && now !== "" && old !== now) {
    changes.push({
      path: "eventAhead",
      kind: "changed",
      what: `${old} -> ${now}`,
      means:
        "the same update counts from another time than before, or not at all, until a rebuild only in new ones",
      needs: hasNewFinal ? [] : [{ step: "rebuild", reason: "event timestamp" }],
    });
  }
  return changes;
}

/** An update without an event timestamp is a bad row, and those that are there may have none. */
function fillEvents(after: EntityModel, projectId: string): readonly Need[] {
  const { event, ingest } = after;
  if (event === undefined) return [];
  return [
    {
      step: "fill",
      text: `Give the updates of ${code(after.name)} that lack it an event timestamp, such as their ingest timestamp, once they are out of the streaming buffer: without, they are bad rows.${byOwner(after)}`,
      sql: changeUpdates(
        after,
        projectId,
        (table) =>
          `UPDATE \`${table}\` SET ${quoted(event)} = ${quoted(ingest)} WHERE ${quoted(event)} IS NULL AND ${quoted(ingest)} >= ${mergeSql.START};`,
      ),
    },
  ];
}

/** How far back runs read (R5). */
export function compareLookback({ before, after }: Pair): readonly Change[] {
  const [old, now] = [before, after].map(({ lookback }) => spanText(lookback));
  if (old === now) return [];
  const isLonger = secondsOf(after.lookback) > secondsOf(before.lookback);
  return [
    {
      path: "lookback",
      kind: "changed",
      what: `${old} -> ${now}`,
      means: isLonger
        ? "each run reads further back; rows that came too late for the old lookback are not read by that alone"
        : "each run reads less far back: rows that become visible later than that are missed",
      needs: isLonger ? [{ step: "replay", reason: "lookback, if rows were missed before" }] : [],
    },
  ];
}
