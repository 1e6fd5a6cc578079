import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, field } from "./harness.ts";

let bench: Bench;

const SCHEMA = [
  field("id", "INTEGER"),
  field("x", "FLOAT"),
  field("must", "FLOAT", "REQUIRED"),
  field("i", "INTERVAL"),
  field("r", "RECORD", "NULLABLE", [field("x", "FLOAT"), field("n", "INTEGER")]),
];

const MINUS_ZERO = "CAST('-0' AS FLOAT64)";
const NEW = `${MINUS_ZERO}, ${MINUS_ZERO}, INTERVAL 30 DAY, STRUCT(${MINUS_ZERO} AS x, 2 AS n)`;

// DuckDB compares values in the first UPDATE of a table's rows only.
beforeEach(async () => {
  bench = await Bench.open([
    { name: "target", schema: SCHEMA },
    { name: "source", schema: SCHEMA },
    {
      name: "lists",
      schema: [
        field("x", "FLOAT"),
        field("text", "STRING"),
        field("r", "RECORD", "NULLABLE", [field("x", "FLOAT"), field("xs", "INTEGER", "REPEATED")]),
      ],
    },
  ]);
  await bench.run(`INSERT INTO d.target (id, x, must, i, r) VALUES
    (1, 0.0, 0.0, INTERVAL 1 MONTH, STRUCT(0.0, 1)), (2, NULL, 5.0, NULL, STRUCT(NULL, NULL)), (3, 0.0, 0.0, INTERVAL 1 MONTH, STRUCT(0.0, 1))`);
  await bench.run(`INSERT INTO d.source (id, x, must, i, r) VALUES (1, ${NEW}), (2, ${NEW})`);
});

afterEach(() => bench.close());

const CHANGED = ["-inf", "-inf", "0-0 30 0:0:0", "-inf", 2n];
const KEPT = ["inf", "inf", "0-1 0 0:0:0", "inf", 1n];

/** Values that DuckDB holds equal to the ones that they take the place of: they are written all the same. */
describe("values that differ from those in their place in sign or form alone", () => {
  it.each([
    `UPDATE d.target SET x = ${MINUS_ZERO}, must = ${MINUS_ZERO}, i = INTERVAL 30 DAY, r = STRUCT(${MINUS_ZERO} AS x, 2 AS n) WHERE id < 3`,
    "UPDATE d.target t SET x = s.x, must = s.must, i = s.i, r = s.r FROM d.source s WHERE s.id = t.id",
    "MERGE d.target t USING d.source s ON s.id = t.id WHEN MATCHED THEN UPDATE SET x = s.x, must = s.must, i = s.i, r = s.r",
    "MERGE d.target t USING d.source s ON s.id = t.id WHEN MATCHED THEN UPDATE SET x = s.x, must = s.must, i = s.i, r.x = s.x, r.n = 2",
  ])("%s", async (sql) => {
    expect(await bench.run(sql)).toEqual({ updated: 2 });
    const sign = (value: string): string => `CAST(IEEE_DIVIDE(1, ${value}) AS STRING)`;
    expect(
      await bench.rows(
        `SELECT ${sign("x")}, ${sign("must")}, CAST(i AS STRING), ${sign("r.x")}, r.n FROM d.target ORDER BY id`,
      ),
    ).toEqual([CHANGED, CHANGED, KEPT]);
  });

  it("beside an ARRAY, for which DuckDB moves the row", async () => {
    await bench.run("INSERT INTO d.lists (x, text, r) VALUES (0.0, 'old', STRUCT(0.0, [1]))");
    expect(
      await bench.run(
        `UPDATE d.lists SET x = ${MINUS_ZERO}, text = 'new', r = STRUCT(${MINUS_ZERO} AS x, [2] AS xs) WHERE TRUE`,
      ),
    ).toEqual({ updated: 1 });
    expect(
      await bench.rows("SELECT IEEE_DIVIDE(1, x) < 0, text, IEEE_DIVIDE(1, r.x) < 0, r.xs FROM d.lists"),
    ).toEqual([[true, "new", true, [2n]]]);
  });
});
