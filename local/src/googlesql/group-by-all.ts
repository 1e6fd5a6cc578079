import { unsupported } from "../errors.ts";
import { GoogleSqlError } from "./client.ts";
import { ByteText, rangeOf, walkTree } from "./parse-tree.ts";
import { type Edit, editText } from "./split-text.ts";
import type { TreeNode } from "./tree.ts";

/** A GROUP BY ALL in a text. */
export interface GroupByAll {
  readonly start: number;
  /** Where its word ALL starts and ends. */
  readonly all: { readonly start: number; readonly end: number };
  /** Whether each item of the SELECT list is a name, an expression, or a star, which stands for any number of columns. */
  readonly items: readonly ("name" | "expression" | "star")[];
  /** Where the SELECT list ends. */
  readonly listEnd: number;
}

/** Finds GROUP BY ALL in a parse tree. */
export function findGroupByAll(root: TreeNode): GroupByAll[] {
  const found: GroupByAll[] = [];
  walkTree(root, (node) => {
    const groupBy = node.groupBy as TreeNode | undefined;
    if (groupBy?.all === undefined) return;
    const columns = (node.selectList as TreeNode | undefined)?.columns as readonly TreeNode[];
    found.push({
      start: rangeOf(groupBy).start,
      all: rangeOf(groupBy.all as TreeNode),
      items: columns.map(({ expression }) => itemKind(expression as TreeNode)),
      listEnd: Math.max(...columns.map((column) => rangeOf(column).end)),
    });
  });
  return found;
}

function itemKind({ kind = "" }: TreeNode): GroupByAll["items"][number] {
  if (kind === "astPathExpression") return "name";
  return kind.includes("Star") ? "star" : "expression";
}

/** What a query with some grouping keys comes to: nothing, if it is right. */
interface Complaint {
  readonly error: unknown;
  readonly message: string;
  /** The place of the key that is wrong among those given, where one of them is. */
  readonly key?: number;
}

const UNKNOWN_TO_THE_ANALYZER = "GROUP BY ALL is not supported";
const IS_NO_KEY = /^Column \d+ contains an (aggregation|analytic) function/;
const IS_NOT_GROUPABLE = /^Grouping by expressions of type /;
const IS_NO_COLUMN = /^GROUP BY is out of SELECT column number range/;
const MOST_COLUMNS = 10_000;

/**
 * The edits with the grouping keys that GROUP BY ALL stands for
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#group_by_all), which the analyzer itself is
 * asked for: an item is none if it may not stand in GROUP BY, and none if the query is right without it, for then it refers
 * to nothing but other keys, or to no table at all.
 */
export async function resolveGroupByAll(
  sql: string,
  edits: readonly Edit[],
  clauses: readonly GroupByAll[],
  analyze: (text: string) => Promise<unknown>,
): Promise<readonly Edit[]> {
  const resolved = [...edits];
  const pending = new Set(clauses);
  for (;;) {
    if (pending.size === 0) return resolved;
    const error = await errorOf(() => analyze(editText(sql, resolved).text));
    // The analyzer gets to inner queries first.
    const clause = [...pending].find((each) => {
      const { message, at } = complaintOf(error);
      return message === UNKNOWN_TO_THE_ANALYZER && at === positionOf(sql, resolved, each.all.start);
    });
    if (clause === undefined) return resolved;
    pending.delete(clause);
    resolved.push(...(await new Inference(sql, resolved, clause, analyze).keyEdits()));
  }
}

/** Infers the keys of one GROUP BY ALL. */
class Inference {
  #hasAggregate = false;

  constructor(
    private readonly sql: string,
    private readonly edits: readonly Edit[],
    private readonly clause: GroupByAll,
    private readonly analyze: (text: string) => Promise<unknown>,
  ) {}

  async keyEdits(): Promise<Edit[]> {
    const columns = await this.#columns();
    if (columns === undefined) return this.#editsFor([1]);
    let keys = columns.map((_, index) => index + 1);
    const ungroupable: number[] = [];
    let complaint = await this.#complaint(keys);
    while (complaint?.key !== undefined) {
      const bad = keys[complaint.key] ?? 0;
      if (IS_NOT_GROUPABLE.test(complaint.message)) ungroupable.push(bad);
      else if (IS_NO_KEY.exec(complaint.message)?.[1] === "aggregation") this.#hasAggregate = true;
      keys = keys.filter((key) => key !== bad);
      complaint = await this.#complaint(keys);
    }
    if (complaint !== undefined) return this.#editsFor([...keys, ...ungroupable]);
    const isKind = (kind: string) => (key: number) => columns[key - 1] === kind;
    for (const key of [...keys.filter(isKind("expression")), ...keys.filter(isKind("name"))]) {
      const others = keys.filter((other) => other !== key);
      const without = await this.#complaint(others);
      if (others.length > 0 || this.#hasAggregate ? without === undefined : !isUngrouped(without))
        keys = others;
    }
    if (keys.length === 0 && !this.#hasAggregate) {
      throw unsupported("GROUP BY ALL with neither grouping keys nor aggregate functions");
    }
    return this.#editsFor(keys);
  }

  /** What the columns of the SELECT list come from; undefined where the query goes wrong before it gets to GROUP BY. */
  async #columns(): Promise<readonly string[] | undefined> {
    const { items } = this.clause;
    if (!items.includes("star")) return items;
    const isBeyond = async (column: number): Promise<boolean> =>
      IS_NO_COLUMN.test((await this.#complaint([column]))?.message ?? "");
    if (!(await isBeyond(MOST_COLUMNS + 1))) return undefined;
    let [count, beyond] = [items.length - 1, MOST_COLUMNS + 1];
    while (beyond - count > 1) {
      const middle = count < 64 && beyond > 128 ? 2 * count + 1 : Math.floor((count + beyond) / 2);
      if (await isBeyond(middle)) beyond = middle;
      else count = middle;
    }
    // Of several stars nobody knows which has how many columns: all then stand for columns of tables.
    const first = items.indexOf("star");
    const isOnly = items.lastIndexOf("star") === first;
    const width = isOnly ? count - items.length + 1 : count;
    const stars = Array.from({ length: width }, () => "star");
    return isOnly ? [...items.slice(0, first), ...stars, ...items.slice(first + 1)] : stars;
  }

  #editsFor(keys: readonly number[]): Edit[] {
    const { start, all, listEnd } = this.clause;
    if (keys.length > 0) return [{ ...all, text: keys.join(", ") }];
    const blanks = linesOf(this.sql, start, all.end).map((line) => ({
      ...line,
      text: " ".repeat(line.end - line.start),
    }));
    // Without any aggregate nothing would be grouped.
    return this.#hasAggregate ? blanks : [{ start: listEnd, end: listEnd, text: ", COUNT(*)" }, ...blanks];
  }

  async #complaint(keys: readonly number[]): Promise<Complaint | undefined> {
    const edits = [...this.edits, ...this.#editsFor(keys)];
    const error = await errorOf(() => this.analyze(editText(this.sql, edits).text));
    const { message, at } = complaintOf(error);
    // It is another GROUP BY ALL that is in the way now: this one is right.
    if (error === undefined || message === UNKNOWN_TO_THE_ANALYZER) return undefined;
    if (![IS_NO_KEY, IS_NOT_GROUPABLE, IS_NO_COLUMN].some((pattern) => pattern.test(message))) {
      return { error, message };
    }
    const [line, column] = positionOf(this.sql, this.edits, this.clause.all.start).split(":").map(Number);
    let place = column ?? 0;
    const key = keys.findIndex((each) => {
      if (at === `${line}:${place}`) return true;
      place += `${each}, `.length;
      return false;
    });
    return key < 0 ? { error, message: "" } : { error, message, key };
  }
}

function isUngrouped(complaint: Complaint | undefined): boolean {
  return complaint?.message.includes("neither grouped nor aggregated") === true;
}

/** The parts of a range that have no line break in them. */
function linesOf(sql: string, start: number, end: number): { start: number; end: number }[] {
  const bytes = Buffer.from(sql, "utf8");
  const lines: { start: number; end: number }[] = [];
  for (let from = start; from < end; ) {
    let to = from;
    while (to < end && bytes[to] !== 10 && bytes[to] !== 13) to++;
    if (to > from) lines.push({ start: from, end: to });
    from = to + 1;
  }
  return lines;
}

/** The line and column, in the edited text, of a byte of the text as written. */
function positionOf(sql: string, edits: readonly Edit[], byte: number): string {
  const before = edits.filter(({ end }) => end <= byte);
  const head = Buffer.from(sql, "utf8").toString("utf8", 0, byte);
  const { text } = editText(head, before);
  const { line, column } = new ByteText(text).position(Buffer.byteLength(text));
  return `${line}:${column}`;
}

async function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof GoogleSqlError) return error;
    throw error;
  }
}

function complaintOf(error: unknown): { message: string; at: string } {
  const text = error instanceof Error ? error.message : "";
  const [, message = text, at = ""] = /^(.*) \[at (\d+:\d+)\]$/s.exec(text) ?? [];
  return { message, at };
}
