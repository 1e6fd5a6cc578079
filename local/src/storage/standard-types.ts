import type { SqlType } from "../types.ts";

/** A type as routines have it: https://cloud.google.com/bigquery/docs/reference/rest/v2/StandardSqlDataType */
export interface StandardSqlType {
  readonly typeKind: string;
  readonly arrayElementType?: StandardSqlType;
  readonly rangeElementType?: StandardSqlType;
  readonly structType?: {
    readonly fields?: readonly { readonly name?: string; readonly type: StandardSqlType }[];
  };
}

/** The type as REST has it. */
export function standardSqlType(type: SqlType): StandardSqlType {
  if (type.kind === "ARRAY") return { typeKind: "ARRAY", arrayElementType: standardSqlType(type.element) };
  if (type.kind === "RANGE") return { typeKind: "RANGE", rangeElementType: standardSqlType(type.element) };
  if (type.kind !== "STRUCT") return { typeKind: type.kind };
  const fields = type.fields.map(({ name, type: field }) => ({
    ...(name === "" ? {} : { name }),
    type: standardSqlType(field),
  }));
  return { typeKind: "STRUCT", structType: { fields } };
}

/** The type as GoogleSQL writes it. */
export function standardTypeText(type: StandardSqlType): string {
  const { typeKind, arrayElementType, rangeElementType, structType } = type;
  if (arrayElementType != null) return `ARRAY<${standardTypeText(arrayElementType)}>`;
  if (rangeElementType != null) return `RANGE<${standardTypeText(rangeElementType)}>`;
  if (structType == null) return typeKind;
  const fields = (structType.fields ?? []).map(
    ({ name, type: field }) => `${name ? `${name} ` : ""}${standardTypeText(field)}`,
  );
  return `STRUCT<${fields.join(", ")}>`;
}
