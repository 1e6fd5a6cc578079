import type { TableField } from "@google-cloud/bigquery";
import type { EntityModel } from "../generate/model.ts";

/**
 * RECORDs that move as one value, atomic and REPEATED ones, are assigned from updates to final field by field in the order
 * in which the tables list them: BigQuery coerces a STRUCT by position
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules). So both tables must list the same.
 * A column added later stands last, a schema may list it first: a table made anew takes its order from the other one.
 */
export function alignWholeRecords(
  model: EntityModel,
  wanted: readonly TableField[],
  other: readonly TableField[],
): readonly TableField[] {
  return walk(wanted, other, wholePaths(model), "", alignRecord);
}

/** Where the two tables list the fields of such a RECORD differently: its path, undefined where they nowhere do. */
export function findMisalignedRecord(
  model: EntityModel,
  updates: readonly TableField[],
  final: readonly TableField[],
): string | undefined {
  let found: string | undefined;
  walk(updates, final, wholePaths(model), "", (one, other, path) => {
    if (shapeOf(one) !== shapeOf(other)) found ??= path;
    return one;
  });
  return found;
}

type Visit = (field: TableField, other: TableField, path: string) => TableField;

/** Visits each RECORD that moves as one value and that both lists have; gives the first list with what the visits gave. */
function walk(
  fields: readonly TableField[],
  others: readonly TableField[],
  wholes: ReadonlySet<string>,
  parent: string,
  visit: Visit,
): readonly TableField[] {
  return fields.map((field) => {
    const other = find(field, others);
    if (field.fields === undefined || other?.fields === undefined) return field;
    const path = parent === "" ? `${field.name}` : `${parent}.${field.name}`;
    if (wholes.has(path.toLowerCase())) return visit(field, other, path);
    return { ...field, fields: [...walk(field.fields, other.fields, wholes, path, visit)] };
  });
}

function wholePaths(model: EntityModel): ReadonlySet<string> {
  return new Set(
    model.leaves.filter(({ field }) => field.type === "STRUCT").map(({ dotted }) => dotted.toLowerCase()),
  );
}

/** The other table's fields in its order, those it lacks at the end, where BigQuery adds them to it. */
function alignRecord(field: TableField, other: TableField): TableField {
  if (field.fields === undefined || other.fields === undefined) return field;
  const { fields, fields: own } = field;
  const there = other.fields.map((one) => {
    const match = find(one, own);
    return match === undefined ? relax(one) : alignRecord(match, one);
  });
  return {
    ...field,
    fields: [...there, ...fields.filter((one) => find(one, other.fields ?? []) === undefined)],
  };
}

function relax(field: TableField): TableField {
  const relaxed = { ...field, mode: field.mode === "REQUIRED" ? "NULLABLE" : field.mode };
  return field.fields === undefined ? relaxed : { ...relaxed, fields: field.fields.map(relax) };
}

function shapeOf(field: TableField): string {
  const inner = (field.fields ?? []).map(shapeOf).join(", ");
  return `${field.name?.toLowerCase()}(${inner})`;
}

function find(field: TableField, fields: readonly TableField[]): TableField | undefined {
  return fields.find((one) => one.name?.toLowerCase() === field.name?.toLowerCase());
}
