/** A field of a protocol buffer message as it is on the wire: a varint, or bytes. */
export interface WireField {
  readonly field: number;
  readonly value: bigint | Buffer;
}

const VARINT = 0;
const BYTES = 2;
/** The sizes of the wire types that have one: 64 and 32 bits. */
const FIXED: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** The varints and byte fields of a message, in order; undefined where the bytes are no message. */
export function readMessage(message: Buffer): readonly WireField[] | undefined {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return undefined;
  };
  while (at < message.length) {
    const tag = varint();
    if (tag === undefined || tag > 0xffff_ffffn) return undefined;
    const field = Number(tag >> 3n);
    const type = Number(tag & 7n);
    if (field === 0) return undefined;
    if (type === VARINT) {
      const value = varint();
      if (value === undefined) return undefined;
      fields.push({ field, value });
    } else {
      const size = type === BYTES ? varint() : FIXED[type];
      if (size === undefined || Number(size) > message.length - at) return undefined;
      if (type === BYTES) fields.push({ field, value: message.subarray(at, at + Number(size)) });
      at += Number(size);
    }
  }
  return fields;
}

function varintBytes(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A message of these fields, without numbers that are 0 and bytes that are empty: a proto3 message leaves them out. */
export function writeMessage(fields: readonly WireField[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ field, value }) => {
      if (typeof value !== "bigint") return value.length === 0 ? [] : [subMessage(field, value)];
      return value === 0n ? [] : [varintBytes(BigInt(field << 3)), varintBytes(value)];
    }),
  );
}

/** A field that is a message itself, which may be empty. */
export function subMessage(field: number, message: Buffer): Buffer {
  return Buffer.concat([
    varintBytes(BigInt((field << 3) | BYTES)),
    varintBytes(BigInt(message.length)),
    message,
  ]);
}
