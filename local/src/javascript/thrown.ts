import { typeText } from "../type-text.ts";
import type { NumberedFunction } from "./messages.ts";

/** Something that the user's code threw. */
export interface Thrown {
  /** As JavaScript prints it: an Error's name and message. */
  readonly message: string;
  /** The interpreter's own trace, where what was thrown is an Error. */
  readonly stack?: string;
}

/** The name that the user's code has in stack traces. */
export const CODE_NAME = "UDF";

/** What stands before the user's code, on its first line. */
export function codeHead(argumentNames: readonly string[]): string {
  return `function (${argumentNames.join(", ")}) {`;
}

/** How BigQuery names a function in its errors: by its place among the query's, and its arguments' types. */
export function calleeName({ number, argumentTypes }: NumberedFunction): string {
  return `UDF$${number}(${argumentTypes.map(typeText).join(", ")})`;
}

/** What the interpreter says, and what BigQuery's says of the same. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^InternalError: stack overflow$/, "RangeError: Maximum call stack size exceeded"],
  [/^ReferenceError: '(.*)' is not defined$/, "ReferenceError: $1 is not defined"],
  [/^TypeError: cannot read property '/, "TypeError: Cannot read property '"],
];

/**
 * BigQuery's message for an error in the code, such as `Error: no at UDF$1(STRING) line 2, columns 4-5`: lines count from 1, columns
 * from 0. BigQuery's columns are known for a `throw` and for a property of nothing; of other errors only the line is told.
 */
export function thrownMessage({ message, stack }: Thrown, definition: NumberedFunction): string {
  const words = WORDS.reduce((text, [pattern, theirs]) => text.replace(pattern, theirs), message);
  const callee = `${words} at ${calleeName(definition)}`;
  const position = new RegExp(`\\b${CODE_NAME}:(\\d+):(\\d+)`).exec(stack ?? "");
  if (position === null) return callee;
  const line = Number(position[1]);
  const head = line === 1 ? codeHead(definition.argumentNames).length + 1 : 0;
  const column = startColumn(words, definition.code.split("\n")[line - 1] ?? "", Number(position[2]) - head);
  return `${callee} line ${line}${column === undefined ? "" : `, columns ${column}-${column + 1}`}`;
}

/** Where BigQuery says that an error is which the interpreter sees at this column, from 1, of the line. */
function startColumn(message: string, line: string, column: number): number | undefined {
  // The interpreter sees the dot.
  if (/^TypeError: Cannot read property '/.test(message)) return column;
  // The interpreter sees the parenthesis behind the Error's name.
  return /\bthrow\s+(?:new\s+)?[\w.]+\s*$/.exec(line.slice(0, Math.max(0, column - 1)))?.index;
}
