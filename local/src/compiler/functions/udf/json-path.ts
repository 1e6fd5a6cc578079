import { EvaluationError } from "./define.ts";

/** The steps of a JSONPath: member names and array indexes. */
export type JsonPath = readonly (string | number)[];

/** A member's name as it may stand without quotes. */
const NAME = "\\.([\\p{L}\\p{N}_\\-:\\s]+)";
const STANDARD_STEP = new RegExp(`${NAME}|\\."((?:[^"\\\\]|\\\\.)*)"|\\[\\s*(\\d+)\\s*\\]`, "uy");
const LEGACY_STEP = new RegExp(
  `${NAME}|\\['((?:[^'\\\\]|\\\\.)*)'\\]|\\[\\s*([\\p{L}\\p{N}_\\-]+)\\s*\\]`,
  "uy",
);
const paths = new Map<string, JsonPath>();

/** Parses a JSONPath in the form of JSON_VALUE (`$."a b"`) or of JSON_EXTRACT (`$['a b']`). */
export function parsePath(path: string, legacy: boolean): JsonPath {
  const key = `${legacy}${path}`;
  const known = paths.get(key);
  if (known !== undefined) return known;
  if (!path.startsWith("$")) throw new EvaluationError("JSONPath must start with '$'");
  const steps: (string | number)[] = [];
  const pattern = legacy ? LEGACY_STEP : STANDARD_STEP;
  for (let at = 1; at < path.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(path);
    if (found === null) throw new EvaluationError(`Invalid token in JSONPath at: ${path.slice(at)}`);
    const [, name, quoted, bracketed = ""] = found;
    if (name !== undefined) steps.push(name);
    else if (quoted !== undefined) steps.push(unquote(quoted));
    else steps.push(/^\d+$/.test(bracketed) ? Number(bracketed) : bracketed);
  }
  if (paths.size > 1000) paths.clear();
  paths.set(key, steps);
  return steps;
}

function unquote(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}
