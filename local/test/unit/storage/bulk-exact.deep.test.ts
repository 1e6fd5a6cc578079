import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BadRecords } from "../../../src/storage/load/bad-records.ts";
import { csvQuery } from "../../../src/storage/load/csv-fast.ts";
import { readCsvRows } from "../../../src/storage/load/csv-rows.ts";
import { needsExactCsv } from "../../../src/storage/load/exact-csv.ts";
import { FORMS, jsonQuery, seedRows } from "../../../src/storage/load/json-fast.ts";
import { readJsonRows } from "../../../src/storage/load/json-rows.ts";
import { hasLooseCommas } from "../../../src/storage/load/loose-commas.ts";
import { parseLoadOptions } from "../../../src/storage/load/options.ts";
import { encodeRow, transportQuery } from "../../../src/storage/load/transport.ts";
import { usualDate, usualTimestamp } from "../../../src/storage/load/usual-forms.ts";
import { fieldType, parseSchema } from "../../../src/storage/schema.ts";
import { openStorage, type Storage } from "../../../src/storage/storage.ts";
import { parseText } from "../../../src/storage/text-values.ts";
import type { FieldSchema } from "../../../src/types.ts";
import { fromDuck, type SqlValue } from "../../../src/values.ts";

// Whatever DuckDB's readers accept in bulk must be what the exact path makes of it; what the exact path refuses they must refuse.

/** Random files of each type and format; CI tries fewer. */
const RUNS = Number(process.env.BULK_RUNS ?? 80);

let storage: Storage;
let folder: string;
beforeAll(async () => {
  storage = await openStorage();
  folder = await mkdtemp(join(tmpdir(), "bulk-"));
});
afterAll(async () => {
  await storage.close();
  await rm(folder, { recursive: true });
});

const NEWLINES = ["\n", "\r\n"] as const;

const PLAIN: Readonly<Record<string, string>> = {
  STRING: "abc",
  INT64: "12",
  FLOAT64: "1.5",
  BOOL: "true",
  BYTES: "YWI=",
  NUMERIC: "1.5",
  BIGNUMERIC: "1.5",
  DATE: "2020-01-02",
  TIME: "12:34:56",
  DATETIME: "2020-01-02T03:04:05",
  TIMESTAMP: "2020-01-02T03:04:05Z",
};

const TYPES = Object.keys(PLAIN);

async function query(schema: readonly FieldSchema[], sql: string): Promise<SqlValue[][] | undefined> {
  const rows = await storage.database
    .use(async (connection) => (await connection.runAndReadAll(sql)).getRows())
    .catch((error: unknown) => {
      expect(String(error)).not.toMatch(/^Error: (Binder|Parser|Catalog|INTERNAL|Not implemented)/);
      return undefined;
    });
  return rows?.map((row) => schema.map((field, index) => plainBytes(fromDuck(fieldType(field), row[index]))));
}

/** DuckDB's client gives a Buffer, which `toEqual` takes for something else than a Uint8Array. */
function plainBytes(value: SqlValue): SqlValue {
  if (Array.isArray(value)) return value.map(plainBytes);
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

async function all(rows: AsyncIterable<readonly SqlValue[]>): Promise<SqlValue[][] | undefined> {
  const found: SqlValue[][] = [];
  try {
    for await (const row of rows) found.push([...row]);
    return found;
  } catch {
    return undefined;
  }
}

/** Texts that look somewhat like values of all types. */
const piece = fc.constantFrom(
  ..."0123456789-+.:eE_TZ /,".split(""),
  ...[
    "2020",
    "0001",
    "9999",
    "-01",
    "-12-31",
    "T23:59:59",
    " 24:00:00",
    ".123456",
    "Z",
    "+00:00",
    " UTC",
    "+14:30",
  ],
  ...["NaN", "inf", "true", "false", "null", "1e400", "00", "YWI=", "==", "{", "[", "}", "é", " BC"],
);
const looseText = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));

const digits = (max: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(..."0123456789".split("")), { minLength: 1, maxLength: max })
    .map((d) => d.join(""));
const number = fc
  .tuple(
    fc.constantFrom("", "-"),
    digits(40),
    fc.option(digits(40)),
    fc.option(fc.integer({ min: -50, max: 50 })),
  )
  .map(([sign, whole, fraction, exponent]) => {
    const trimmed = whole.replace(/^0+(?=\d)/, "");
    return `${sign}${trimmed}${fraction === null ? "" : `.${fraction}`}${exponent === null ? "" : `e${exponent}`}`;
  });
const instant = fc
  .tuple(
    fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
    fc.constantFrom("", "Z", "+01:00", "-13:30", " UTC", "+15", " America/New_York"),
    fc.integer({ min: 0, max: 26 }),
  )
  .map(([date, zone, length]) => `${date.toISOString().slice(0, -1).slice(0, length)}${zone}`);

const clock = fc
  .tuple(fc.integer({ min: 0, max: 86_399_999 }), fc.constantFrom(5, 8, 10, 12))
  .map(([time, length]) => new Date(time).toISOString().slice(11, 11 + length));
const day = instant.map((text) => text.slice(0, 10));

const jsonValue = fc.oneof(
  clock.map((text) => JSON.stringify(text)),
  day.map((text) => JSON.stringify(text)),
  looseText.map((text) => JSON.stringify(text)),
  number.map((text) => JSON.stringify(text)),
  instant.map((text) => JSON.stringify(text)),
  number,
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.integer().map((value) => JSON.stringify(String(value))),
  fc.uint8Array().map((bytes) => JSON.stringify(Buffer.from(bytes).toString("base64"))),
  fc.constantFrom("NaN", "-Infinity", '"NaN"', "1e400", "01", ".5", "0x10"),
  fc.constantFrom("null", "true", "false", "{}", "[]", '[""]', '{"a":1}', '"\\u0000"', '"\\ud83d\\ude00"'),
);

/** Now and then a plain value, so that something is read in bulk. */
function mostly(values: fc.Arbitrary<string>, plain: string): fc.Arbitrary<string> {
  return fc.oneof({ weight: 3, arbitrary: values }, { weight: 1, arbitrary: fc.constant(plain) });
}

describe("what is read in bulk is what is read exactly", () => {
  test.each(TYPES)("NDJSON, %s", async (type) => {
    const schema = parseSchema([{ name: "v", type }]);
    const file = join(folder, `${type}.json`);
    const seed = `${file}.seed`;
    let bulkRows = 0;
    await fc.assert(
      fc.asyncProperty(mostly(jsonValue, JSON.stringify(PLAIN[type])), async (value) => {
        await writeFile(file, `{"v":${value}}\n`);
        const options = { ignoreUnknownValues: false, latin1: false };
        const exact = await all(readJsonRows(file, schema, options, new BadRecords("JSON", 0)));
        if (await hasLooseCommas(file)) return;
        for (const forms of FORMS) {
          await writeFile(seed, seedRows(schema, forms));
          const bulk = await query(schema, jsonQuery(schema, file, forms, seed));
          if (bulk === undefined) continue;
          bulkRows += 1;
          expect(bulk).toEqual(exact);
        }
      }),
      { numRuns: RUNS },
    );
    // The property says nothing where nothing is read in bulk.
    expect(bulkRows).toBeGreaterThan(3);
  });

  test.each(TYPES)("CSV, %s", async (type) => {
    const schema = parseSchema([
      { name: "v", type },
      { name: "w", type: "STRING" },
    ]);
    const file = join(folder, `${type}.csv`);
    const { csv } = parseLoadOptions({});
    let bulkRows = 0;
    const integer = fc.integer().map(String);
    const word = fc.constantFrom("true", "false", "YWI=", "");
    const quoted = looseText.map((text) => `"${text}"`);
    const cell = fc.oneof(looseText, number, instant, clock, day, integer, word, quoted);
    const usual = fc.constantFrom("", "x", '""');
    const other = fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: looseText });
    await fc.assert(
      fc.asyncProperty(
        mostly(cell, PLAIN[type] ?? ""),
        other,
        fc.constantFrom(...NEWLINES),
        async (first, second, newline) => {
          await writeFile(file, `${first},${second}${newline}`);
          const options = { ...csv, ignoreUnknownValues: false, latin1: false };
          const exact = await all(readCsvRows(file, schema, options, new BadRecords("CSV", 0)));
          if (await needsExactCsv(file, csv, schema.length)) return;
          for (const forms of ["usual", "all"] as const) {
            const bulk = await query(schema, csvQuery(schema, file, csv, forms) ?? "");
            if (bulk === undefined) continue;
            bulkRows += 1;
            expect(bulk).toEqual(exact);
          }
        },
      ),
      { numRuns: RUNS },
    );
    expect(bulkRows).toBeGreaterThan(3);
  });
});

describe("texts that look almost like the usual forms", () => {
  const characters = [..."01239 -+/.:TZeB", "\t", "\n", "\v"];
  const pairs = characters.flatMap((first) => characters.map((second) => first + second));
  const around = (before: string, after: string): string[] =>
    pairs.flatMap((first) =>
      pairs.map((second) => before.replace("$1", first).replace("$2", second) + after),
    );
  const DATES = [...around("2020-$1-$2", ""), ...around("$1$2-01-02", "")];
  const TIMES = [
    ...around("2020-$1-$2", "T01:02:03Z"),
    ...around("$1$2-01-02", "T01:02:03Z"),
    ...around("2020-01-02T$1:$2", ":03Z"),
    ...around("2020-01-02T01:$1:$2", "Z"),
    ...around("2020-01-02T01:02:$1$2", "Z"),
    ...around("2020-01-02T01:02:03.$1$2", "Z"),
  ];

  test.each([
    ["DATE", usualDate, DATES],
    ["TIMESTAMP", usualTimestamp, TIMES],
  ] as const)("%s", async (kind, reading, texts) => {
    const { value, unsure } = reading("x");
    const conditions = unsure(value)
      .map((condition) => `(${condition})`)
      .join(" OR ");
    // One text that DuckDB's casts refuse must not hide the others.
    const sql = `SELECT x, ${value} FROM texts WHERE (${conditions}) IS NOT TRUE`;
    const rows = await storage.database.use(async (connection) => {
      await connection.run("CREATE OR REPLACE TEMP TABLE texts (x VARCHAR)");
      const appender = await connection.createAppender("texts", "main", "temp");
      for (const text of texts) {
        appender.appendVarchar(text);
        appender.endRow();
      }
      appender.closeSync();
      return (await connection.runAndReadAll(sql.replaceAll("CAST(", "TRY_CAST("))).getRows();
    });
    const sure = rows.filter(([, read]) => read !== null);
    expect(sure.length).toBeGreaterThan(500);
    for (const [text, read] of sure) {
      expect([text, fromDuck({ kind }, read)]).toEqual([text, parseText(kind, String(text))]);
    }
  });
});

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const micros = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n });
const VALUES: [string, fc.Arbitrary<SqlValue>][] = [
  ["INT64", int64],
  ["FLOAT64", fc.double()],
  ["BOOL", fc.boolean()],
  ["STRING", fc.string({ unit: "grapheme" })],
  ["BYTES", fc.uint8Array()],
  ["NUMERIC", fc.bigInt({ min: 1n - 10n ** 38n, max: 10n ** 38n - 1n })],
  ["BIGNUMERIC", fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n - 1n })],
  ["DATE", fc.bigInt({ min: -719_162n, max: 2_932_896n })],
  ["TIME", fc.bigInt({ min: 0n, max: 86_399_999_999n })],
  ["DATETIME", micros],
  ["TIMESTAMP", micros],
  ["JSON", fc.json().map((text) => JSON.stringify(JSON.parse(text)))],
  [
    "INTERVAL",
    fc.record({
      months: fc.integer({ min: -120_000, max: 120_000 }),
      days: fc.integer({ min: -3_660_000, max: 3_660_000 }),
      micros: fc.bigInt({ min: -316_224_000_000_000_000n, max: 316_224_000_000_000_000n }),
    }),
  ],
];

const date = fc.bigInt({ min: -719_162n, max: 2_932_896n });
/** Two bounds in order, either of which may be missing. */
const rangeOf = (point: fc.Arbitrary<bigint>): fc.Arbitrary<SqlValue> =>
  fc
    .tuple(fc.option(point), fc.option(point))
    .filter(([start, end]) => start === null || end === null || start < end);
const RANGES: [string, fc.Arbitrary<SqlValue>][] = [
  ["DATE", rangeOf(date)],
  ["DATETIME", rangeOf(micros)],
  ["TIMESTAMP", rangeOf(micros)],
];

describe("values that were read exactly reach DuckDB unchanged", () => {
  test.each(RANGES)("RANGE<%s>, alone and in an ARRAY", async (element, value) => {
    const range = { type: "RANGE", rangeElementType: { type: element } };
    const schema = parseSchema([
      { name: "a", ...range },
      { name: "b", ...range, mode: "REPEATED" },
    ]);
    const file = join(folder, `range_${element}.rows`);
    const row = fc.tuple(fc.option(value), fc.array(value));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1 }), async (rows) => {
        await writeFile(file, rows.map((each) => encodeRow(schema, each)).join(""));
        expect(await query(schema, transportQuery(schema, file, 0))).toEqual(rows);
      }),
      { numRuns: 25 },
    );
  });

  test.each(VALUES)("%s, alone, in an ARRAY and in a STRUCT", async (type, value) => {
    const schema = parseSchema([
      { name: "a", type },
      { name: "b", type, mode: "REPEATED" },
      { name: "c", type: "RECORD", fields: [{ name: "x", type }] },
    ]);
    const file = join(folder, `${type}.rows`);
    const row = fc.tuple(fc.option(value), fc.array(value), fc.option(fc.option(value).map((x) => [x])));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1 }), async (rows) => {
        await writeFile(file, rows.map((each) => encodeRow(schema, each)).join(""));
        expect(await query(schema, transportQuery(schema, file, 0))).toEqual(rows);
      }),
      { numRuns: 25 },
    );
  });
});
