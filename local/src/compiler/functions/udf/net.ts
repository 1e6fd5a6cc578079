import { isIPv4, isIPv6 } from "node:net";
import { bytes, EvaluationError, int, text, type Udf, udf } from "./define.ts";

function fromText(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  if (!isIPv6(address) || address.includes("%"))
    throw new EvaluationError(`NET.IP_FROM_STRING() encountered an unparseable IP-address: ${address}`);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain =
    dotted === null
      ? address
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [head = "", tail] = plain.split("::");
  const groups = (side: string): string[] => (side === "" ? [] : side.split(":"));
  const [before, after] = [groups(head), tail === undefined ? [] : groups(tail)];
  const middle = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return Buffer.from([...before, ...middle, ...after].map((group) => group.padStart(4, "0")).join(""), "hex");
}

function toText(address: Buffer): string {
  if (address.length === 4) return [...address].join(".");
  if (address.length !== 16)
    throw new EvaluationError(
      "NET.IP_TO_STRING() encountered an invalid address: its length must be either 4 or 16",
    );
  const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2));
  let [start, length] = [-1, 1];
  for (let index = 0; index < 8; index++) {
    let run = 0;
    while (index + run < 8 && groups[index + run] === 0) run++;
    if (run > length) [start, length] = [index, run];
  }
  const hex = groups.map((group) => group.toString(16));
  const isMapped = start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff));
  if (isMapped) return `::${length === 5 ? "ffff:" : ""}${[...address.subarray(12)].join(".")}`;
  return start < 0
    ? hex.join(":")
    : `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

function mask(size: bigint, prefix: bigint): Buffer {
  if (size !== 4n && size !== 16n)
    throw new EvaluationError(`The first argument of NET.IP_NET_MASK() must be either 4 or 16; got ${size}`);
  if (prefix < 0n || prefix > size * 8n)
    throw new EvaluationError(
      `The second argument of NET.IP_NET_MASK() must be between 0 and ${size * 8n}; got ${prefix}`,
    );
  const bits = "1".repeat(Number(prefix)).padEnd(Number(size) * 8, "0");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** NET functions on addresses. */
export const netUdfs: readonly Udf[] = [
  udf("net_ip_from_string", [text], bytes, fromText),
  udf("net_ip_to_string", [bytes], text, toText),
  udf("net_ip_net_mask", [int, int], bytes, mask),
  udf("net_ip_trunc", [bytes, int], bytes, (address, length) => {
    if (address.length !== 4 && address.length !== 16)
      throw new EvaluationError("The first argument of NET.IP_TRUNC() must be either 4 or 16 bytes long");
    const bits = mask(BigInt(address.length), length);
    return Buffer.from(address.map((byte, index) => byte & (bits[index] as number)));
  }),
  udf("net_ipv4_from_int64", [int], bytes, (value) => {
    if (value < -0x80000000n || value > 0xffffffffn)
      throw new EvaluationError(`NET.IPV4_FROM_INT64() encountered an argument out of range: ${value}`);
    const address = Buffer.alloc(4);
    address.writeUInt32BE(Number(BigInt.asUintN(32, value)));
    return address;
  }),
  udf("net_ipv4_to_int64", [bytes], int, (address) => {
    if (address.length !== 4) throw new EvaluationError(`NET.IPV4_TO_INT64() encountered a non-IPv4 address`);
    return BigInt(address.readUInt32BE(0));
  }),
];
