import { BigQueryError } from "../errors.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import { tableName } from "./entries.ts";
import { dropEmptyTags, findField } from "./schema.ts";

/** What a change of schema may do beyond descriptions. */
export interface EvolutionRules {
  /** New NULLABLE and REPEATED fields. */
  readonly addFields: boolean;
  /** REQUIRED to NULLABLE. */
  readonly relaxFields: boolean;
  /** Fields may be left out and then stay as they are (a load's schema); else it is an error. */
  readonly keepMissing: boolean;
  /** What the error says before the detail; a load's words when absent. */
  readonly refusal?: string;
}

/** What PATCH and PUT of a table allow: https://cloud.google.com/bigquery/docs/managing-table-schemas */
export const PATCH_RULES: EvolutionRules = { addFields: true, relaxFields: true, keepMissing: false };

/**
 * The table's schema after the change: existing fields in their order, then the new ones. Throws BigQuery's error where the change
 * is more than the rules allow.
 */
export function evolveSchema(
  ref: TableRef,
  current: readonly FieldSchema[],
  wanted: readonly FieldSchema[],
  rules: EvolutionRules,
): FieldSchema[] {
  const evolved = evolveFields(ref, current, wanted, rules, "");
  dropEmptyTags(evolved);
  return evolved;
}

function evolveFields(
  ref: TableRef,
  current: readonly FieldSchema[],
  wanted: readonly FieldSchema[],
  rules: EvolutionRules,
  parent: string,
): FieldSchema[] {
  const result = current.map((field) => {
    const next = findField(wanted, field.name);
    if (next === undefined) {
      const hasValue = field.mode !== "REQUIRED" || field.defaultValueExpression !== undefined;
      if (rules.keepMissing && hasValue) return field;
      throw mismatch(ref, rules, `Field ${parent}${field.name} is missing in new schema`);
    }
    return evolveField(ref, field, next, rules, `${parent}${field.name}`);
  });
  for (const field of wanted) {
    if (findField(current, field.name) !== undefined) continue;
    const path = `${parent}${field.name}`;
    if (!rules.addFields) throw mismatch(ref, rules, `Cannot add fields (field: ${path})`);
    if (field.mode === "REQUIRED") {
      throw mismatch(ref, rules, `Cannot add required fields to an existing schema. (field: ${path})`);
    }
    result.push(field);
  }
  return result;
}

function evolveField(
  ref: TableRef,
  current: FieldSchema,
  wanted: FieldSchema,
  rules: EvolutionRules,
  path: string,
): FieldSchema {
  if (current.type !== wanted.type) {
    throw mismatch(ref, rules, `Field ${path} has changed type from ${current.type} to ${wanted.type}`);
  }
  const [before, after] = [current, wanted].map((field) => field.rangeElementType?.type);
  if (before !== after) {
    throw mismatch(ref, rules, `Field ${path} has changed type from RANGE<${before}> to RANGE<${after}>`);
  }
  const relaxed = current.mode === "REQUIRED" && wanted.mode === "NULLABLE";
  if (current.mode !== wanted.mode && !(relaxed && rules.relaxFields)) {
    throw mismatch(ref, rules, `Field ${path} has changed mode from ${current.mode} to ${wanted.mode}`);
  }
  for (const key of ["maxLength", "precision", "scale"] as const) {
    const [before, after] = [current[key], wanted[key]];
    if (before === after || (rules.keepMissing && after === undefined)) continue;
    const narrowed = after !== undefined && (before === undefined || Number(after) < Number(before));
    if (narrowed)
      throw mismatch(ref, rules, `Field ${path} has changed ${key} from ${before ?? "none"} to ${after}`);
  }
  const next: FieldSchema = rules.keepMissing
    ? { ...current, mode: wanted.mode }
    : { ...wanted, name: current.name };
  // What a change does not name stays; an empty list takes it away: https://cloud.google.com/bigquery/docs/column-level-security
  const policyTags = wanted.policyTags ?? current.policyTags;
  if (policyTags !== undefined) next.policyTags = { names: [...policyTags.names] };
  if (rules.keepMissing && wanted.description !== undefined) next.description = wanted.description;
  if (current.fields !== undefined) {
    next.fields = evolveFields(ref, current.fields, wanted.fields ?? [], rules, `${path}.`);
  }
  return next;
}

function mismatch(ref: TableRef, rules: EvolutionRules, detail: string): BigQueryError {
  const refusal = rules.refusal ?? `Provided Schema does not match Table ${tableName(ref)}.`;
  return new BigQueryError("invalid", `${refusal} ${detail}`);
}
