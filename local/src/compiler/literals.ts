import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import type { IntervalValue, SqlValue } from "../values.ts";
import { childOf, nodeOf, nodesOf, textOf } from "./tree-access.ts";

/** The value of a Literal node; of an enum, its number as text. */
export function literalValue(node: TreeNode, type: SqlType): SqlValue {
  const value = nodeOf(childOf(node, "value"), "value");
  return value?.enumValue === undefined ? decode(value, type) : String(value.enumValue);
}

function decode(message: TreeNode | undefined, type: SqlType): SqlValue {
  const field = message === undefined ? "" : textOf(message, "value");
  if (message === undefined || field === "" || field === "_ValueProto_SwitchMustHaveADefault") return null;
  const raw = message[field];
  switch (type.kind) {
    case "INT64":
      return BigInt(raw as string);
    case "FLOAT64":
      return Number(raw);
    case "BOOL":
      return raw as boolean;
    case "STRING":
    case "JSON":
      return raw as string;
    case "BYTES":
      return raw as Buffer;
    case "DATE":
      return BigInt(raw as number);
    case "TIMESTAMP": {
      const { seconds = "0", nanos = 0 } = raw as { seconds?: string; nanos?: number };
      return BigInt(seconds) * 1_000_000n + BigInt(nanos) / 1000n;
    }
    case "DATETIME": {
      const { bitFieldDatetimeSeconds = "0", nanos = 0 } = raw as {
        bitFieldDatetimeSeconds?: string;
        nanos?: number;
      };
      return datetimeMicros(BigInt(bitFieldDatetimeSeconds)) + BigInt(nanos) / 1000n;
    }
    case "TIME": {
      const bits = BigInt(raw as string);
      return clockSeconds(bits >> 30n) * 1_000_000n + (bits & 0x3fffffffn) / 1000n;
    }
    case "NUMERIC":
    case "BIGNUMERIC":
      return signedInteger(raw as Buffer);
    case "INTERVAL":
      return interval(raw as Buffer);
    case "RANGE":
      return ["start", "end"].map((bound) => decode(nodeOf(raw as TreeNode, bound), type.element));
    case "ARRAY":
      return nodesOf(raw as TreeNode, "element").map((item) => decode(item, type.element));
    case "STRUCT": {
      const values = nodesOf(raw as TreeNode, "field");
      return type.fields.map((item, index) => decode(values[index], item.type));
    }
    case "GEOGRAPHY":
      throw unsupported("a literal of type GEOGRAPHY");
  }
}

/** Hour, minute and second in bits 12, 6 and 0. */
function clockSeconds(bits: bigint): bigint {
  return ((bits >> 12n) & 0x1fn) * 3600n + ((bits >> 6n) & 0x3fn) * 60n + (bits & 0x3fn);
}

/** Year, month, day, hour, minute and second in bits 26, 22, 17, 12, 6 and 0. */
function datetimeMicros(bits: bigint): bigint {
  const date = new Date(0);
  date.setUTCFullYear(Number(bits >> 26n), Number((bits >> 22n) & 0xfn) - 1, Number((bits >> 17n) & 0x1fn));
  return BigInt(date.getTime()) * 1000n + clockSeconds(bits & 0x1ffffn) * 1_000_000n;
}

/** Two's complement, the least significant byte first, as short as it can be. */
function signedInteger(bytes: Buffer): bigint {
  const unsigned = bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(bytes.length * 8, unsigned);
}

/**
 * Microseconds (8 bytes), days (4 bytes), and 4 bytes of months and nanoseconds: the sign, the months from bit 13,
 * and in the lowest 10 bits the nanoseconds below a microsecond.
 */
function interval(bytes: Buffer): IntervalValue {
  const packed = bytes.readUInt32LE(12);
  const months = (packed & 0x7fffe000) >>> 13;
  if ((packed & 0x3ff) !== 0) throw unsupported("an INTERVAL with nanoseconds");
  return {
    micros: bytes.readBigInt64LE(0),
    days: bytes.readInt32LE(8),
    months: packed >>> 31 === 1 ? -months : months,
  };
}
