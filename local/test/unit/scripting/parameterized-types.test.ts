import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BigQueryError } from "../../../src/errors.ts";
import { TableLoader } from "../../../src/storage/load/loader.ts";
import type { SqlValue } from "../../../src/values.ts";
import { Harness, ref } from "./harness.ts";

// https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_data_types
const COLUMNS =
  "(s STRING(3), b BYTES(2), n NUMERIC(4, 2), w NUMERIC(3), g BIGNUMERIC(5, 1), e NUMERIC(4, 2) OPTIONS (rounding_mode = 'ROUND_HALF_EVEN'), r STRUCT<s STRING(2), l ARRAY<STRUCT<n NUMERIC(2, 1)>>>, a ARRAY<STRING(2)>)";

let harness: Harness;
let folder: string;
beforeAll(async () => {
  harness = await Harness.start();
  folder = await mkdtemp(join(tmpdir(), "limits-"));
});
afterAll(async () => {
  await harness.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await harness.run(`CREATE OR REPLACE TABLE d.t ${COLUMNS}`);
});

async function load(sourceFormat: string, data: string | undefined, options: object = {}): Promise<void> {
  const file = join(folder, "data");
  if (data !== undefined) await writeFile(file, data);
  await new TableLoader(harness.storage.catalog, (fields) => harness.engine.columnDefaults(fields)).load({
    destinationTable: ref("t"),
    file,
    options: { sourceFormat, ...options },
  });
}

async function parquet(columns: string): Promise<void> {
  const file = join(folder, "data");
  await harness.storage.database.use((c) => c.run(`COPY (SELECT ${columns}) TO '${file}' (FORMAT parquet)`));
  await load("PARQUET", undefined);
}

const destination = (sql: string) =>
  harness.run(sql, { destinationTable: ref("t"), writeDisposition: "WRITE_APPEND" });

/** Every way to write one value, given as GoogleSQL or as JSON, into a column. */
const WAYS: Record<string, (column: string, sql: string, json: unknown) => Promise<unknown>> = {
  INSERT: (column, sql) => harness.run(`INSERT d.t (${column}) VALUES (${sql})`),
  "INSERT SELECT": (column, sql) => harness.run(`INSERT d.t (${column}) SELECT ${sql}`),
  UPDATE: (column, sql) =>
    harness.run(`INSERT d.t (s) VALUES (NULL); UPDATE d.t SET ${column} = ${sql} WHERE TRUE`),
  MERGE: (column, sql) =>
    harness.run(
      `MERGE d.t USING (SELECT ${sql} AS x) ON FALSE WHEN NOT MATCHED THEN INSERT (${column}) VALUES (x)`,
    ),
  "a query's destination": (column, sql) => destination(`SELECT ${sql} AS ${column}`),
  "a load of NDJSON": (column, _sql, json) =>
    load("NEWLINE_DELIMITED_JSON", JSON.stringify({ [column]: json })),
};

describe("a column of a parameterized type, written by", () => {
  describe.each(Object.keys(WAYS))("%s", (name) => {
    const way = WAYS[name];
    if (way === undefined) throw new Error("no such way");

    it.each<[string, string, unknown, SqlValue]>([
      ["s", "'äöü'", "äöü", "äöü"],
      ["n", "NUMERIC '12.345'", "12.345", 12_350_000_000n],
      ["n", "NUMERIC '-12.345'", "-12.345", -12_350_000_000n],
      ["n", "NUMERIC '99.994'", "99.994", 99_990_000_000n],
      ["w", "NUMERIC '999.4'", "999.4", 999_000_000_000n],
      ["g", "BIGNUMERIC '-1234.56'", "-1234.56", -12346n * 10n ** 37n],
      ["e", "NUMERIC '12.345'", "12.345", 12_340_000_000n],
      ["e", "NUMERIC '12.355'", "12.355", 12_360_000_000n],
      ["a", "['ab', 'c']", ["ab", "c"], ["ab", "c"]],
    ])("%s keeps %s", async (column, sql, json, kept) => {
      await way(column, sql, json);
      expect(await harness.rows(`SELECT ${column} FROM d.t`)).toEqual([[kept]]);
    });

    it.each<[string, string, unknown]>([
      ["s", "'abcd'", "abcd"],
      ["b", "b'abc'", "YWJj"],
      ["n", "NUMERIC '99.995'", "99.995"],
      ["n", "NUMERIC '-100'", "-100"],
      ["w", "NUMERIC '999.5'", "999.5"],
      ["g", "BIGNUMERIC '9999.95'", "9999.95"],
      ["e", "NUMERIC '99.995'", "99.995"],
      ["a", "['ab', 'abc']", ["ab", "abc"]],
      ["r", "STRUCT('abc' AS s, [STRUCT(NUMERIC '1' AS n)] AS l)", { s: "abc", l: [{ n: "1" }] }],
      ["r", "STRUCT('ab' AS s, [STRUCT(NUMERIC '10' AS n)] AS l)", { s: "ab", l: [{ n: "10" }] }],
    ])("%s refuses %s", async (column, sql, json) => {
      const before = await harness.rows("SELECT COUNT(*) FROM d.t");
      const error = await way(column, sql, json).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "BigQueryError" });
      expect((error as BigQueryError).reason).toMatch(/^invalid/);
      if (name !== "UPDATE") expect(await harness.rows("SELECT COUNT(*) FROM d.t")).toEqual(before);
    });
  });

  it("says which field, and how long or great the value may be", async () => {
    const text = await harness.failure("INSERT d.t (s) VALUES ('abcd')");
    expect(text.message).toBe("Field s: STRING(3) has maximum length 3 but got a value with length 4");
    const decimal = await harness.failure("INSERT d.t (r) VALUES (STRUCT('ab', [STRUCT(NUMERIC '10')]))");
    expect(decimal.message).toBe(
      "Field r.l.n: NUMERIC(2, 1) has precision 2 and scale 1 but got a value that is not in range of [-9.9, 9.9]",
    );
  });

  it("CREATE TABLE with columns AS SELECT", async () => {
    await harness.run(
      "CREATE OR REPLACE TABLE d.c (n NUMERIC(4, 2), s STRING(2)) AS SELECT NUMERIC '1.005', 'ab'",
    );
    expect(await harness.rows("SELECT * FROM d.c")).toEqual([[1_010_000_000n, "ab"]]);
    await harness.failure("CREATE OR REPLACE TABLE d.c (n NUMERIC(4, 2)) AS SELECT NUMERIC '100'");
  });

  it("CSV, also with a schema that does not repeat the limits", async () => {
    await harness.run("CREATE OR REPLACE TABLE d.t (s STRING(3), n NUMERIC(4, 2))");
    await load("CSV", "abc,1.005\n");
    const schema = {
      fields: ["s", "n"].map((name) => ({ name, type: name === "s" ? "STRING" : "NUMERIC" })),
    };
    await load("CSV", "ab,2.005\n", { schema });
    expect(await harness.rows("SELECT * FROM d.t ORDER BY n")).toEqual([
      ["abc", 1_010_000_000n],
      ["ab", 2_010_000_000n],
    ]);
    await expect(load("CSV", "abcd,1\n", { schema })).rejects.toMatchObject({
      details: expect.arrayContaining([
        expect.objectContaining({ message: expect.stringMatching(/maximum length 3/) }),
      ]),
    });
    await expect(load("CSV", "a,100\n", { schema })).rejects.toMatchObject({
      details: expect.arrayContaining([
        expect.objectContaining({ message: expect.stringMatching(/does not fit/) }),
      ]),
    });
  });

  it("Parquet", async () => {
    await parquet(
      "'abc' AS s, 1.005::DECIMAL(10,3) AS n, 2.345::DECIMAL(10,3) AS e, 1.25::DECIMAL(10,2) AS g",
    );
    expect(await harness.rows("SELECT s, n, e, g FROM d.t")).toEqual([
      ["abc", 1_010_000_000n, 2_340_000_000n, 13n * 10n ** 37n],
    ]);
    await expect(parquet("'abcd' AS s")).rejects.toThrow(
      "Field s: STRING(3) has maximum length 3 but got a value with length 4",
    );
    await expect(parquet("100::DECIMAL(10,3) AS n")).rejects.toThrow(/not in range of \[-99.99, 99.99\]/);
    await expect(parquet("{'s': 'abc', 'l': []::STRUCT(n DECIMAL(4,2))[]} AS r")).rejects.toThrow(
      /Field r.s/,
    );
  });
});
