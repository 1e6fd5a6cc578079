import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FieldSchema } from "../../../src/types.ts";
import { Bench, field } from "./harness.ts";

let bench: Bench;

const home = (): FieldSchema =>
  field("home", "RECORD", "NULLABLE", [
    field("city", "STRING"),
    field("geo", "RECORD", "NULLABLE", [field("lat", "FLOAT"), field("marks", "INTEGER", "REPEATED")]),
  ]);

beforeAll(async () => {
  bench = await Bench.open([
    {
      name: "target",
      schema: [
        field("id", "INTEGER", "REQUIRED"),
        field("name", "STRING"),
        field("tags", "STRING", "REPEATED"),
        home(),
      ],
    },
    { name: "source", schema: [field("id", "INTEGER"), field("name", "STRING"), field("gone", "BOOLEAN")] },
    {
      name: "strict",
      schema: [
        { ...field("code", "STRING"), maxLength: "3" },
        field("part", "RECORD", "NULLABLE", [field("must", "INTEGER", "REQUIRED"), field("may", "INTEGER")]),
      ],
    },
  ]);
});

afterAll(() => bench.close());

beforeEach(async () => {
  for (const table of ["target", "source", "strict"]) await bench.connection.run(`DELETE FROM bq.${table}`);
  await bench.run(
    "INSERT INTO d.target (id, name, tags) VALUES (1, 'one', ['a']), (2, 'two', NULL), (3, NULL, [])",
  );
  await bench.run("INSERT INTO d.source VALUES (2, 'TWO', FALSE), (3, 'THREE', TRUE), (4, 'FOUR', FALSE)");
});

const all = (): Promise<unknown> => bench.rows("SELECT id, name FROM d.target ORDER BY id");

// https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax
describe("INSERT", () => {
  it("gives columns that are left out NULL, or an empty array", async () => {
    expect(await bench.run("INSERT INTO d.target (id) VALUES (9)")).toEqual({ inserted: 1 });
    const stored = await bench.connection.runAndReadAll(
      "SELECT name, len(tags), home FROM bq.target WHERE id = 9",
    );
    expect(stored.getRows()).toEqual([[null, 0n, null]]);
  });

  it("takes the rows of a query", async () => {
    expect(
      await bench.run("INSERT INTO d.target (name, id) SELECT name, id FROM d.source WHERE id > 3"),
    ).toEqual({ inserted: 1 });
    expect(await bench.rows("SELECT name FROM d.target WHERE id = 4")).toEqual([["FOUR"]]);
  });

  it.each([
    ["INSERT INTO d.target (name) VALUES ('x')", "Required field id cannot be null"],
    [
      "INSERT INTO d.target (id, tags) VALUES (9, ['a', NULL])",
      "Array cannot have a null element; error in writing field tags",
    ],
    [
      "INSERT INTO d.strict (code) VALUES ('four')",
      "Field code: STRING(3) has maximum length 3 but got a value with length 4",
    ],
    ["INSERT INTO d.strict (part) VALUES (STRUCT(NULL, 1))", "Required field part.must cannot be null"],
  ])("%s fails and writes nothing", async (sql, message) => {
    await expect(bench.run(sql)).rejects.toThrow(message);
    expect(
      await bench.rows("SELECT (SELECT COUNT(*) FROM d.target), (SELECT COUNT(*) FROM d.strict)"),
    ).toEqual([[3n, 0n]]);
  });

  it("lets a STRUCT with a REQUIRED field be NULL as a whole", async () => {
    expect(await bench.run("INSERT INTO d.strict (part) VALUES (NULL), (STRUCT(1, NULL))")).toEqual({
      inserted: 2,
    });
  });
});

describe("UPDATE", () => {
  it("sets a nested field and keeps its neighbours", async () => {
    await bench.run(
      "UPDATE d.target SET home = STRUCT('Oslo' AS city, STRUCT(1.5 AS lat, [7] AS marks) AS geo) WHERE id = 1",
    );
    expect(
      await bench.run("UPDATE d.target SET home.geo.lat = home.geo.lat + 1, name = home.city WHERE id = 1"),
    ).toEqual({ updated: 1 });
    expect(await bench.rows("SELECT name, home FROM d.target WHERE id = 1")).toEqual([
      ["Oslo", ["Oslo", [2.5, [7n]]]],
    ]);
  });

  it.each([
    ["home.city = 'here'", "STRUCT<city STRING, geo STRUCT<lat FLOAT64, marks ARRAY<INT64>>>"],
    ["home.geo.lat = 3", "STRUCT<lat FLOAT64, marks ARRAY<INT64>>"],
  ])("sets no field of a STRUCT that is NULL: %s", async (set, type) => {
    await bench.run("UPDATE d.target SET home = STRUCT('Oslo' AS city, NULL AS geo) WHERE id = 2");
    const id = set.includes("geo") ? 2 : 1;
    await expect(bench.run(`UPDATE d.target SET ${set} WHERE id = ${id}`)).rejects.toThrow(
      `Cannot set field of NULL ${type}`,
    );
  });

  it("takes DEFAULT for a field, which is NULL or an empty array", async () => {
    await bench.run(
      "UPDATE d.target SET home = STRUCT('Oslo' AS city, STRUCT(1.5 AS lat, [7] AS marks) AS geo) WHERE id = 1",
    );
    await bench.run("UPDATE d.target SET home.geo.marks = DEFAULT, home.city = DEFAULT WHERE id = 1");
    expect(await bench.rows("SELECT home FROM d.target WHERE id = 1")).toEqual([[[null, [1.5, []]]]]);
    await bench.run("UPDATE d.target SET home.geo = DEFAULT WHERE id = 1");
    expect(await bench.rows("SELECT home FROM d.target WHERE id = 1")).toEqual([[[null, null]]]);
  });

  it("sees the old values of all columns", async () => {
    await bench.run("UPDATE d.target SET id = id + 10, name = CAST(id AS STRING) WHERE TRUE");
    expect(await all()).toEqual([
      [11n, "1"],
      [12n, "2"],
      [13n, "3"],
    ]);
  });

  it("takes values from subqueries and from FROM", async () => {
    await bench.run(
      "UPDATE d.target t SET name = (SELECT s.name FROM d.source s WHERE s.id = t.id) WHERE id = 2",
    );
    expect(
      await bench.run(
        "UPDATE d.target t SET name = CONCAT(t.id, s.name) FROM d.source s WHERE s.id = t.id AND s.gone",
      ),
    ).toEqual({ updated: 1 });
    expect(await all()).toEqual([
      [1n, "one"],
      [2n, "TWO"],
      [3n, "3THREE"],
    ]);
  });

  it("fails where a row has several source rows, and changes nothing", async () => {
    await bench.run("INSERT INTO d.source VALUES (2, 'again', FALSE)");
    const sql = "UPDATE d.target t SET name = s.name FROM d.source s WHERE s.id = t.id";
    await expect(bench.run(sql)).rejects.toThrow(
      "UPDATE/MERGE must match at most one source row for each target row",
    );
    expect(await all()).toEqual([
      [1n, "one"],
      [2n, "two"],
      [3n, null],
    ]);
  });

  it.each([
    ["UPDATE d.target SET id = NULL WHERE id = 1", "Required field id cannot be null"],
    ["UPDATE d.target SET tags = [CAST(NULL AS STRING)] WHERE id = 1", "Array cannot have a null element"],
  ])("%s fails", async (sql, message) => {
    await expect(bench.run(sql)).rejects.toThrow(message);
  });
});

describe("DELETE and TRUNCATE", () => {
  it("delete what they say and count it", async () => {
    expect(
      await bench.run(
        "DELETE FROM d.target t WHERE EXISTS (SELECT 1 FROM d.source s WHERE s.id = t.id AND gone)",
      ),
    ).toEqual({ deleted: 1 });
    expect(await bench.run("DELETE FROM d.target WHERE name IS NULL")).toEqual({ deleted: 0 });
    expect(await bench.run("DELETE FROM d.target WHERE TRUE")).toEqual({ deleted: 2 });
    expect(await bench.run("TRUNCATE TABLE d.source")).toEqual({ deleted: 3 });
    expect(
      await bench.rows("SELECT (SELECT COUNT(*) FROM d.target), (SELECT COUNT(*) FROM d.source)"),
    ).toEqual([[0n, 0n]]);
  });
});

describe("MERGE", () => {
  it("does the first WHEN that matches each row", async () => {
    await bench.run("UPDATE d.target SET home = STRUCT('there' AS city, NULL AS geo) WHERE id = 2");
    const sql = `MERGE d.target t USING d.source s ON t.id = s.id
      WHEN MATCHED AND s.gone THEN DELETE
      WHEN MATCHED THEN UPDATE SET name = s.name, home.city = 'here'
      WHEN NOT MATCHED AND s.id > 100 THEN INSERT (id) VALUES (0)
      WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, SUBSTR(s.name, 1, 2))
      WHEN NOT MATCHED BY SOURCE AND t.id > 100 THEN DELETE
      WHEN NOT MATCHED BY SOURCE THEN UPDATE SET name = 'alone'`;
    expect(await bench.run(sql)).toEqual({ deleted: 1, updated: 2, inserted: 1 });
    expect(await bench.rows("SELECT id, name, tags, home.city FROM d.target ORDER BY id")).toEqual([
      [1n, "alone", ["a"], null],
      [2n, "TWO", [], "here"],
      [4n, "FO", [], null],
    ]);
  });

  it("takes INSERT ROW, and a condition that never holds", async () => {
    const sql = `MERGE d.source t USING (SELECT 7 AS id, 'x' AS name, TRUE AS gone) s ON FALSE
      WHEN NOT MATCHED THEN INSERT ROW
      WHEN NOT MATCHED BY SOURCE AND NOT gone THEN DELETE`;
    expect(await bench.run(sql)).toEqual({ deleted: 2, inserted: 1 });
    expect(await bench.rows("SELECT * FROM d.source ORDER BY id")).toEqual([
      [3n, "THREE", true],
      [7n, "x", true],
    ]);
  });

  it("fails where a row has several source rows to take, and changes nothing", async () => {
    await bench.run("INSERT INTO d.source VALUES (2, 'again', FALSE)");
    const update =
      "MERGE d.target t USING d.source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name";
    const remove = "MERGE d.target t USING d.source s ON t.id = s.id WHEN MATCHED THEN DELETE";
    for (const sql of [update, remove]) {
      await expect(bench.run(sql)).rejects.toThrow(
        "UPDATE/MERGE must match at most one source row for each target row",
      );
    }
    expect(await all()).toEqual([
      [1n, "one"],
      [2n, "two"],
      [3n, null],
    ]);
    // A source row that no WHEN takes is no second candidate.
    const one =
      "MERGE d.target t USING d.source s ON t.id = s.id WHEN MATCHED AND s.name = 'again' THEN UPDATE SET name = s.name";
    expect(await bench.run(one)).toEqual({ updated: 1 });
  });

  it("may insert a source row more than once, and leaves NULL keys unmatched", async () => {
    await bench.run("INSERT INTO d.source (name) VALUES ('n'), ('n')");
    const sql = `MERGE d.source t USING (SELECT CAST(NULL AS INT64) AS id, 'n' AS name) s ON t.id = s.id
      WHEN NOT MATCHED THEN INSERT (name) VALUES (s.name)`;
    expect(await bench.run(sql)).toEqual({ inserted: 1 });
    expect(await bench.value("SELECT COUNT(*) FROM d.source WHERE id IS NULL")).toBe(3n);
  });

  it("checks REQUIRED in every branch", async () => {
    const sql =
      "MERGE d.target t USING d.source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (name) VALUES (s.name)";
    await expect(bench.run(sql)).rejects.toThrow("Required field id cannot be null");
  });
});

describe("what is refused", () => {
  it.each([
    ["UPDATE d.target SET (DELETE FROM tags WHERE TRUE) WHERE TRUE", "DML nested in UPDATE"],
    ["UPDATE d.target SET name = 'x' WHERE TRUE ASSERT_ROWS_MODIFIED 1", "ASSERT_ROWS_MODIFIED"],
  ])("%s", async (sql, message) => {
    await expect(bench.compile(sql)).rejects.toThrow(message);
  });
});
