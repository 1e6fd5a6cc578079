import { bytes, EvaluationError, int, list, text, type Udf, udf } from "./define.ts";

/** What a sketch begins with, before its precision and the type of what was counted. */
const MAGIC = "sketch";
const HEADER = MAGIC.length + 2;
const PRECISIONS = { least: 10n, most: 24n };

/**
 * What HLL_COUNT counts. Where BigQuery's sketch estimates from registers ours keeps a hash of each value, so its count is exact; only
 * these functions read a sketch, whose form is not documented.
 */
interface Sketch {
  readonly precision: number;
  /** The first letter of the type. */
  readonly type: number;
  readonly hashes: ReadonlySet<bigint>;
}

function write({ precision, type, hashes }: Sketch): Buffer {
  const data = Buffer.alloc(HEADER + 8 * hashes.size);
  data.write(MAGIC, "latin1");
  data[MAGIC.length] = precision;
  data[MAGIC.length + 1] = type;
  // In order, so that equal sets are equal sketches.
  let at = HEADER;
  for (const hash of BigInt64Array.from(hashes).sort()) at = data.writeBigInt64LE(hash, at);
  return data;
}

function read(data: Buffer, name: string): Sketch {
  const isSketch = data.length >= HEADER && data.toString("latin1", 0, MAGIC.length) === MAGIC;
  if (!isSketch || (data.length - HEADER) % 8 !== 0)
    throw new EvaluationError(`Invalid or incompatible sketch in HLL_COUNT.${name}`);
  const hashes = new Set<bigint>();
  for (let at = HEADER; at < data.length; at += 8) hashes.add(data.readBigInt64LE(at));
  return { precision: data[MAGIC.length] ?? 0, type: data[MAGIC.length + 1] ?? 0, hashes };
}

function init(hashes: readonly (bigint | null)[], precision: bigint, type: string): Buffer {
  if (precision < PRECISIONS.least || precision > PRECISIONS.most) {
    throw new EvaluationError(
      `Argument 2 to HLL_COUNT.INIT must be between ${PRECISIONS.least} and ${PRECISIONS.most}`,
    );
  }
  const known = hashes.filter((hash) => hash !== null);
  return write({ precision: Number(precision), type: type.charCodeAt(0), hashes: new Set(known) });
}

/** The sketch of all that sketches have counted, by the least of their precisions. */
function merged(sketches: readonly (Buffer | null)[], name: string): Sketch | undefined {
  const all = sketches.filter((each) => each !== null).map((each) => read(each, name));
  const [first] = all;
  if (first === undefined) return undefined;
  if (all.some(({ type }) => type !== first.type))
    throw new EvaluationError(`Invalid or incompatible sketch in HLL_COUNT.${name}`);
  return {
    type: first.type,
    precision: Math.min(...all.map(({ precision }) => precision)),
    hashes: new Set(all.flatMap(({ hashes }) => [...hashes])),
  };
}

/** HLL_COUNT: https://cloud.google.com/bigquery/docs/reference/standard-sql/hll_functions */
export const sketchUdfs: readonly Udf[] = [
  udf("hll_init", [list(int), int, text], bytes, init),
  udf("hll_merge", [list(bytes)], int, (sketches) => BigInt(merged(sketches, "MERGE")?.hashes.size ?? 0)),
  udf("hll_merge_partial", [list(bytes)], bytes, (sketches) => {
    const sketch = merged(sketches, "MERGE_PARTIAL");
    return sketch === undefined ? null : write(sketch);
  }),
  udf("hll_extract", [bytes], int, (sketch) => BigInt(read(sketch, "EXTRACT").hashes.size)),
];
