import { structuredPatch } from "diff";
import { COMPILED_FOLDER } from "../dataform/actions.ts";
import type { ActionChange } from "./graph-changes.ts";

/** The change of one action's compiled SQL. */
export interface SqlDiff {
  /** The action, `dataset.name`. */
  readonly id: string;
  /** The file that holds it, `compiled/<entity>/<action>.sql`. */
  readonly file: string;
  readonly added: number;
  readonly removed: number;
  /** A unified diff's hunks, cut at the limit. */
  readonly lines: readonly string[];
  /** How many lines the limit left out. */
  readonly cut: number;
}

/** A diff that is longer is not read in a comment either. */
const MAX_LINES = 200;

/** The SQL of each action that differs, as unified diffs. */
export function diffSql(actions: readonly ActionChange[], maxLines = MAX_LINES): readonly SqlDiff[] {
  return actions.flatMap(({ id, before, after }) => {
    const [old, now] = [before?.sql ?? "", after?.sql ?? ""];
    const file = `${COMPILED_FOLDER}/${(after ?? before)?.path}.sql`;
    if (old === now) return [];
    const { hunks } = structuredPatch(file, file, ended(old), ended(now), undefined, undefined, {
      context: 3,
    });
    const lines = hunks.flatMap((hunk) => [
      `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
      ...hunk.lines,
    ]);
    const count = (sign: string) =>
      hunks.flatMap((hunk) => hunk.lines).filter((line) => line.startsWith(sign)).length;
    return [
      {
        id,
        file,
        added: count("+"),
        removed: count("-"),
        lines: lines.slice(0, maxLines),
        cut: Math.max(0, lines.length - maxLines),
      },
    ];
  });
}

function ended(sql: string): string {
  return sql === "" ? "" : `${sql}\n`;
}
