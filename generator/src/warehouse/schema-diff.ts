import type { TableField } from "@google-cloud/bigquery";
import { typeName } from "./load/value.ts";

/** What differs between a table's columns as they are and as they should be. */
export interface SchemaDiff {
  /** The columns to write: what is there, extended; nothing is ever missing from them. */
  readonly fields: readonly TableField[];
  /** What the patch does, one line each: `+ profile.nickname STRING`. */
  readonly changes: readonly string[];
  /** What stays as it is although the schema says otherwise, and why. */
  readonly notes: readonly string[];
  /** What BigQuery cannot do, with its remedy. */
  readonly faults: readonly string[];
}

/**
 * Compares a table's columns with those it should have. It only ever adds and relaxes; a column that the schema lacks is relaxed where it is
 * the table's `own`, and left alone where it may be of somebody else.
 */
export function diffSchema(
  live: readonly TableField[],
  wanted: readonly TableField[],
  others: "own" | "foreign" = "own",
  parent = "",
): SchemaDiff {
  const changes: string[] = [];
  const notes: string[] = [];
  const faults: string[] = [];
  const fields = live.map((field) => {
    const path = pathOf(parent, field);
    const match = wanted.find((other) => isSame(field, other));
    if (match === undefined) {
      const isAsked = modeOf(field) === "REQUIRED";
      const forWhom = isAsked ? " REQUIRED, for whoever appends" : "";
      notes.push(
        `${path} is not in the schema and stays${others === "own" ? ", until a rebuild empties it" : forWhom}`,
      );
      if (!isAsked || others === "foreign") return field;
      // Else every update would still have to say something of it.
      changes.push(`~ ${path} REQUIRED -> NULLABLE`);
      return { ...field, mode: "NULLABLE" };
    }
    const merged = mergeField(field, match, path, others);
    changes.push(...merged.changes);
    notes.push(...merged.notes);
    faults.push(...merged.faults);
    return merged.field;
  });
  for (const field of wanted.filter((other) => !live.some((one) => isSame(one, other)))) {
    const added = asAddition(field);
    fields.push(added);
    changes.push(`+ ${describeField(added, parent)}`);
    if (field.mode === "REQUIRED")
      notes.push(`${pathOf(parent, field)} is added as NULLABLE: BigQuery adds no REQUIRED column`);
  }
  return { fields, changes, notes, faults };
}

interface FieldDiff extends Omit<SchemaDiff, "fields"> {
  readonly field: TableField;
}

function mergeField(
  live: TableField,
  wanted: TableField,
  path: string,
  others: "own" | "foreign",
): FieldDiff {
  const fault = typeFault(live, wanted, path);
  if (fault !== undefined) return { field: live, changes: [], notes: [], faults: [fault] };
  const changes: string[] = [];
  const notes: string[] = [];
  const field = { ...live };
  if (modeOf(live) === "REQUIRED" && modeOf(wanted) === "NULLABLE") {
    field.mode = "NULLABLE";
    changes.push(`~ ${path} REQUIRED -> NULLABLE`);
  } else if (modeOf(live) === "NULLABLE" && modeOf(wanted) === "REQUIRED") {
    notes.push(`${path} stays NULLABLE: BigQuery makes no column REQUIRED afterwards`);
  }
  if (parametersOf(live) !== parametersOf(wanted)) {
    notes.push(
      `${path} stays ${typeText(live)}; the schema says ${typeText(wanted)}: ALTER COLUMN SET DATA TYPE changes it where all old values fit`,
    );
  }
  if (wanted.description !== undefined && (live.description ?? "") === "") {
    field.description = wanted.description;
    changes.push(`~ ${path} described`);
  }
  const faults = guard(live, wanted, path, field, changes);
  if (typeName(live) !== "RECORD") return { field, changes, notes, faults };
  const inner = diffSchema(live.fields ?? [], wanted.fields ?? [], others, path);
  field.fields = [...inner.fields];
  return {
    field,
    changes: [...changes, ...inner.changes],
    notes: [...notes, ...inner.notes],
    faults: [...faults, ...inner.faults],
  };
}

/** Puts on a column what guards it; gives what guards it there and would not guard it in the tables made from this one. */
function guard(
  live: TableField,
  wanted: TableField,
  path: string,
  field: TableField,
  changes: string[],
): string[] {
  const [is, should] = [live, wanted].map(({ policyTags }) => policyTags?.names?.[0]);
  if (should !== undefined && is === undefined) {
    field.policyTags = { names: [should] };
    changes.push(`~ ${path} guarded by ${should}`);
  } else if (is !== should) {
    return [
      `${path} has the policy tag ${is} in the table and ${should ?? "none"} in the schema, so the tables made from it would not guard it; write "policyTags": {"names": ["${is}"]}`,
    ];
  }
  const { dataPolicies = [] } = live as { dataPolicies?: readonly unknown[] };
  return dataPolicies.length === 0
    ? []
    : [
        `${path} has a data policy, which Dataform cannot put on the tables that it makes from this one; guard it by a policy tag instead`,
      ];
}

function typeFault(live: TableField, wanted: TableField, path: string): string | undefined {
  const isRepeated = modeOf(live) === "REPEATED";
  const isSameType = typeName(live) === typeName(wanted) && elementOf(live) === elementOf(wanted);
  if (isSameType && isRepeated === (modeOf(wanted) === "REPEATED")) return undefined;
  return `${path} is ${describeType(live)} in the table and ${describeType(wanted)} in the schema, which init does not change; where BigQuery can widen the column, \`npm run review\` says how, else give the attribute a new name, or set the schema back`;
}

/** A new column of an existing table cannot be REQUIRED, at any depth. */
function asAddition(field: TableField): TableField {
  const relaxed = { ...field, mode: field.mode === "REQUIRED" ? "NULLABLE" : field.mode };
  return field.fields === undefined ? relaxed : { ...relaxed, fields: field.fields.map(asAddition) };
}

function describeField(field: TableField, parent: string): string {
  const inner = (field.fields ?? []).map((child) => child.name).join(", ");
  return `${pathOf(parent, field)} ${describeType(field)}${inner === "" ? "" : ` (${inner})`}`;
}

function describeType(field: TableField): string {
  return modeOf(field) === "REPEATED" ? `REPEATED ${typeText(field)}` : typeText(field);
}

function typeText(field: TableField): string {
  const parameters = parametersOf(field);
  if (typeName(field) === "RANGE") return `RANGE<${elementOf(field)}>`;
  return parameters === "" ? (field.type ?? "") : `${field.type}(${parameters})`;
}

function parametersOf(field: TableField): string {
  return [field.maxLength, field.precision, field.scale]
    .filter((part) => part !== undefined && part !== "0")
    .join(", ");
}

function elementOf(field: TableField): string {
  return field.rangeElementType?.type?.toUpperCase() ?? "";
}

function modeOf(field: TableField): string {
  return field.mode ?? "NULLABLE";
}

function pathOf(parent: string, field: TableField): string {
  return parent === "" ? `${field.name}` : `${parent}.${field.name}`;
}

function isSame(left: TableField, right: TableField): boolean {
  return (left.name ?? "").toLowerCase() === (right.name ?? "").toLowerCase();
}

/**
 * The fields of `live` that `wanted` lacks, at any depth, by their paths; each with a condition in SQL: whether `value`, a row or a RECORD, says
 * something of it.
 */
export function findStrangers(
  live: readonly TableField[],
  wanted: readonly TableField[],
  value: string,
  parent = "",
): readonly { readonly path: string; readonly says: string }[] {
  return live.flatMap((field) => {
    const match = wanted.find((other) => isSame(field, other));
    const [path, sql] = [pathOf(parent, field), `${value}.\`${field.name}\``];
    if (match === undefined) return [{ path, says: saysSomething(field, sql) }];
    const isRepeated = modeOf(field) === "REPEATED";
    const inner = findStrangers(field.fields ?? [], match.fields ?? [], isRepeated ? "element" : sql, path);
    return isRepeated
      ? inner.map(({ path, says }) => ({
          path,
          says: `EXISTS (SELECT 1 FROM UNNEST(${sql}) AS element WHERE ${says})`,
        }))
      : inner;
  });
}

function saysSomething(field: TableField, sql: string): string {
  return modeOf(field) === "REPEATED" ? `ARRAY_LENGTH(${sql}) > 0` : `${sql} IS NOT NULL`;
}
