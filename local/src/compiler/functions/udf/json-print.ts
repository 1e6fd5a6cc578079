import { jsonFloat } from "../../../storage/json-text.ts";
import { CONTROL, type Json, RepeatingObject } from "./json-value.ts";

const MUST_ESCAPE = new RegExp(`["\\\\${CONTROL}\\u2028\\u2029]`, "g");
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** A STRING as BigQuery quotes it in JSON. */
export function quoteJson(text: string): string {
  const body = text.replace(
    MUST_ESCAPE,
    (char) => SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${body}"`;
}

/** JSON as BigQuery prints it: members by key, no spaces. */
export function printJson(value: Json, sorted = true): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quoteJson(value);
  if (value instanceof Map) {
    const members =
      value instanceof RepeatingObject ? [...value.members] : [...(value as ReadonlyMap<string, Json>)];
    if (sorted) members.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `{${members.map(([key, item]) => `${quoteJson(key)}:${printJson(item, sorted)}`).join(",")}}`;
  }
  if (Array.isArray(value))
    return `[${(value as readonly Json[]).map((item) => printJson(item, sorted)).join(",")}]`;
  const number = value as { integer: bigint } | { float: number; text?: string };
  return "integer" in number ? number.integer.toString() : (number.text ?? jsonFloat(number.float));
}

/** JSON over several lines, two spaces a level. */
export function prettyJson(value: Json, indent = ""): string {
  const inner = `${indent}  `;
  if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, Json>)];
    if (members.length === 0) return "{}";
    const lines = members.map(([key, item]) => `${inner}${quoteJson(key)}: ${prettyJson(item, inner)}`);
    return `{\n${lines.join(",\n")}\n${indent}}`;
  }
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    if (items.length === 0) return "[]";
    return `[\n${items.map((item) => inner + prettyJson(item, inner)).join(",\n")}\n${indent}]`;
  }
  return printJson(value);
}
