import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  ParseErrorCode,
  parseTree,
} from "jsonc-parser";
import { InputError, type Problem, show } from "./problems.ts";

/** A place in a text; lines and columns count from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** Texts by the names that problems give to their files. */
export type Sources = ReadonlyMap<string, string>;

/** Reads JSON; a fault of its syntax, or a name twice in one object, is an InputError with its line and column. */
export function parseJson(text: string, file: string): unknown {
  const source = text.replace(/^\uFEFF/, "");
  const fault = findSyntaxFault(source);
  const { root } = parse(source);
  if (fault !== undefined || root === undefined) {
    throw new InputError([
      {
        file,
        path: "",
        line: fault?.line,
        column: fault?.column,
        wrong: `not valid JSON: ${fault?.wrong}`,
        right: "write one JSON value, with double quotes and no trailing commas or comments",
      },
    ]);
  }
  refuseRepeatedNames(root, source, file);
  return getNodeValue(root);
}

/** The first thing in a text that is not JSON; undefined where it is. */
export function findSyntaxFault(source: string): (Position & { readonly wrong: string }) | undefined {
  const { root, errors } = parse(source);
  const first = errors.sort((left, right) => left.offset - right.offset)[0];
  if (first === undefined && root !== undefined) return undefined;
  const { offset, error } = first ?? { offset: 0, error: ParseErrorCode.ValueExpected };
  return { ...positionOf(offset, source), wrong: FAULTS[error] ?? "not understood" };
}

function parse(source: string): { root: Node | undefined; errors: ParseError[] } {
  const errors: ParseError[] = [];
  return { root: parseTree(source, errors, { disallowComments: true }), errors };
}

const FAULTS: Partial<Record<ParseErrorCode, string>> = {
  [ParseErrorCode.InvalidSymbol]: "a word that is none of true, false and null",
  [ParseErrorCode.InvalidNumberFormat]: "a number that is not written as JSON has it",
  [ParseErrorCode.PropertyNameExpected]: "a name in double quotes is missing",
  [ParseErrorCode.ValueExpected]: "a value is missing",
  [ParseErrorCode.ColonExpected]: "a colon is missing",
  [ParseErrorCode.CommaExpected]: "a comma is missing",
  [ParseErrorCode.CloseBraceExpected]: "a } is missing",
  [ParseErrorCode.CloseBracketExpected]: "a ] is missing",
  [ParseErrorCode.EndOfFileExpected]: "something stands behind its end",
  [ParseErrorCode.InvalidCommentToken]: "a comment",
  [ParseErrorCode.UnexpectedEndOfComment]: "a comment",
  [ParseErrorCode.UnexpectedEndOfString]: "a text without its closing quote",
  [ParseErrorCode.UnexpectedEndOfNumber]: "a number without its end",
  [ParseErrorCode.InvalidUnicode]: "a \\u without four hexadecimal digits",
  [ParseErrorCode.InvalidEscapeCharacter]: "a backslash before a character that it does not go with",
  [ParseErrorCode.InvalidCharacter]: "a control character inside a text",
};

/** A reader of JSON keeps the last of two members of one name without a word; here one of them is a slip. */
function refuseRepeatedNames(node: Node, source: string, file: string): void {
  const names = new Set<string>();
  for (const child of node.children ?? []) {
    const name = child.type === "property" ? child.children?.[0] : undefined;
    if (name !== undefined) {
      if (names.has(String(name.value))) {
        const wrong = `${show(name.value)} appears twice in one object`;
        const place = positionOf(name.offset, source);
        throw new InputError([{ file, path: "", ...place, wrong, right: "leave one of them out" }]);
      }
      names.add(String(name.value));
    }
    refuseRepeatedNames(child, source, file);
  }
}

/**
 * Calls `use`; what it throws of the sources gets line and column of its JSON path, and the field's or entity's name. A path
 * that is not there, as that of a missing member, stands where the object does that lacks it.
 */
export function withPlaces<T>(sources: Sources, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.problems.map((problem) => locate(problem, sources)));
  }
}

function locate(problem: Problem, sources: Sources): Problem {
  const source = sources.get(problem.file)?.replace(/^\uFEFF/, "");
  if (source === undefined || problem.line !== undefined) return problem;
  const { root } = parse(source);
  if (root === undefined) return problem;
  const path = stepsOf(problem.path);
  const nodes = nodesAlong(path, root);
  const node = nodes.findLast((found) => found !== undefined) ?? root;
  const names = nodes.flatMap((found, depth) =>
    found?.type === "object" && typeof path[depth] === "number" ? nameOf(found) : [],
  );
  return { ...problem, ...positionOf(node.offset, source), name: names.join(".") };
}

/** Where a JSON path, `address.city` or `tags[0]`, stands in a text; where the object does that lacks it, if it is not there. */
export function positionOfPath(path: string, source: string): Position | undefined {
  const { root } = parse(source);
  if (root === undefined) return undefined;
  const node = nodesAlong(stepsOf(path), root).findLast((found) => found !== undefined) ?? root;
  return positionOf(node.offset, source);
}

/** What is written at a JSON path of a text, `1e3` or `"x"`; undefined where nothing is. */
export function textOfPath(path: string, source: string): string | undefined {
  const node = nodesAlong(stepsOf(path), parse(source).root ?? NOTHING).at(-1);
  return node === undefined ? undefined : source.slice(node.offset, node.offset + node.length);
}

/** The value of a text that is JSON, with whole numbers of more digits than a double has for sure as BigInts. */
export function valueWithBigInts(source: string): unknown {
  const { root } = parse(source);
  return root === undefined ? undefined : exactValue(root, source);
}

function exactValue(node: Node, source: string): unknown {
  if (node.type === "array") return (node.children ?? []).map((child) => exactValue(child, source));
  if (node.type === "object")
    return Object.fromEntries(
      (node.children ?? []).flatMap(({ children: [name, value] = [] }) =>
        name === undefined || value === undefined ? [] : [[String(name.value), exactValue(value, source)]],
      ),
    );
  const text = source.slice(node.offset, node.offset + node.length);
  return node.type === "number" && /^-?\d{16,}$/.test(text) ? BigInt(text) : node.value;
}

const NOTHING: Node = { type: "null", offset: 0, length: 0 };

/** A member of an object as a text has it, also one whose name comes twice. */
export interface MemberAt {
  readonly name: string;
  /** Where its value begins in its line, from 1. */
  readonly column: number;
  /** The members of its value, or of each object in a list of them. */
  readonly objects: readonly (readonly MemberAt[])[];
}

/** The members of the object that a text is; none where it is another thing. */
export function membersOf(source: string): readonly MemberAt[] {
  const { root } = parse(source);
  return root === undefined ? [] : membersIn(root, source);
}

function membersIn(node: Node, source: string): readonly MemberAt[] {
  return (node.type === "object" ? (node.children ?? []) : []).flatMap(({ children: [name, value] = [] }) => {
    if (name === undefined || value === undefined) return [];
    const values = value.type === "array" ? (value.children ?? []) : [value];
    const objects = values.map((one) => membersIn(one, source));
    return [{ name: String(name.value), column: positionOf(value.offset, source).column, objects }];
  });
}

function stepsOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? "") : Number(index),
  );
}

function nodesAlong(path: readonly (string | number)[], root: Node): readonly (Node | undefined)[] {
  return path.map((_, depth) => findNodeAtLocation(root, path.slice(0, depth + 1)));
}

/** The name of a field or an entity, as its member says. */
function nameOf(node: Node): readonly string[] {
  const value: unknown = findNodeAtLocation(node, ["name"])?.value;
  return typeof value === "string" && /^[\p{L}\p{N}_ -]+$/u.test(value) ? [value] : [];
}

function positionOf(offset: number, source: string): Position {
  const before = source.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}
