import { bytes, int, type Udf, udf } from "./define.ts";

const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;

// V8 computes in machine words what BigInt.asUintN cuts to 64 bits at once; with a mask it makes an object of each value on the way.
const add = (a: bigint, b: bigint, c = 0n, d = 0n): bigint =>
  BigInt.asUintN(64, BigInt.asUintN(64, a + b) + BigInt.asUintN(64, c + d));
const mul = (a: bigint, b: bigint): bigint => BigInt.asUintN(64, a * b);
const rotate = (x: bigint, n: bigint): bigint => BigInt.asUintN(64, (x >> n) | (x << (64n - n)));
const shiftMix = (x: bigint): bigint => x ^ (x >> 47n);

function hash16(u: bigint, v: bigint, k: bigint): bigint {
  const a = shiftMix(mul(u ^ v, k));
  return mul(shiftMix(mul(v ^ a, k)), k);
}

function upTo16(s: DataView): bigint {
  const n = s.byteLength;
  const length = BigInt(n);
  if (n >= 8) {
    const k = add(K2, length * 2n);
    const a = add(s.getBigUint64(0, true), K2);
    const b = s.getBigUint64(n - 8, true);
    const c = add(mul(rotate(b, 37n), k), a);
    const d = mul(add(rotate(a, 25n), b), k);
    return hash16(c, d, k);
  }
  if (n >= 4) {
    const k = add(K2, length * 2n);
    return hash16(add(length, BigInt(s.getUint32(0, true)) << 3n), BigInt(s.getUint32(n - 4, true)), k);
  }
  if (n === 0) return K2;
  const [a, b, c] = [s.getUint8(0), s.getUint8(n >> 1), s.getUint8(n - 1)];
  const y = BigInt(a + (b << 8));
  const z = BigInt(n + (c << 2));
  return mul(shiftMix(mul(y, K2) ^ mul(z, K0)), K2);
}

function upTo32(s: DataView): bigint {
  const n = s.byteLength;
  const k = add(K2, BigInt(n) * 2n);
  const a = mul(s.getBigUint64(0, true), K1);
  const b = s.getBigUint64(8, true);
  const c = mul(s.getBigUint64(n - 8, true), k);
  const d = mul(s.getBigUint64(n - 16, true), K2);
  return hash16(add(rotate(add(a, b), 43n), rotate(c, 30n), d), add(a, rotate(add(b, K2), 18n), c), k);
}

function upTo64(s: DataView): bigint {
  const n = s.byteLength;
  const k = add(K2, BigInt(n) * 2n);
  const a = mul(s.getBigUint64(0, true), K2);
  const b = s.getBigUint64(8, true);
  const c = mul(s.getBigUint64(n - 8, true), k);
  const d = mul(s.getBigUint64(n - 16, true), K2);
  const y = add(rotate(add(a, b), 43n), rotate(c, 30n), d);
  const z = hash16(y, add(a, rotate(add(b, K2), 18n), c), k);
  const e = mul(s.getBigUint64(16, true), k);
  const f = s.getBigUint64(24, true);
  const g = mul(add(y, s.getBigUint64(n - 32, true)), k);
  const h = mul(add(z, s.getBigUint64(n - 24, true)), k);
  return hash16(add(rotate(add(e, f), 43n), rotate(g, 30n), h), add(e, rotate(add(f, a), 18n), g), k);
}

function weak32(s: DataView, at: number, seedA: bigint, seedB: bigint): readonly [bigint, bigint] {
  const [w, x, y, z] = [0, 8, 16, 24].map((step) => s.getBigUint64(at + step, true)) as [
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

function over64(s: DataView): bigint {
  const n = s.byteLength;
  const seed = 81n;
  let x = seed;
  let y = add(mul(seed, K1), 113n);
  let z = mul(shiftMix(add(mul(y, K2), 113n)), K2);
  let v: readonly [bigint, bigint] = [0n, 0n];
  let w: readonly [bigint, bigint] = [0n, 0n];
  x = add(mul(x, K2), s.getBigUint64(0, true));
  const end = ((n - 1) >> 6) * 64;
  let at = 0;
  do {
    x = mul(rotate(add(x, y, v[0], s.getBigUint64(at + 8, true)), 37n), K1);
    y = mul(rotate(add(y, v[1], s.getBigUint64(at + 48, true)), 42n), K1);
    x ^= w[1];
    y = add(y, v[0], s.getBigUint64(at + 40, true));
    z = mul(rotate(add(z, w[0]), 33n), K1);
    v = weak32(s, at, mul(v[1], K1), add(x, w[0]));
    w = weak32(s, at + 32, add(z, w[1]), add(y, s.getBigUint64(at + 16, true)));
    [z, x] = [x, z];
    at += 64;
  } while (at !== end);
  const k = add(K1, (z & 0xffn) << 1n);
  at = n - 64;
  w = [add(w[0], BigInt((n - 1) & 63)), w[1]];
  v = [add(v[0], w[0]), v[1]];
  w = [add(w[0], v[0]), w[1]];
  x = mul(rotate(add(x, y, v[0], s.getBigUint64(at + 8, true)), 37n), k);
  y = mul(rotate(add(y, v[1], s.getBigUint64(at + 48, true)), 42n), k);
  x ^= mul(w[1], 9n);
  y = add(y, mul(v[0], 9n), s.getBigUint64(at + 40, true));
  z = mul(rotate(add(z, w[0]), 33n), k);
  v = weak32(s, at, mul(v[1], k), add(x, w[0]));
  w = weak32(s, at + 32, add(z, w[1]), add(y, s.getBigUint64(at + 16, true)));
  [z, x] = [x, z];
  return hash16(add(hash16(v[0], w[0], k), mul(shiftMix(y), K0), z), add(hash16(v[1], w[1], k), x), k);
}

/** FarmHash's Fingerprint64 (https://github.com/google/farmhash), written from its published definition. */
export function farmFingerprint(text: Buffer): bigint {
  const s = new DataView(text.buffer, text.byteOffset, text.byteLength);
  const n = s.byteLength;
  const hash = n <= 16 ? upTo16(s) : n <= 32 ? upTo32(s) : n <= 64 ? upTo64(s) : over64(s);
  return BigInt.asIntN(64, hash);
}

/** Hashes that DuckDB lacks. */
export const hashUdfs: readonly Udf[] = [udf("farm_fingerprint", [bytes], int, farmFingerprint)];
