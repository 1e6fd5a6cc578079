import { EvaluationError } from "./define.ts";
import { remembered } from "./remembered.ts";

/** The steps of a JSONPath: member names and array indexes. */
export type JsonPath = readonly (string | number)[];

/** A member's name as it may stand without quotes. */
const NAME = "\\.([\\p{L}\\p{N}_\\-:\\s]+)";
const QUOTED = '\\."((?:[^"\\\\]|\\\\.)*)"';
const STANDARD_STEP = new RegExp(`${NAME}|${QUOTED}|\\[\\s*([\\d\\-]+)\\s*\\]`, "uy");
const EDITED_STEP = new RegExp(`${NAME}|${QUOTED}|\\[\\s*(\\d+)\\s*\\]`, "uy");
const LEGACY_STEP = new RegExp(
  `${NAME}|\\['((?:[^'\\\\]|\\\\.)*)'\\]|\\[\\s*([\\p{L}\\p{N}_\\-]+)\\s*\\]`,
  "uy",
);
const PATHS = {
  legacy: remembered((path) => readPath(path, LEGACY_STEP)),
  standard: remembered((path) => readPath(path, STANDARD_STEP)),
  edited: remembered((path) => readPath(path, EDITED_STEP)),
};

/** Parses a JSONPath in the form of JSON_VALUE (`$."a b"`) or of JSON_EXTRACT (`$['a b']`). */
export function parsePath(path: string, legacy: boolean): JsonPath {
  return PATHS[legacy ? "legacy" : "standard"](path);
}

/** Parses the path of what is to be changed, which is one that an index below 0 cannot name. */
export function parseEditedPath(path: string): JsonPath {
  return PATHS.edited(path);
}

/** What JSONPath has elsewhere; GoogleSQL names it where it stops at it. */
const OPERATOR = /^(?:\[\s*)?\.?(\*|@)|^(\.\.)/;

function readPath(path: string, pattern: RegExp): JsonPath {
  if (!path.startsWith("$")) throw new EvaluationError("JSONPath must start with '$'");
  const steps: (string | number)[] = [];
  for (let at = 1; at < path.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(path);
    if (found === null) throw unreadable(path.slice(at));
    const [, name, quoted, bracketed = ""] = found;
    if (name !== undefined) steps.push(name);
    else if (quoted !== undefined) steps.push(unquote(quoted));
    else steps.push(/^\d+$/.test(bracketed) ? Number(bracketed) : bracketed);
  }
  return steps;
}

function unreadable(rest: string): EvaluationError {
  const [, sign, dots] = OPERATOR.exec(rest) ?? [];
  const operator = sign ?? dots;
  return new EvaluationError(
    operator === undefined
      ? `Invalid token in JSONPath at: ${rest}`
      : `Unsupported operator in JSONPath: ${operator}`,
  );
}

function unquote(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}
