import type { RangeType } from "../types.ts";

/** The numbers of zetasql.TypeKind. */
const TYPE_NUMBERS = { STRING: 8, DATE: 10, TIMESTAMP: 19, DATETIME: 21, RANGE: 29 } as const;

type AppendedType = RangeType | { readonly kind: "STRING" | "TIMESTAMP" };

function message(field: number, content: string): string {
  return String.fromCharCode(field * 8 + 2, content.length) + content;
}

function typeMessage(type: AppendedType): string {
  const kind = (name: keyof typeof TYPE_NUMBERS): string => String.fromCharCode(8, TYPE_NUMBERS[name]);
  return type.kind === "RANGE"
    ? kind("RANGE") + message(8, message(1, kind(type.element.kind)))
    : kind(type.kind);
}

/**
 * The columns that a table function adds to those of its input, as the catalog wants them: a TVFRelationProto in protobuf's own bytes, all
 * of which are ASCII.
 */
export function appendedColumns(columns: readonly { name: string; type: AppendedType }[]): string {
  return columns
    .map(({ name, type }) => message(1, message(1, name) + message(2, typeMessage(type))))
    .join("");
}
