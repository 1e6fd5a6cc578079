import { type Content, type Html, html } from "../../page/html.ts";
import type { ActionChange } from "../graph-changes.ts";
import type { Review } from "../review.ts";
import type { SqlDiff } from "../sql-diffs.ts";
import { highlightSql, type Segment } from "./highlight.ts";
import { type Block, type Range, type Row, sideBySide } from "./side-by-side.ts";

/** Unchanged lines that stay in sight around a change. */
const CONTEXT = 3;
/** Lines of one action beyond which the rest is left to `git diff`. */
const MAX_ROWS = 4000;
/** Actions that are open when the page is. */
const OPEN = 3;

/** The id of a file's diff in the page. */
export function anchorOf(file: string): string {
  return `sql-${file.replace(/[^\w-]+/g, "-")}`;
}

/** The compiled SQL of each action that changes, before and after, side by side. */
export function sqlSection({ diffs, graph, base }: Review): Html {
  if (diffs.length === 0) return html``;
  const changes = new Map(graph.actions.map((action) => [action.id, action]));
  return html`<section id="sql" aria-labelledby="sql-title">
<h2 id="sql-title">Compiled SQL</h2>
<p class="diff-tools"><span class="dim">What BigQuery gets, before on the left and after on the right.</span>
<span class="keys" hidden><span class="how"><kbd>j</kbd> <kbd>k</kbd> next and previous change</span> <button type="button" data-open="yes">open all</button> <button type="button" data-open="">close all</button></span></p>
${diffs.map((diff, index) => action(diff, changes.get(diff.id), index < OPEN, base.commit))}
</section>`;
}

function action(diff: SqlDiff, change: ActionChange | undefined, isOpen: boolean, commit: string): Html {
  const kind = change?.kind ?? "changed";
  return html`<details class="diff" id="${anchorOf(diff.file)}"${isOpen ? html` open` : ""}>
<summary><h3>${diff.file}</h3> <span class="tag ${kind}">${kind}</span> <span class="counts"><ins>+${diff.added}</ins> <del>−${diff.removed}</del></span></summary>
${columns(change?.before?.sql ?? "", change?.after?.sql ?? "", diff.file, commit)}
</details>
`;
}

function columns(before: string, after: string, file: string, commit: string): Html {
  const [left, right] = [highlightSql(before), highlightSql(after)];
  // A text that is not there has no lines, not an empty one.
  const lines = (text: string) => (text === "" ? [] : text.split("\n"));
  const blocks = sideBySide(lines(before), lines(after));
  const isOneSided = before === "" || after === "";
  let room = MAX_ROWS;
  const drawn = blocks.map((block, index) => {
    if (room <= 0) return "";
    const rows = block.rows.slice(0, room);
    room -= rows.length;
    return drawBlock(
      { ...block, rows },
      { isFirst: index === 0, isLast: index === blocks.length - 1 },
      left,
      right,
    );
  });
  return html`<div class="code${isOneSided ? " one-sided" : ""}">${drawn}${
    room > 0
      ? ""
      : html`<p class="more">The rest is in <code>git diff ${commit.slice(0, 12)} -- ${file}</code></p>`
  }</div>`;
}

type Lines = readonly (readonly Segment[])[];

function drawBlock(
  { kind, rows }: Block,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
  left: Lines,
  right: Lines,
): Content {
  if (kind === "changed") return drawRows(rows, "changed", left, right);
  const head = isFirst ? 0 : CONTEXT;
  const tail = isLast ? 0 : CONTEXT;
  const hidden = rows.length - head - tail;
  if (hidden <= 2) return drawRows(rows, "same", left, right);
  return html`${drawRows(rows.slice(0, head), "same", left, right)}<details class="fold"><summary>${hidden} unchanged lines</summary>${drawRows(
    rows.slice(head, rows.length - tail),
    "same",
    left,
    right,
  )}</details>${drawRows(rows.slice(rows.length - tail), "same", left, right)}`;
}

/** Both columns; each line knows its row, so that a narrow page can show the left lines above the right ones instead. */
function drawRows(rows: readonly Row[], kind: Block["kind"], left: Lines, right: Lines): Content {
  if (rows.length === 0) return "";
  const column = (side: "left" | "right", lines: Lines) =>
    rows.map((row, index) => {
      const at = row[side];
      if (at === undefined) return html`<span class="l ${side} void" style="--r:${index + 1}"></span>`;
      const text = segments(lines[at.number - 1] ?? [], at.marks);
      return html`<span class="l ${side}" style="--r:${index + 1}" data-n="${at.number}"><code>${text}</code></span>`;
    });
  return html`<div class="rows ${kind}"${kind === "changed" ? html` tabindex="-1"` : ""}>${column("left", left)}${column("right", right)}</div>`;
}

/** A line's pieces, cut where a change begins or ends. */
function segments(pieces: readonly Segment[], marks: readonly Range[]): Content {
  let at = 0;
  return pieces.flatMap(({ text, kind }) => {
    const [start, end] = [at, at + text.length];
    at = end;
    const cuts = [start, ...marks.flat().filter((cut) => cut > start && cut < end), end];
    return cuts.slice(1).map((to, index) => {
      const from = cuts[index] ?? start;
      const part = text.slice(from - start, to - start);
      const isMarked = marks.some(([first, last]) => from >= first && to <= last);
      const coloured =
        kind === "" ? html`${part}` : html`<span class="${kind.replace(/[^\w-]/g, "")}">${part}</span>`;
      return isMarked ? html`<mark>${coloured}</mark>` : coloured;
    });
  });
}
