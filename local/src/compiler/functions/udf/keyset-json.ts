import { EvaluationError } from "./define.ts";
import { quoteJson } from "./json-print.ts";
import { type Json, parseJson } from "./json-value.ts";
import {
  KEY_MATERIAL_TYPES,
  KEY_STATUSES,
  type Key,
  type KeyData,
  type Keyset,
  OUTPUT_PREFIX_TYPES,
} from "./tink-keyset.ts";

function fail(what: string): never {
  throw new EvaluationError(`KEYS.KEYSET_FROM_JSON failed: Keyset deserialization failed: ${what}`);
}

/** The fields of a message, by their names in JSON; those that are null are left out, as proto3's JSON has it. */
function fieldsOf(value: Json, names: readonly string[]): ReadonlyMap<string, Json> {
  if (!(value instanceof Map)) return fail("a JSON object was expected");
  const fields = new Map<string, Json>();
  for (const [written, item] of value as ReadonlyMap<string, Json>) {
    const name = written.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!names.includes(name)) fail(`no such field: ${written}`);
    if (item !== null) fields.set(name, item);
  }
  return fields;
}

function number(value: Json | undefined): number {
  if (value === undefined) return 0;
  const given = typeof value === "object" && value !== null && "integer" in value ? value.integer : value;
  const isText = typeof given === "string" && /^\d{1,10}$/.test(given);
  const found = typeof given === "bigint" || isText ? Number(given) : -1;
  return found >= 0 && found <= 0xffff_ffff ? found : fail("a number from 0 to 4294967295 was expected");
}

function enumeration(value: Json | undefined, names: readonly string[]): number {
  if (typeof value !== "string") return number(value);
  const found = names.indexOf(value);
  return found >= 0 ? found : fail(`no such value: ${value}`);
}

function text(value: Json | undefined): string {
  return value === undefined ? "" : typeof value === "string" ? value : fail("a string was expected");
}

/** Base64 in either alphabet, padded or not. */
function bytes(value: Json | undefined): Buffer {
  const encoded = text(value);
  const [, digits = ""] = /^([A-Za-z0-9+/_-]*)={0,2}$/.exec(encoded) ?? fail("Base64 was expected");
  return digits.length % 4 === 1 ? fail("Base64 was expected") : Buffer.from(digits, "base64");
}

function keyDataOf(value: Json): KeyData {
  const fields = fieldsOf(value, ["typeUrl", "value", "keyMaterialType"]);
  return {
    typeUrl: text(fields.get("typeUrl")),
    value: bytes(fields.get("value")),
    keyMaterialType: enumeration(fields.get("keyMaterialType"), KEY_MATERIAL_TYPES),
  };
}

function keyOf(value: Json): Key {
  const fields = fieldsOf(value, ["keyData", "status", "keyId", "outputPrefixType"]);
  const keyData = fields.get("keyData");
  return {
    ...(keyData === undefined ? {} : { keyData: keyDataOf(keyData) }),
    status: enumeration(fields.get("status"), KEY_STATUSES),
    keyId: number(fields.get("keyId")),
    outputPrefixType: enumeration(fields.get("outputPrefixType"), OUTPUT_PREFIX_TYPES),
  };
}

/** A repeated field that is given several times has the elements of all; of others the last one holds. */
function joined(first: Json, again: Json): Json {
  return Array.isArray(first) && Array.isArray(again) ? [...first, ...again] : again;
}

/**
 * A keyset from its JSON, as the JSON form of protocol buffers is read
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/aead_encryption_functions#keyskeyset_from_json).
 */
export function keysetFromJson(source: string): Keyset {
  const fields = fieldsOf(parseJson(source, "round", joined), ["primaryKeyId", "key"]);
  const keys = fields.get("key") ?? [];
  if (!Array.isArray(keys)) return fail("key is no array");
  return {
    primaryKeyId: number(fields.get("primaryKeyId")),
    keys: (keys as readonly Json[]).map(keyOf),
  };
}

/** An object of those members that are there. */
function object(members: Readonly<Record<string, string | undefined>>): string {
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  return `{${present.map(([name, value]) => `"${name}":${value}`).join(",")}}`;
}

function numberText(value: number): string | undefined {
  return value === 0 ? undefined : `${value}`;
}

function stringText(value: string): string | undefined {
  return value === "" ? undefined : quoteJson(value);
}

function enumText(value: number, names: readonly string[]): string | undefined {
  const name = names[value];
  return value === 0 || name === undefined ? numberText(value) : `"${name}"`;
}

/** A keyset as JSON, by the names of its fields, without those that have their default. */
export function keysetToJson({ primaryKeyId, keys }: Keyset): string {
  const key = keys.map(({ keyData, keyId, outputPrefixType, status }) =>
    object({
      keyData:
        keyData &&
        object({
          keyMaterialType: enumText(keyData.keyMaterialType, KEY_MATERIAL_TYPES),
          typeUrl: stringText(keyData.typeUrl),
          value: stringText(keyData.value.toString("base64")),
        }),
      keyId: numberText(keyId),
      outputPrefixType: enumText(outputPrefixType, OUTPUT_PREFIX_TYPES),
      status: enumText(status, KEY_STATUSES),
    }),
  );
  return object({
    key: key.length === 0 ? undefined : `[${key.join(",")}]`,
    primaryKeyId: numberText(primaryKeyId),
  });
}
