import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";

const BLOCK = 16;
const ZERO = Buffer.alloc(BLOCK);

function xor(a: Buffer, b: Buffer): Buffer {
  const mixed = Buffer.from(a);
  for (let index = 0; index < mixed.length; index++)
    mixed[index] = (a[index] as number) ^ (b[index] as number);
  return mixed;
}

/** Twice the number in GF(2^128) that a block stands for. */
function doubled(block: Buffer): Buffer {
  const twice = Buffer.from(block);
  for (let index = 0; index < BLOCK; index++) {
    twice[index] = ((block[index] as number) << 1) | ((block[index + 1] ?? 0) >> 7);
  }
  const carry = (block[0] as number) >> 7;
  twice[BLOCK - 1] = (twice[BLOCK - 1] as number) ^ (carry * 0x87);
  return twice;
}

/** A last block that is not full: a one, and zeros. */
function padded(rest: Buffer): Buffer {
  return Buffer.concat([rest, Buffer.from([0x80]), Buffer.alloc(BLOCK - 1 - rest.length)]);
}

/** CBC without padding and with an initialization vector of zeros. */
function chained(key: Buffer, blocks: Buffer): Buffer {
  return createCipheriv(`aes-${key.length * 8}-cbc`, key, ZERO)
    .setAutoPadding(false)
    .update(blocks);
}

/** A key for AES-CMAC with the subkeys of RFC 4493, 2.3. */
interface MacKey {
  readonly key: Buffer;
  readonly full: Buffer;
  readonly padded: Buffer;
  /** The code of a block of zeros. */
  readonly zero: Buffer;
}

let latest: MacKey | undefined;

/** What is computed from a key alone; rows that follow each other mostly have the same one. */
function macKey(key: Buffer): MacKey {
  if (latest?.key.equals(key) !== true) {
    const encrypted = chained(key, ZERO);
    const full = doubled(encrypted);
    latest = { key: Buffer.from(key), full, padded: doubled(full), zero: chained(key, full) };
  }
  return latest as MacKey;
}

function code(mac: MacKey, message: Buffer): Buffer {
  const rest = message.length % BLOCK;
  const isFull = message.length > 0 && rest === 0;
  const start = message.length - (isFull ? BLOCK : rest);
  const tail = message.subarray(start);
  const last = isFull ? xor(tail, mac.full) : xor(padded(tail), mac.padded);
  return chained(mac.key, Buffer.concat([message.subarray(0, start), last])).subarray(-BLOCK);
}

/** AES-CMAC (RFC 4493) of a message. */
export function aesCmac(key: Buffer, message: Buffer): Buffer {
  return code(macKey(key), message);
}

/** S2V (RFC 5297, 2.4) of associated data and a plaintext: the synthetic initialization vector. */
function syntheticVector(key: Buffer, associated: readonly Buffer[], plaintext: Buffer): Buffer {
  const mac = macKey(key);
  const sum = associated.reduce((mixed, data) => xor(doubled(mixed), code(mac, data)), mac.zero);
  if (plaintext.length < BLOCK) return code(mac, xor(doubled(sum), padded(plaintext)));
  const start = plaintext.length - BLOCK;
  return code(mac, Buffer.concat([plaintext.subarray(0, start), xor(plaintext.subarray(start), sum)]));
}

/** Counter mode from a synthetic vector, two bits of which are cleared (RFC 5297, 2.5). */
function counted(key: Buffer, vector: Buffer, text: Buffer): Buffer {
  const counter = Buffer.from(vector);
  counter[8] = (counter[8] as number) & 0x7f;
  counter[12] = (counter[12] as number) & 0x7f;
  return createDecipheriv(`aes-${key.length * 8}-ctr`, key, counter).update(text);
}

function halves(key: Buffer): readonly [Buffer, Buffer] {
  return [key.subarray(0, key.length / 2), key.subarray(key.length / 2)];
}

/** AES-SIV (RFC 5297): the synthetic vector and the ciphertext. The key has 32, 48 or 64 bytes. */
export function sivEncrypt(key: Buffer, associated: readonly Buffer[], plaintext: Buffer): Buffer {
  const [mac, stream] = halves(key);
  const vector = syntheticVector(mac, associated, plaintext);
  return Buffer.concat([vector, counted(stream, vector, plaintext)]);
}

/** The plaintext of what `sivEncrypt` gave; undefined where it was made with another key or other data. */
export function sivDecrypt(key: Buffer, associated: readonly Buffer[], sealed: Buffer): Buffer | undefined {
  if (sealed.length < BLOCK) return undefined;
  const [mac, stream] = halves(key);
  const vector = sealed.subarray(0, BLOCK);
  const plaintext = counted(stream, vector, sealed.subarray(BLOCK));
  return timingSafeEqual(vector, syntheticVector(mac, associated, plaintext)) ? plaintext : undefined;
}
