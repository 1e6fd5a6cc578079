import {
  bool,
  bytes,
  type Codec,
  EvaluationError,
  float,
  int,
  list,
  partialUdf,
  Refusal,
  text,
  type Udf,
  udf,
} from "./define.ts";

/** Comparisons that take a quarter of a second, in which the endpoint answers nobody. */
const MOST_STEPS = 25_000_000;

/** Levenshtein's distance between two sequences, or `limit` where it is greater. */
function editDistance<T>(a: ArrayLike<T>, b: ArrayLike<T>, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  if (a.length * b.length > MOST_STEPS) throw new Refusal("EDIT_DISTANCE of texts that are so long");
  // One row of costs, of which the new ones take the places of those above.
  const costs = Uint32Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const own = a[row - 1];
    let aboveLeft = row - 1;
    let left = row;
    let smallest = row;
    costs[0] = row;
    for (let column = 1; column <= b.length; column++) {
      const above = costs[column] as number;
      const replaced = own === b[column - 1] ? aboveLeft : aboveLeft + 1;
      const moved = (above < left ? above : left) + 1;
      left = replaced < moved ? replaced : moved;
      costs[column] = left;
      aboveLeft = above;
      if (left < smallest) smallest = left;
    }
    // Costs never fall from one row to the next.
    if (smallest >= limit) return limit;
  }
  return Math.min(costs[b.length] ?? 0, limit);
}

function codePoints(source: string): Uint32Array {
  return Uint32Array.from(source, (character) => character.codePointAt(0) ?? 0);
}

function limited<T>(a: ArrayLike<T>, b: ArrayLike<T>, limit: bigint): bigint {
  if (limit < 0n) throw new EvaluationError("Max distance must be non-negative");
  const most = Math.max(a.length, b.length);
  return BigInt(editDistance(a, b, limit > BigInt(most) ? most : Number(limit)));
}

/** A vector as the lists of what its pairs are: NULL or not, their dimensions and their magnitudes. */
function sparse<T>(
  nulls: readonly (boolean | null)[],
  dimensions: readonly (T | null)[],
  magnitudes: readonly (number | null)[],
): ReadonlyMap<T, number> {
  const vector = new Map<T, number>();
  nulls.forEach((isNull, index) => {
    const [dimension, magnitude] = [dimensions[index] ?? null, magnitudes[index] ?? null];
    if (isNull === true) throw new EvaluationError("NULL array element");
    if (dimension === null || magnitude === null) throw new EvaluationError("NULL struct field");
    if (vector.has(dimension)) {
      throw new EvaluationError(`Duplicate index ${dimension} found in the input array`);
    }
    vector.set(dimension, magnitude);
  });
  return vector;
}

function inOrder<T extends bigint | string>(a: T, b: T): number {
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  return a < b ? -1 : 1;
}

/** A function of sparse vectors: that of dense ones, with a dimension for each that either vector has, in order. */
function sparseUdf<T extends bigint | string>(
  name: string,
  dimension: Codec<T>,
  distance: (a: Vector, b: Vector) => number,
): Udf {
  const vector = [list(bool), list(dimension), list(float)] as const;
  return udf(name, [...vector, ...vector], float, (nullA, dimA, magA, nullB, dimB, magB) => {
    const [a, b] = [sparse(nullA, dimA, magA), sparse(nullB, dimB, magB)];
    const dimensions = [...new Set([...a.keys(), ...b.keys()])].sort(inOrder);
    return distance(
      dimensions.map((each) => a.get(each) ?? 0),
      dimensions.map((each) => b.get(each) ?? 0),
    );
  });
}

type Vector = readonly (number | null)[];

/** The elements of two vectors side by side. */
function pairs(a: Vector, b: Vector): readonly (readonly [number, number])[] {
  if (a.length !== b.length) {
    throw new EvaluationError(`Array length mismatch: ${a.length} and ${b.length}`);
  }
  return a.map((x, index) => {
    const y = b[index] ?? null;
    if (x === null || y === null) {
      throw new EvaluationError(`NULL array element in ${x === null ? "first" : "second"} argument`);
    }
    return [x, y];
  });
}

/** A step of floating point arithmetic: an infinity that was not in its operands is an overflow. */
function finite(result: number, ...operands: readonly number[]): number {
  if (Number.isFinite(result) || !operands.every(Number.isFinite)) return result;
  throw new EvaluationError("double overflow");
}

function sumOf(terms: readonly (readonly [number, number])[]): number {
  return terms.reduce((sum, [x, y]) => finite(sum + finite(x * y, x, y), sum, x, y), 0);
}

function cosineDistance(a: Vector, b: Vector): number {
  const both = pairs(a, b);
  const [squaredA, squaredB] = [sumOf(both.map(([x]) => [x, x])), sumOf(both.map(([, y]) => [y, y]))];
  if (squaredA === 0 || squaredB === 0) {
    throw new EvaluationError("Cannot compute cosine distance against zero vector");
  }
  return 1 - sumOf(both) / (Math.sqrt(squaredA) * Math.sqrt(squaredB));
}

function euclideanDistance(a: Vector, b: Vector): number {
  const differences = pairs(a, b).map(([x, y]) => finite(x - y, x, y));
  return Math.sqrt(sumOf(differences.map((difference) => [difference, difference])));
}

/**
 * Distances between texts and between vectors
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#edit_distance,
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions#cosine_distance).
 */
export const distanceUdfs: readonly Udf[] = [
  partialUdf("edit_distance", [text, text, int], int, (a, b, limit) =>
    limited(codePoints(a), codePoints(b), limit),
  ),
  partialUdf("edit_distance_bytes", [bytes, bytes, int], int, limited),
  udf("cosine_distance", [list(float), list(float)], float, cosineDistance),
  udf("euclidean_distance", [list(float), list(float)], float, euclideanDistance),
  sparseUdf("sparse_cosine_distance_names", text, cosineDistance),
  sparseUdf("sparse_cosine_distance_numbers", int, cosineDistance),
  sparseUdf("sparse_euclidean_distance_names", text, euclideanDistance),
  sparseUdf("sparse_euclidean_distance_numbers", int, euclideanDistance),
];
