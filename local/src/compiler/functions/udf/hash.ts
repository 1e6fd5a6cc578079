import { bytes, int, type Udf, udf } from "./define.ts";

const MASK = 0xffffffffffffffffn;
const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;

const add = (...values: bigint[]): bigint => values.reduce((a, b) => a + b, 0n) & MASK;
const mul = (a: bigint, b: bigint): bigint => (a * b) & MASK;
const rotate = (x: bigint, n: bigint): bigint => ((x >> n) | (x << (64n - n))) & MASK;
const shiftMix = (x: bigint): bigint => x ^ (x >> 47n);

function hash16(u: bigint, v: bigint, k: bigint): bigint {
  const a = shiftMix(mul(u ^ v, k));
  return mul(shiftMix(mul(v ^ a, k)), k);
}

function upTo16(s: Buffer): bigint {
  const n = s.length;
  const length = BigInt(n);
  if (n >= 8) {
    const k = add(K2, length * 2n);
    const a = add(s.readBigUInt64LE(0), K2);
    const b = s.readBigUInt64LE(n - 8);
    const c = add(mul(rotate(b, 37n), k), a);
    const d = mul(add(rotate(a, 25n), b), k);
    return hash16(c, d, k);
  }
  if (n >= 4) {
    const k = add(K2, length * 2n);
    return hash16(add(length, BigInt(s.readUInt32LE(0)) << 3n), BigInt(s.readUInt32LE(n - 4)), k);
  }
  if (n === 0) return K2;
  const [a, b, c] = [s.readUInt8(0), s.readUInt8(n >> 1), s.readUInt8(n - 1)];
  const y = BigInt(a + (b << 8));
  const z = BigInt(n + (c << 2));
  return mul(shiftMix(mul(y, K2) ^ mul(z, K0)), K2);
}

function upTo32(s: Buffer): bigint {
  const n = s.length;
  const k = add(K2, BigInt(n) * 2n);
  const a = mul(s.readBigUInt64LE(0), K1);
  const b = s.readBigUInt64LE(8);
  const c = mul(s.readBigUInt64LE(n - 8), k);
  const d = mul(s.readBigUInt64LE(n - 16), K2);
  return hash16(add(rotate(add(a, b), 43n), rotate(c, 30n), d), add(a, rotate(add(b, K2), 18n), c), k);
}

function upTo64(s: Buffer): bigint {
  const n = s.length;
  const k = add(K2, BigInt(n) * 2n);
  const a = mul(s.readBigUInt64LE(0), K2);
  const b = s.readBigUInt64LE(8);
  const c = mul(s.readBigUInt64LE(n - 8), k);
  const d = mul(s.readBigUInt64LE(n - 16), K2);
  const y = add(rotate(add(a, b), 43n), rotate(c, 30n), d);
  const z = hash16(y, add(a, rotate(add(b, K2), 18n), c), k);
  const e = mul(s.readBigUInt64LE(16), k);
  const f = s.readBigUInt64LE(24);
  const g = mul(add(y, s.readBigUInt64LE(n - 32)), k);
  const h = mul(add(z, s.readBigUInt64LE(n - 24)), k);
  return hash16(add(rotate(add(e, f), 43n), rotate(g, 30n), h), add(e, rotate(add(f, a), 18n), g), k);
}

function weak32(s: Buffer, at: number, seedA: bigint, seedB: bigint): readonly [bigint, bigint] {
  const [w, x, y, z] = [0, 8, 16, 24].map((step) => s.readBigUInt64LE(at + step)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  let a = add(seedA, w);
  let b = rotate(add(seedB, a, z), 21n);
  const c = a;
  a = add(a, x, y);
  b = add(b, rotate(a, 44n));
  return [add(a, z), add(b, c)];
}

function over64(s: Buffer): bigint {
  const n = s.length;
  const seed = 81n;
  let x = seed;
  let y = add(mul(seed, K1), 113n);
  let z = mul(shiftMix(add(mul(y, K2), 113n)), K2);
  let v: readonly [bigint, bigint] = [0n, 0n];
  let w: readonly [bigint, bigint] = [0n, 0n];
  x = add(mul(x, K2), s.readBigUInt64LE(0));
  const end = ((n - 1) >> 6) * 64;
  let at = 0;
  do {
    x = mul(rotate(add(x, y, v[0], s.readBigUInt64LE(at + 8)), 37n), K1);
    y = mul(rotate(add(y, v[1], s.readBigUInt64LE(at + 48)), 42n), K1);
    x ^= w[1];
    y = add(y, v[0], s.readBigUInt64LE(at + 40));
    z = mul(rotate(add(z, w[0]), 33n), K1);
    v = weak32(s, at, mul(v[1], K1), add(x, w[0]));
    w = weak32(s, at + 32, add(z, w[1]), add(y, s.readBigUInt64LE(at + 16)));
    [z, x] = [x, z];
    at += 64;
  } while (at !== end);
  const k = add(K1, (z & 0xffn) << 1n);
  at = n - 64;
  w = [add(w[0], BigInt((n - 1) & 63)), w[1]];
  v = [add(v[0], w[0]), v[1]];
  w = [add(w[0], v[0]), w[1]];
  x = mul(rotate(add(x, y, v[0], s.readBigUInt64LE(at + 8)), 37n), k);
  y = mul(rotate(add(y, v[1], s.readBigUInt64LE(at + 48)), 42n), k);
  x ^= mul(w[1], 9n);
  y = add(y, mul(v[0], 9n), s.readBigUInt64LE(at + 40));
  z = mul(rotate(add(z, w[0]), 33n), k);
  v = weak32(s, at, mul(v[1], k), add(x, w[0]));
  w = weak32(s, at + 32, add(z, w[1]), add(y, s.readBigUInt64LE(at + 16)));
  [z, x] = [x, z];
  return hash16(add(hash16(v[0], w[0], k), mul(shiftMix(y), K0), z), add(hash16(v[1], w[1], k), x), k);
}

/** FarmHash's Fingerprint64 (https://github.com/google/farmhash), written from its published definition. */
export function farmFingerprint(s: Buffer): bigint {
  const hash =
    s.length <= 16 ? upTo16(s) : s.length <= 32 ? upTo32(s) : s.length <= 64 ? upTo64(s) : over64(s);
  return BigInt.asIntN(64, hash);
}

/** Hashes that DuckDB lacks. */
export const hashUdfs: readonly Udf[] = [udf("farm_fingerprint", [bytes], int, farmFingerprint)];
