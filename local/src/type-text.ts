import type { SqlType } from "./types.ts";

/** A type as GoogleSQL writes it: `ARRAY<STRUCT<a INT64>>`. */
export function typeText(type: SqlType): string {
  if (type.kind === "ARRAY" || type.kind === "RANGE") return `${type.kind}<${typeText(type.element)}>`;
  if (type.kind !== "STRUCT") return type.kind;
  const fields = type.fields.map(({ name, type }) =>
    name === "" ? typeText(type) : `${name} ${typeText(type)}`,
  );
  return `STRUCT<${fields.join(", ")}>`;
}
