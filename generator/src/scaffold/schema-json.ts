/** A field as BigQuery's schema JSON writes it, as far as a new schema has it. */
export interface FieldJson {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly description?: string;
  readonly maxLength?: string;
  readonly precision?: string;
  readonly scale?: string;
  readonly roundingMode?: string;
  readonly rangeElementType?: { readonly type: string };
  readonly policyTags?: { readonly names?: readonly string[] };
  readonly fields?: readonly FieldJson[];
}

const KEPT = [
  "name",
  "type",
  "mode",
  "description",
  "maxLength",
  "precision",
  "scale",
  "roundingMode",
  "rangeElementType",
  "policyTags",
] as const;

/** A live table's fields without what a table alone has, such as data policies and default values. */
export function asSchemaFields(fields: readonly object[]): readonly FieldJson[] {
  return fields.map((field) => {
    const given = field as FieldJson;
    const kept = KEPT.filter((option) => given[option] !== undefined).map((option) => [
      option,
      given[option],
    ]);
    const inner = given.fields === undefined ? {} : { fields: asSchemaFields(given.fields) };
    return { ...Object.fromEntries(kept), ...inner } as FieldJson;
  });
}
