import type { TableField } from "@google-cloud/bigquery";
import { type MemberAt, membersOf } from "../../project/json.ts";
import { isObject } from "../../project/problems.ts";
import { findField, typeName } from "./value.ts";

/** A name that stands twice in one object: the path of the member, and where its second value begins, from 1. */
export interface DoubledName {
  readonly path: string;
  readonly column: number;
}

/**
 * The first name that an object of a row has twice: a reader of JSON keeps one of the two without a word. In a JSON column BigQuery
 * takes them (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#parse_json).
 */
export function findDoubledName(
  text: string,
  row: unknown,
  fields: readonly TableField[],
): DoubledName | undefined {
  // To count is quick, and nearly every row ends here.
  if (countNames(text) === countMembers(row)) return undefined;
  return findIn(membersOf(text), fields, "");
}

function findIn(
  members: readonly MemberAt[],
  fields: readonly TableField[],
  parent: string,
): DoubledName | undefined {
  const names = new Set<string>();
  for (const { name, column, objects } of members) {
    const path = parent === "" ? name : `${parent}.${name}`;
    if (names.has(name)) return { path, column };
    names.add(name);
    const field = findField(name, fields);
    if (field === undefined || typeName(field) === "JSON") continue;
    for (const inner of objects) {
      const found = findIn(inner, field.fields ?? [], path);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** How many names of members a text has that is JSON. */
function countNames(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) {
    at = endOfString(text, at);
    let next = at + 1;
    while (text.charCodeAt(next) <= 0x20) next++;
    if (text[next] === ":") count++;
  }
  return count;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end;
  }
}

function countMembers(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, element) => sum + countMembers(element), 0);
  if (!isObject(value)) return 0;
  let count = 0;
  for (const member of Object.values(value)) count += 1 + countMembers(member);
  return count;
}
