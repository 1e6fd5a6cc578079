import { unsupported } from "../errors.ts";
import type { RangeType, ScalarKind, SqlType } from "../types.ts";
import type { Message } from "./client.ts";

const KIND_NAMES: Record<ScalarKind, string> = {
  INT64: "TYPE_INT64",
  FLOAT64: "TYPE_DOUBLE",
  BOOL: "TYPE_BOOL",
  STRING: "TYPE_STRING",
  BYTES: "TYPE_BYTES",
  DATE: "TYPE_DATE",
  DATETIME: "TYPE_DATETIME",
  TIME: "TYPE_TIME",
  TIMESTAMP: "TYPE_TIMESTAMP",
  NUMERIC: "TYPE_NUMERIC",
  BIGNUMERIC: "TYPE_BIGNUMERIC",
  JSON: "TYPE_JSON",
  GEOGRAPHY: "TYPE_GEOGRAPHY",
  INTERVAL: "TYPE_INTERVAL",
};

const KINDS = new Map(Object.entries(KIND_NAMES).map(([kind, name]) => [name, kind as ScalarKind]));

/** A type as GoogleSQL's server takes it. */
export function toTypeProto(type: SqlType): Message {
  if (type.kind === "ARRAY") {
    return { typeKind: "TYPE_ARRAY", arrayType: { elementType: toTypeProto(type.element) } };
  }
  if (type.kind === "STRUCT") {
    const field = type.fields.map(({ name, type }) => ({ fieldName: name, fieldType: toTypeProto(type) }));
    return { typeKind: "TYPE_STRUCT", structType: { field } };
  }
  if (type.kind === "RANGE") {
    return { typeKind: "TYPE_RANGE", rangeType: { elementType: toTypeProto(type.element) } };
  }
  return { typeKind: KIND_NAMES[type.kind] };
}

/** Trees share the messages of equal types, and so the types that are made of them. */
const known = new WeakMap<object, SqlType>();

/** A type as it stands in a resolved tree. What BigQuery does not have (protos, INT32, …) is refused by name. */
export function fromTypeProto(proto: unknown): SqlType {
  const message = (proto ?? {}) as object;
  const type = known.get(message) ?? readType(message);
  known.set(message, type);
  return type;
}

function readType(proto: object): SqlType {
  const { typeKind, arrayType, structType, rangeType } = proto as {
    typeKind?: string;
    arrayType?: { elementType?: unknown };
    structType?: { field?: readonly { fieldName?: string; fieldType?: unknown }[] };
    rangeType?: { elementType?: unknown };
  };
  if (typeKind === "TYPE_ARRAY") return { kind: "ARRAY", element: fromTypeProto(arrayType?.elementType) };
  if (typeKind === "TYPE_STRUCT") {
    const fields = (structType?.field ?? []).map(({ fieldName, fieldType }) => ({
      name: fieldName ?? "",
      type: fromTypeProto(fieldType),
    }));
    return { kind: "STRUCT", fields };
  }
  if (typeKind === "TYPE_RANGE") {
    return { kind: "RANGE", element: fromTypeProto(rangeType?.elementType) as RangeType["element"] };
  }
  const kind = KINDS.get(typeKind ?? "");
  if (kind === undefined) throw unsupported(`the type ${(typeKind ?? "unknown").replace("TYPE_", "")}`);
  return { kind };
}
