import { BigQueryError } from "../errors.ts";
import { findField } from "../storage/schema.ts";
import type { FieldSchema } from "../types.ts";
import type { SqlValue } from "../values.ts";

/** The part of a table that a client asked for. */
export interface Selection {
  readonly schema: readonly FieldSchema[];
  /** Names of the top-level columns to read, in order. */
  readonly columns: readonly string[];
  /** Cuts a row of those columns down to the schema. */
  readonly cut: (row: readonly SqlValue[]) => SqlValue[];
}

type Cut = (value: SqlValue) => SqlValue;

/** `selectedFields` of tabledata.list: names of fields, `a.b` for nested ones; all fields when there are none. */
export function selectFields(schema: readonly FieldSchema[], selected: readonly string[]): Selection {
  if (selected.length === 0) {
    return { schema, columns: schema.map((field) => field.name), cut: (row) => [...row] };
  }
  const parts = selectParts(
    schema,
    selected.map((path) => path.split(".")),
    "",
  );
  return {
    schema: parts.map((part) => part.field),
    columns: parts.map((part) => schema[part.index]?.name ?? ""),
    cut: (row) => parts.map((part, index) => part.cut(row[index] ?? null)),
  };
}

function selectParts(
  fields: readonly FieldSchema[],
  paths: readonly (readonly string[])[],
  parent: string,
): { field: FieldSchema; index: number; cut: Cut }[] {
  for (const [name = ""] of paths) {
    if (findField(fields, name) === undefined) {
      throw new BigQueryError("invalid", `Invalid field name: ${parent}${name}`, "selectedFields");
    }
  }
  return fields.flatMap((field, index) => {
    const below = paths.filter(([name = ""]) => findField(fields, name) === field);
    if (below.length === 0) return [];
    const inner = below.map((path) => path.slice(1));
    if (field.fields === undefined || inner.some((path) => path.length === 0)) {
      return [{ field, index, cut: (value: SqlValue) => value }];
    }
    const parts = selectParts(field.fields, inner, `${parent}${field.name}.`);
    const cutOne: Cut = (value) =>
      value === null
        ? null
        : parts.map((part) => part.cut((value as readonly SqlValue[])[part.index] ?? null));
    const cut: Cut =
      field.mode === "REPEATED"
        ? (value) => (value === null ? null : (value as readonly SqlValue[]).map(cutOne))
        : cutOne;
    return [{ field: { ...field, fields: parts.map((part) => part.field) }, index, cut }];
  });
}
