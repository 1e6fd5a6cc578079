import { identifierOf, pathOf, rangeOf, walkTree, width } from "./parse-tree.ts";
import type { TreeNode } from "./tree.ts";

/** The names of objects in a statement, as the parser finds them; array paths and names of WITH queries are among the tables. */
export interface ObjectNames {
  readonly tables: readonly (readonly string[])[];
  readonly functions: readonly (readonly string[])[];
  readonly tableFunctions: readonly (readonly string[])[];
  readonly procedures: readonly (readonly string[])[];
}

const TABLE_FIELDS = new Set(["pathExpr", "targetPath", "likeTableName"]);
const OBJECT_FIELDS = new Set([
  ...TABLE_FIELDS,
  "function",
  "name",
  "newTableName",
  "procedureName",
  "replicaSource",
]);

function isAlterTarget(field: string, holder: TreeNode): boolean {
  return field === "path" && /^astAlter.*Statement$/.test(holder.kind ?? "");
}

/** Finds the names of tables and routines in a parse tree. */
export function findObjectNames(root: TreeNode): ObjectNames {
  const found = { tables: new Map(), functions: new Map(), tableFunctions: new Map(), procedures: new Map() };
  walkTree(root, (node, field, holder) => {
    if (!Array.isArray(node.names)) return;
    const path = splitDots(pathOf(node));
    const key = path.join("\0");
    if (TABLE_FIELDS.has(field) || isAlterTarget(field, holder)) found.tables.set(key, path);
    else if (field === "function") found.functions.set(key, path);
    else if (field === "procedureName") found.procedures.set(key, path);
    else if (field === "name" && holder.kind === "astTvf") found.tableFunctions.set(key, path);
  });
  return {
    tables: [...found.tables.values()],
    functions: [...found.functions.values()],
    tableFunctions: [...found.tableFunctions.values()],
    procedures: [...found.procedures.values()],
  };
}

/**
 * The segments of an object's path: BigQuery reads `p.d.t` between one pair of backticks as three. The project of a
 * domain (`example.com:p`) has dots of its own.
 */
export function splitDots(path: readonly string[]): string[] {
  return path.flatMap((name) => {
    const [, domain = "", rest = name] = /^([^:]+\.[^:]+:)(.*)$/.exec(name) ?? [];
    const [first = "", ...others] = rest.split(".");
    return [domain + first, ...others];
  });
}

/** A text in which the analyzer sees every segment of a path between backticks of its own. */
export interface SplitText {
  readonly text: string;
  /** Where the text grew: on which line, behind which column of the written line, by how much. */
  readonly growths: readonly { line: number; column: number; by: number }[];
  /** The split names, and where they stand in `text`. */
  readonly replaced: readonly { written: string; split: string; at: number }[];
}

/** Writes `` `p.d.t` `` as `` `p`.`d`.`t` `` wherever it names an object, so that its alias is `t` and its parts are found. */
export function splitQuotedPaths(sql: string, root: TreeNode): SplitText {
  const identifiers: { start: number; end: number; segments: string[] }[] = [];
  walkTree(root, (node, field, holder) => {
    if (!Array.isArray(node.names) || !(OBJECT_FIELDS.has(field) || isAlterTarget(field, holder))) return;
    for (const name of node.names as readonly TreeNode[]) {
      const segments = splitDots([identifierOf(name)]);
      if (segments.length > 1) identifiers.push({ ...rangeOf(name), segments });
    }
  });
  if (identifiers.length === 0) return { text: sql, growths: [], replaced: [] };
  identifiers.sort((a, b) => a.start - b.start);
  const bytes = Buffer.from(sql, "utf8");
  const parts: string[] = [];
  const growths: { line: number; column: number; by: number }[] = [];
  const replaced: { written: string; split: string; at: number }[] = [];
  let length = 0;
  let end = 0;
  let line = 1;
  let written = "";
  for (const identifier of identifiers) {
    if (identifier.start < end) continue;
    const between = bytes.toString("utf8", end, identifier.start);
    const name = bytes.toString("utf8", identifier.start, identifier.end);
    // Unquoted identifiers with dots do not exist, but dashes join `a-b.c` only when no quote is there.
    if (!name.startsWith("`")) continue;
    const lines = between.split(/\r\n|\n|\r/);
    line += lines.length - 1;
    written = lines.length > 1 ? (lines.at(-1) ?? "") : written + between;
    written += name;
    const split = identifier.segments.map(quote).join(".");
    growths.push({ line, column: width(written), by: split.length - name.length });
    replaced.push({ written: name, split, at: length + between.length });
    parts.push(between, split);
    length += between.length + split.length;
    end = identifier.end;
  }
  parts.push(bytes.toString("utf8", end));
  return { text: parts.join(""), growths, replaced };
}

function quote(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
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
