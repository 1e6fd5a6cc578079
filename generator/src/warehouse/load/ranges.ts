import type { TableField } from "@google-cloud/bigquery";

/**
 * A RANGE travels as a RECORD of its two bounds, as tabledata.insertAll has it: BigQuery documents no form of one in NDJSON and Parquet
 * files, and load jobs of them fail.
 */
export function boundFields(field: TableField): TableField[] {
  const type = field.rangeElementType?.type ?? "";
  return ["start", "end"].map((name) => ({ name, type, mode: "NULLABLE" }));
}

/** Whether there is a RANGE among these fields, at any depth. */
export function hasRange(fields: readonly TableField[]): boolean {
  return fields.some((field) => isRange(field) || hasRange(field.fields ?? []));
}

/** The fields with a RECORD of its bounds in place of each RANGE. */
export function stagedFields(fields: readonly TableField[]): TableField[] {
  return fields.map((field) => {
    if (isRange(field)) {
      const { rangeElementType: _, ...rest } = field;
      return { ...rest, type: "RECORD", fields: boundFields(field) };
    }
    return field.fields === undefined ? field : { ...field, fields: stagedFields(field.fields) };
  });
}

/** The GoogleSQL expression of a field's value, of its staged form that stands under this name. */
export function unstagedSql(field: TableField, staged: string, depth = 0): string {
  if (!hasRange([field])) return staged;
  if (field.mode === "REPEATED") {
    const [element, position] = [`element_${depth}`, `position_${depth}`];
    const value = unstagedSql({ ...field, mode: "NULLABLE" }, element, depth + 1);
    return `ARRAY(SELECT ${value} FROM UNNEST(${staged}) AS ${element} WITH OFFSET AS ${position} ORDER BY ${position})`;
  }
  const value = isRange(field)
    ? `RANGE(${staged}.\`start\`, ${staged}.\`end\`)`
    : `STRUCT(${(field.fields ?? []).map((inner) => `${unstagedSql(inner, `${staged}.\`${inner.name}\``, depth)} AS \`${inner.name}\``).join(", ")})`;
  return `IF(${staged} IS NULL, NULL, ${value})`;
}

/** A RANGE's text, `[2026-01-31, UNBOUNDED)`, as JSON; undefined where it is none. */
export function rangeJson(text: string): string | undefined {
  const [, start, end] = /^\s*\[([^,]+), ([^,]+)\)\s*$/.exec(text) ?? [];
  if (start === undefined || end === undefined) return undefined;
  const bound = (value: string): string | null => (/^(?:UNBOUNDED|NULL)$/i.test(value) ? null : value);
  return JSON.stringify({ start: bound(start), end: bound(end) });
}

/** True where a RANGE's two bounds are certain to be in the wrong order: times in the usual forms, to the millisecond. */
export function isBackwards(start: unknown, end: unknown): boolean {
  const [from, to] = [instantOf(start), instantOf(end)];
  return from !== undefined && to !== undefined && from >= to;
}

function instantOf(bound: unknown): number | undefined {
  const usual = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d(?:\.\d{1,3})?)(Z|[+-]\d\d:\d\d)?)?$/.exec(
    String(bound),
  );
  if (usual === null) return undefined;
  const [, day = "", clock = "00:00:00", zone = "Z"] = usual;
  const instant = Date.parse(`${day}T${clock}${zone}`);
  return Number.isNaN(instant) ? undefined : instant;
}

function isRange(field: TableField): boolean {
  return field.type?.toUpperCase() === "RANGE";
}
