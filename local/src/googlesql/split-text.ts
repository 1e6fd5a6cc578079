import { width } from "./parse-tree.ts";

/** What stands in a text in place of a range of its UTF-8 bytes. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A text as the analyzer sees it: as written, but for edits. */
export interface SplitText {
  readonly text: string;
  /** Where the text grew: on which line, behind which column of the written line, by how much. */
  readonly growths: readonly { line: number; column: number; by: number }[];
  /** What was replaced, by what, and where that stands in `text`. */
  readonly replaced: readonly { written: string; split: string; at: number }[];
}

/** Makes edits, none of which has a line break; of two that overlap the first is made. */
export function editText(sql: string, edits: readonly Edit[]): SplitText {
  if (edits.length === 0) return { text: sql, growths: [], replaced: [] };
  const bytes = Buffer.from(sql, "utf8");
  const parts: string[] = [];
  const growths: { line: number; column: number; by: number }[] = [];
  const replaced: { written: string; split: string; at: number }[] = [];
  let length = 0;
  let end = 0;
  let line = 1;
  let written = "";
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    if (edit.start < end) continue;
    const between = bytes.toString("utf8", end, edit.start);
    const old = bytes.toString("utf8", edit.start, edit.end);
    const lines = between.split(/\r\n|\n|\r/);
    line += lines.length - 1;
    written = lines.length > 1 ? (lines.at(-1) ?? "") : written + between;
    written += old;
    growths.push({ line, column: width(written), by: edit.text.length - old.length });
    replaced.push({ written: old, split: edit.text, at: length + between.length });
    parts.push(between, edit.text);
    length += between.length + edit.text.length;
    end = edit.end;
  }
  parts.push(bytes.toString("utf8", end));
  return { text: parts.join(""), growths, replaced };
}

/** The column of the written text for a column of the split one. */
export function writtenColumn(split: SplitText, line: number, column: number): number {
  let shift = 0;
  for (const growth of split.growths) {
    if (growth.line === line && growth.column < column - shift - growth.by) shift += growth.by;
  }
  return column - shift;
}

/** A part of the split text as it was written. */
export function writtenText(split: SplitText, part: string): string {
  const start = split.text.indexOf(part);
  if (start < 0) return part;
  const pieces: string[] = [];
  let end = start;
  for (const { written, split: inserted, at } of split.replaced) {
    if (at < start || at + inserted.length > start + part.length) continue;
    pieces.push(split.text.slice(end, at), written);
    end = at + inserted.length;
  }
  pieces.push(split.text.slice(end, start + part.length));
  return pieces.join("");
}
