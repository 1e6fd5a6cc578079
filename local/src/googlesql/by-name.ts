import { BigQueryError, unsupported } from "../errors.ts";
import { GoogleSqlError } from "./client.ts";
import { type ByteRange, ByteText, rangeOf, walkTree } from "./parse-tree.ts";
import { type Edit, editText } from "./split-text.ts";
import type { TreeNode } from "./tree.ts";

/** A word of a text, in upper case. */
interface Word extends ByteRange {
  readonly word: string;
}

/** What GoogleSQL's grammar of this age lacks in set operations: BY NAME, INNER, and OUTER alone. */
interface Unparsed {
  readonly words: readonly Word[];
  /** Where the operator starts that INNER or OUTER stands before. */
  readonly operator?: number;
}

/** A set operation whose inputs must have the same column names. */
export interface StrictOperation {
  readonly range: ByteRange;
  /** Where its operators start. */
  readonly operators: readonly number[];
  /** How it was written. */
  readonly modifier: "BY NAME" | "STRICT CORRESPONDING";
}

/** The set operations of a text that the analyzer is given in other words. */
export interface ByName {
  readonly edits: readonly Edit[];
  readonly strict: readonly StrictOperation[];
}

const OPERATORS: readonly string[] = ["UNION", "INTERSECT", "EXCEPT"];
const BETWEEN = /(?:\s|--[^\n\r]*|#[^\n\r]*|\/\*[\s\S]*?\*\/)*/y;
const WORD = /[A-Za-z]+/y;
const DIFFERENT_NAMES = /mismatched column count|do not have any columns in common/;
const POSITION = / \[at (\d+):(\d+)\]$/;

/** The words of a text from a byte on, up to the first thing that is none. */
function wordsFrom(sql: string, byte: number): readonly Word[] {
  const bytes = Buffer.from(sql, "utf8");
  const rest = bytes.toString("latin1", byte);
  const words: Word[] = [];
  for (let at = 0; words.length < 3; ) {
    WORD.lastIndex = at;
    const word = WORD.exec(rest)?.[0];
    if (word === undefined) break;
    words.push({ word: word.toUpperCase(), start: byte + at, end: byte + at + word.length });
    BETWEEN.lastIndex = at + word.length;
    BETWEEN.exec(rest);
    at = BETWEEN.lastIndex;
  }
  return words;
}

/** The INNER that ends right before a byte, where it is taken for a join's. */
function innerBefore(sql: string, byte: number): Word | undefined {
  const head = Buffer.from(sql, "utf8").toString("latin1", 0, byte);
  const start = head.search(/\bINNER\s+$/i);
  return start < 0 ? undefined : { word: "INNER", start, end: start + "INNER".length };
}

/** What of a set operation the grammar stumbled over, if that is what its error is about. */
function unparsedAt(sql: string, error: unknown): Unparsed | undefined {
  if (!(error instanceof GoogleSqlError) || !error.message.startsWith("Syntax error")) return undefined;
  const [, line, column] = POSITION.exec(error.message) ?? [];
  const byte = new ByteText(sql).byteAt({ line: Number(line), column: Number(column) });
  const [first, second, third] = wordsFrom(sql, byte);
  if (first === undefined) return undefined;
  if (first.word === "BY" && second?.word === "NAME") {
    if (third?.word === "ON") throw unsupported("BY NAME ON in a set operation");
    return { words: [first, second] };
  }
  if (["INNER", "OUTER"].includes(first.word) && OPERATORS.includes(second?.word ?? "")) {
    return { words: [first], operator: second?.start };
  }
  const inner = OPERATORS.includes(first.word) ? innerBefore(sql, byte) : undefined;
  return inner && { words: [inner], operator: first.start };
}

function blank({ start, end }: ByteRange): Edit {
  return { start, end, text: " ".repeat(end - start) };
}

/**
 * Parses a text without what the grammar lacks in set operations
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#by_name_or_corresponding): that is blanked
 * out, so all else keeps its place. The parser itself says where such a thing stands.
 */
export async function parseByName<T>(
  sql: string,
  parse: (text: string) => Promise<T>,
): Promise<{ readonly parsed: T; readonly unparsed: readonly Unparsed[] }> {
  const unparsed: Unparsed[] = [];
  for (;;) {
    const text = editText(
      sql,
      unparsed.flatMap(({ words }) => words.map(blank)),
    ).text;
    try {
      return { parsed: await parse(text), unparsed };
    } catch (error) {
      const found = unparsedAt(text, error);
      if (found === undefined) throw error;
      unparsed.push(found);
    }
  }
}

/** One operator of a set operation. */
interface Operator {
  readonly start: number;
  /** STRICT, FULL, LEFT, or the word that was blanked out: INNER or OUTER. */
  readonly mode?: string;
  readonly strict?: TreeNode;
  /** CORRESPONDING or BY NAME. */
  readonly isByName: boolean;
  readonly modifier: StrictOperation["modifier"];
}

function operatorsOf(operation: TreeNode, unparsed: readonly Unparsed[]): readonly Operator[] {
  const { setOperationMetadataList: items = [] } = operation.metadata as {
    setOperationMetadataList?: readonly TreeNode[];
  };
  const inputs = (operation.inputs as readonly TreeNode[]).map(rangeOf);
  return items.map((item, index): Operator => {
    const { start } = rangeOf(item.opType as TreeNode);
    const written = item.columnPropagationMode as TreeNode | undefined;
    const prefix = unparsed.find(({ operator }) => operator === start)?.words[0]?.word;
    const [from, to] = [inputs[index]?.end ?? 0, inputs[index + 1]?.start ?? 0];
    const byName = unparsed.find(
      ({ words: [word] }) => word?.word === "BY" && word.start >= from && word.end <= to,
    );
    return {
      start,
      mode: (written?.value as string | undefined) ?? prefix,
      ...(written?.value === "STRICT" ? { strict: written } : {}),
      isByName: byName !== undefined || item.columnMatchMode !== undefined,
      modifier: byName === undefined ? "STRICT CORRESPONDING" : "BY NAME",
    };
  });
}

function fail(sql: string, byte: number, message: string): never {
  const { line, column } = new ByteText(sql).position(byte);
  throw new BigQueryError("invalidQuery", `${message} at [${line}:${column}]`, "query");
}

/** How the analyzer is given the set operations of a parsed text: BY NAME is CORRESPONDING, once the names are the same. */
export function findByName(sql: string, script: TreeNode, unparsed: readonly Unparsed[]): ByName {
  const edits = unparsed.flatMap(({ words }): Edit[] => {
    const [first, ...rest] = words as [Word, ...Word[]];
    const text = { BY: "CORRESPONDING", OUTER: "FULL OUTER" }[first.word];
    return [text === undefined ? blank(first) : { ...first, text }, ...rest.map(blank)];
  });
  const strict: StrictOperation[] = [];
  walkTree(script, (node) => {
    if (node.kind !== "astSetOperation") return;
    const operators = operatorsOf(node, unparsed);
    const plain = operators.find(({ mode, isByName }) => mode === "INNER" && !isByName);
    if (plain !== undefined) {
      fail(sql, plain.start, "INNER in set operations cannot be used without CORRESPONDING");
    }
    const isStrict = ({ mode, isByName, modifier }: Operator): boolean =>
      isByName && (mode === "STRICT" || (mode === undefined && modifier === "BY NAME"));
    const other = operators.find((each) => each.isByName && !isStrict(each));
    const [found] = operators.filter(isStrict);
    if (found === undefined) return;
    if (other !== undefined) {
      const modes = "Different column propagation modes (FULL/LEFT/STRICT) cannot be used in the same query";
      fail(sql, Math.max(found.start, other.start), `${modes} without using parentheses for grouping`);
    }
    for (const { strict: word } of operators) if (word !== undefined) edits.push(blank(rangeOf(word)));
    strict.push({
      range: rangeOf(node),
      operators: operators.map(({ start }) => start),
      modifier: found.modifier,
    });
  });
  return { edits, strict };
}

/**
 * Fails unless the inputs of a set operation have the same column names. The analyzer is asked for it: the columns that
 * all inputs have are as many as the columns that any has. What else is wrong is left for the analysis itself to say.
 */
export async function checkNames(
  { range, operators, modifier }: StrictOperation,
  sql: string,
  edits: readonly Edit[],
  analyze: (text: string) => Promise<unknown>,
): Promise<void> {
  const within = edits.filter(({ start, end }) => start >= range.start && end <= range.end);
  const outside = edits.filter((edit) => !within.includes(edit));
  const operation = new ByteText(sql).slice(range);
  const variant = (more: readonly Edit[]): string => {
    const shifted = [...within, ...more].map(({ start, end, text }) => ({
      start: start - range.start,
      end: end - range.start,
      text,
    }));
    return `(${editText(operation, shifted).text}\n)`;
  };
  const inner = variant([]);
  const full = variant(operators.map((start) => ({ start, end: start, text: "FULL " })));
  const compared = editText(sql, [...outside, { ...range, text: `${inner} UNION ALL ${full}` }]).text;
  try {
    await analyze(compared);
  } catch (error) {
    if (!(error instanceof GoogleSqlError)) throw error;
    if (!DIFFERENT_NAMES.test(error.message)) return;
    const message = `${modifier} requires all input queries to have identical column names`;
    fail(sql, operators[0] ?? range.start, message);
  }
}
