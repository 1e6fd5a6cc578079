import { randomBytes } from "node:crypto";
import { readMessage, subMessage, type WireField, writeMessage } from "./protobuf.ts";

/** google.crypto.tink.KeyData; enums are kept by their numbers. */
export interface KeyData {
  readonly typeUrl: string;
  readonly value: Buffer;
  readonly keyMaterialType: number;
}

/** google.crypto.tink.Keyset.Key. */
export interface Key {
  readonly keyData?: KeyData;
  readonly status: number;
  readonly keyId: number;
  readonly outputPrefixType: number;
}

/** google.crypto.tink.Keyset (https://github.com/tink-crypto/tink/blob/master/proto/tink.proto). */
export interface Keyset {
  readonly primaryKeyId: number;
  readonly keys: readonly Key[];
}

/** The names of the enums' numbers. */
export const KEY_MATERIAL_TYPES = [
  "UNKNOWN_KEYMATERIAL",
  "SYMMETRIC",
  "ASYMMETRIC_PRIVATE",
  "ASYMMETRIC_PUBLIC",
  "REMOTE",
];
export const KEY_STATUSES = ["UNKNOWN_STATUS", "ENABLED", "DISABLED", "DESTROYED"];
export const OUTPUT_PREFIX_TYPES = [
  "UNKNOWN_PREFIX",
  "TINK",
  "LEGACY",
  "RAW",
  "CRUNCHY",
  "WITH_ID_REQUIREMENT",
];

export const ENABLED = KEY_STATUSES.indexOf("ENABLED");
const SYMMETRIC = KEY_MATERIAL_TYPES.indexOf("SYMMETRIC");
/** How a key's number stands at the start of what it encrypts. */
export const PREFIX = {
  tink: OUTPUT_PREFIX_TYPES.indexOf("TINK"),
  legacy: OUTPUT_PREFIX_TYPES.indexOf("LEGACY"),
  raw: OUTPUT_PREFIX_TYPES.indexOf("RAW"),
  crunchy: OUTPUT_PREFIX_TYPES.indexOf("CRUNCHY"),
};

/** A kind of key: its type's URL, the field of its message that holds the key's bytes, and the lengths these may have. */
export interface KeyKind {
  readonly typeUrl: string;
  readonly field: number;
  readonly sizes: readonly number[];
}

export const AES_GCM: KeyKind = {
  typeUrl: "type.googleapis.com/google.crypto.tink.AesGcmKey",
  field: 3,
  sizes: [16, 32],
};
export const AES_SIV: KeyKind = {
  typeUrl: "type.googleapis.com/google.crypto.tink.AesSivKey",
  field: 2,
  sizes: [64],
};

/** What holds of a field that occurs several times: the last one. */
function last(fields: readonly WireField[], field: number, kind: "bigint"): bigint;
function last(fields: readonly WireField[], field: number, kind: "object"): Buffer | undefined;
function last(fields: readonly WireField[], field: number, kind: string): bigint | Buffer | undefined {
  const found = fields.findLast((each) => each.field === field && typeof each.value === kind);
  return found?.value ?? (kind === "bigint" ? 0n : undefined);
}

function number32(fields: readonly WireField[], field: number): number {
  return Number(BigInt.asUintN(32, last(fields, field, "bigint")));
}

/** The messages in a field, undefined where one of them is none. */
function messages(
  fields: readonly WireField[],
  field: number,
): readonly (readonly WireField[])[] | undefined {
  const found = fields.flatMap((each) =>
    each.field === field && typeof each.value !== "bigint" ? [readMessage(each.value)] : [],
  );
  return found.every((each) => each !== undefined) ? found : undefined;
}

function readKey(fields: readonly WireField[]): Key | undefined {
  const parts = messages(fields, 1);
  if (parts === undefined) return undefined;
  // The parts of a message that occurs several times are one message.
  const data = parts.flat();
  const keyData = {
    typeUrl: last(data, 1, "object")?.toString("utf8") ?? "",
    value: last(data, 2, "object") ?? Buffer.alloc(0),
    keyMaterialType: number32(data, 3),
  };
  return {
    ...(parts.length === 0 ? {} : { keyData }),
    status: number32(fields, 2),
    keyId: number32(fields, 3),
    outputPrefixType: number32(fields, 4),
  };
}

/** A keyset from its serialized form; undefined where the bytes are none. */
export function readKeyset(serialized: Buffer): Keyset | undefined {
  const fields = readMessage(serialized);
  const keys = fields && messages(fields, 2)?.map(readKey);
  if (fields === undefined || keys === undefined || !keys.every((key) => key !== undefined)) return undefined;
  return { primaryKeyId: number32(fields, 1), keys };
}

function writeKey({ keyData, status, keyId, outputPrefixType }: Key): Buffer {
  const data =
    keyData &&
    writeMessage([
      { field: 1, value: Buffer.from(keyData.typeUrl) },
      { field: 2, value: keyData.value },
      { field: 3, value: BigInt(keyData.keyMaterialType) },
    ]);
  const rest = writeMessage([
    { field: 2, value: BigInt(status) },
    { field: 3, value: BigInt(keyId) },
    { field: 4, value: BigInt(outputPrefixType) },
  ]);
  return data === undefined ? rest : Buffer.concat([subMessage(1, data), rest]);
}

/** The serialized form of a keyset. */
export function writeKeyset({ primaryKeyId, keys }: Keyset): Buffer {
  const primary = writeMessage([{ field: 1, value: BigInt(primaryKeyId) }]);
  return Buffer.concat([primary, ...keys.map((key) => subMessage(2, writeKey(key)))]);
}

/** The bytes of a key of this kind; undefined where its message is not one of the version and length that Tink takes. */
export function keyBytes({ typeUrl, value }: KeyData, kind: KeyKind): Buffer | undefined {
  const fields = readMessage(value);
  if (typeUrl !== kind.typeUrl || fields === undefined || number32(fields, 1) !== 0) return undefined;
  const bytes = last(fields, kind.field, "object");
  return bytes !== undefined && kind.sizes.includes(bytes.length) ? bytes : undefined;
}

/** The keyset with an enabled key more, whose number is random and not taken. */
export function withKey(keyset: Keyset, kind: KeyKind, bytes: Buffer, outputPrefixType: number): Keyset {
  let keyId = 0;
  while (keyId === 0 || keyset.keys.some((key) => key.keyId === keyId)) keyId = randomBytes(4).readUInt32BE();
  const value = writeMessage([{ field: kind.field, value: bytes }]);
  const keyData = { typeUrl: kind.typeUrl, value, keyMaterialType: SYMMETRIC };
  return { ...keyset, keys: [...keyset.keys, { keyData, status: ENABLED, keyId, outputPrefixType }] };
}
