import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { childrenOf } from "../../../src/scripting/engine.ts";
import type { SqlValue } from "../../../src/values.ts";
import { field, Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.table("t", [field("k", "INTEGER"), field("v", "STRING")]);
  await harness.run("INSERT INTO d.t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
});
afterAll(() => harness.close());

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language */
describe("a script's result is that of its last statement", () => {
  const cases: [string, SqlValue[][]][] = [
    ["DECLARE x INT64; SELECT x", [[null]]],
    ["DECLARE x, y INT64 DEFAULT 3; SET x = x + 1; SELECT x, y", [[4n, 3n]]],
    ["DECLARE x DEFAULT 'text'; SELECT x", [["text"]]],
    ["DECLARE d DATE DEFAULT '1970-01-11'; SELECT d", [[10n]]],
    ["DECLARE f FLOAT64 DEFAULT 1; SELECT f", [[1]]],
    ["DECLARE a ARRAY<STRUCT<x INT64, y STRING>> DEFAULT [(1, 'p')]; SELECT a[0].y", [["p"]]],
    ["DECLARE n INT64 DEFAULT (SELECT COUNT(*) FROM d.t); SELECT n", [[3n]]],
    ["DECLARE a INT64; DECLARE b STRING; SET (a, b) = (7, 'x'); SELECT a, b", [[7n, "x"]]],
    [
      "DECLARE a INT64; DECLARE b STRING; SET (a, b) = (SELECT AS STRUCT k, v FROM d.t WHERE k = 2); SELECT a, b",
      [[2n, "b"]],
    ],
    ["DECLARE k INT64 DEFAULT 99; SELECT MAX(k) FROM d.t", [[3n]]],
    ["IF 1 > 2 THEN SELECT 'a'; ELSEIF NULL THEN SELECT 'b'; ELSE SELECT 'c'; END IF", [["c"]]],
    ["CASE 2 WHEN 1 THEN SELECT 'a'; WHEN 2 THEN SELECT 'b'; ELSE SELECT 'c'; END CASE", [["b"]]],
    ["CASE WHEN FALSE THEN SELECT 'a'; ELSE SELECT 'c'; END CASE", [["c"]]],
    [
      "DECLARE i INT64 DEFAULT 0; LOOP SET i = i + 1; IF i >= 4 THEN LEAVE; END IF; END LOOP; SELECT i",
      [[4n]],
    ],
    ["DECLARE i INT64 DEFAULT 0; WHILE i < 5 DO SET i = i + 2; END WHILE; SELECT i", [[6n]]],
    ["DECLARE i INT64 DEFAULT 9; REPEAT SET i = i + 1; UNTIL i > 3 END REPEAT; SELECT i", [[10n]]],
    [
      "DECLARE i, odd INT64 DEFAULT 0; WHILE i < 5 DO SET i = i + 1; IF MOD(i, 2) = 0 THEN CONTINUE; END IF; SET odd = odd + 1; END WHILE; SELECT odd",
      [[3n]],
    ],
    [
      "DECLARE n INT64 DEFAULT 0; outer_loop: LOOP LOOP SET n = n + 1; IF n > 2 THEN LEAVE outer_loop; END IF; ITERATE outer_loop; END LOOP; END LOOP; SELECT n",
      [[3n]],
    ],
    [
      "DECLARE s STRING DEFAULT ''; FOR r IN (SELECT v, k FROM d.t ORDER BY k DESC) DO SET s = s || r.v; END FOR; SELECT s",
      [["cba"]],
    ],
    ["DECLARE x INT64 DEFAULT 1; BEGIN DECLARE y INT64 DEFAULT 5; SET x = y; END; SELECT x", [[5n]]],
    ["SELECT 1; RETURN; SELECT 2", [[1n]]],
    ["DECLARE y INT64; EXECUTE IMMEDIATE 'SELECT ? * (? + 2)' INTO y USING 1, 3; SELECT y", [[5n]]],
    [
      "DECLARE y INT64; EXECUTE IMMEDIATE 'SELECT @a * (@b + 2)' INTO y USING 1 AS a, 3 AS b; SELECT y",
      [[5n]],
    ],
    [
      "DECLARE y INT64 DEFAULT 4; EXECUTE IMMEDIATE 'SELECT k FROM d.t WHERE k > 100' INTO y; SELECT y",
      [[null]],
    ],
    [
      "CREATE TEMP TABLE tt AS SELECT 1 AS x; INSERT INTO tt VALUES (2); SELECT SUM(x) FROM _SESSION.tt",
      [[3n]],
    ],
    [
      "CREATE TEMP FUNCTION twice(x INT64) AS (x * 2); CREATE TEMP FUNCTION four(x INT64) AS (twice(twice(x))); SELECT four(3)",
      [[12n]],
    ],
    ["CREATE TEMP FUNCTION plus(x ANY TYPE) AS (x + 1); SELECT plus(1), plus(0.5)", [[2n, 1.5]]],
    ["SET @@dataset_id = 'd'; SELECT COUNT(*) FROM t", [[3n]]],
    ["ASSERT (SELECT COUNT(*) FROM d.t) = 3 AS 'three'; SELECT 1", [[1n]]],
  ];
  it.each(cases)("%s", async (sql, rows) => {
    expect(await harness.rows(sql)).toEqual(rows);
  });
});

describe("parameters", () => {
  const int = (value: bigint) => ({ type: { kind: "INT64" } as const, value });

  it("by name are seen by every statement", async () => {
    const parameters = new Map([["a", int(4n)]]);
    expect(
      await harness.rows("DECLARE x INT64 DEFAULT @a; SET x = x + @A; SELECT x", { parameters }),
    ).toEqual([[8n]]);
  });

  it("by position count through the whole script", async () => {
    const sql =
      "DECLARE x INT64 DEFAULT ?; CASE ? WHEN ? THEN SELECT x, ?, 'a'; WHEN ? THEN SELECT x, ?, 'b'; END CASE";
    const parameters = [1n, 9n, 8n, 0n, 9n, 6n].map(int);
    expect(await harness.rows(sql, { parameters })).toEqual([[1n, 6n, "b"]]);
    expect((await harness.run(sql, { parameters, dryRun: true })).statementType).toBe("SCRIPT");
  });
});

describe("exceptions", () => {
  it("reach the innermost handler, which sees the message, the statement and the place", async () => {
    const sql =
      "BEGIN\n  SELECT 1 / 0;\nEXCEPTION WHEN ERROR THEN\n  SELECT @@error.message, @@error.statement_text, @@error.stack_trace[0].line;\nEND";
    expect(await harness.rows(sql)).toEqual([
      ["Query error: division by zero: 1 / 0 at [2:3]", "SELECT 1 / 0", 2n],
    ]);
  });

  it("of RAISE carry the message as it is given", async () => {
    const sql =
      "BEGIN RAISE USING MESSAGE = 'no ' || 'way'; EXCEPTION WHEN ERROR THEN SELECT @@error.message; END";
    expect(await harness.rows(sql)).toEqual([["no way"]]);
    expect((await harness.failure("RAISE USING MESSAGE = 'stop'")).message).toBe("stop at [1:1]");
  });

  it("are raised again by RAISE alone", async () => {
    const error = await harness.failure("BEGIN SELECT 1/0; EXCEPTION WHEN ERROR THEN RAISE; END");
    expect(error.message).toBe("Query error: division by zero: 1 / 0 at [1:7]");
    expect((await harness.failure("BEGIN RAISE; END")).message).toContain("outside of an exception handler");
  });

  it("do not leave their mark behind the handler", async () => {
    const sql = "BEGIN SELECT 1/0; EXCEPTION WHEN ERROR THEN SELECT 1; END; SELECT @@error.message";
    expect(await harness.rows(sql)).toEqual([[null]]);
  });
});

describe("procedures", () => {
  it("take IN, OUT and INOUT arguments and have variables of their own", async () => {
    await harness.run(`CREATE OR REPLACE PROCEDURE d.add_up(a INT64, INOUT total INT64, OUT name STRING)
      BEGIN
        DECLARE x INT64 DEFAULT a;
        SET total = total + x;
        SET name = CONCAT('after ', CAST(a AS STRING));
      END`);
    const sql = "DECLARE x INT64 DEFAULT 10; DECLARE n STRING; CALL d.add_up(5, x, n); SELECT x, n";
    expect(await harness.rows(sql)).toEqual([[15n, "after 5"]]);
  });

  it("may call themselves, but not without end", async () => {
    await harness.run("CREATE OR REPLACE PROCEDURE d.again() BEGIN CALL d.again(); END");
    expect((await harness.failure("CALL d.again()")).message).toContain("nest deeper");
  });

  it("are not found by another name", async () => {
    expect((await harness.failure("CALL d.nope()")).reason).toBe("notFound");
  });
});

describe("errors of scripts", () => {
  it.each([
    ["SELECT 1;\nSELECT zzz;", "Query error: Unrecognized name: zzz at [2:8]"],
    ["SELECT 'ü'; SELECT zzz;", "Query error: Unrecognized name: zzz at [1:20]"],
    ["DECLARE x INT64 DEFAULT 'a';", "Query error: Cannot coerce expression 'a' to type INT64 at [1:25]"],
    ["SELECT 1; SET nope = 1;", "Query error: Undeclared variable: nope at [1:11]"],
    ["DECLARE x INT64; DECLARE X INT64;", "Variable 'X' redeclaration at [1:18]"],
    [
      "BEGIN SELECT 1; END; DECLARE x INT64;",
      "Variable declarations are allowed only at the start of a block or script at [1:22]",
    ],
    [
      "IF TRUE THEN DECLARE x INT64; END IF",
      "Variable declarations are allowed only at the start of a block or script at [1:14]",
    ],
    ["BREAK", "BREAK without label is only allowed inside of a loop body at [1:1]"],
    ["a: LOOP LEAVE b; END LOOP a", "Label b does not exist or is out of scope at [1:9]"],
    ["a: BEGIN LOOP CONTINUE a; END LOOP; END a", "CONTINUE is only allowed inside of a loop body at [1:15]"],
    ["SELECT 1; SELECT 1 +;", 'Syntax error: Unexpected ";" at [1:21]'],
    [
      "SELECT 1; SET @@project_id = 'x';",
      "Query error: Cannot assign to read-only system variable @@project_id at [1:11]",
    ],
    [
      "EXECUTE IMMEDIATE 'SELECT 1; SELECT 2'",
      "Query error: EXECUTE IMMEDIATE SQL string must contain exactly one statement at [1:1]",
    ],
    ["ASSERT FALSE AS 'never'", "never"],
    [
      "SELECT 1 AS a, 2 AS A",
      "Duplicate column names in the result are not supported. Found duplicate(s): A",
    ],
  ])("%s", async (sql, message) => {
    expect(await harness.failure(sql)).toMatchObject({ message });
  });

  it("come with the statements that ran before", async () => {
    const error = await harness.failure("SELECT 1; SELECT 1 / 0; SELECT 3;");
    const types = childrenOf(error).map(({ outcome, error }) => outcome?.statementType ?? error?.message);
    expect(types).toEqual(["SELECT", "division by zero: 1 / 0"]);
  });

  it("of an unsupported statement name it", async () => {
    const error = await harness.failure(
      "SELECT 1; EXPORT DATA OPTIONS(uri='gs://b/*', format='CSV') AS SELECT 1;",
    );
    expect(error.message).toContain("Not supported by the local BigQuery endpoint: EXPORT DATA");
  });

  it("over a megabyte are refused before anything else", async () => {
    const sql = `SELECT 1 -- ${"x".repeat(1024 * 1024)}`;
    expect((await harness.failure(sql)).message).toContain("The query is too large");
  });
});

describe("temporary objects", () => {
  it("are gone with the script, and nobody else sees them", async () => {
    await harness.run("CREATE TEMP TABLE mine AS SELECT 1 AS x; SELECT * FROM mine");
    await harness.failure("SELECT * FROM mine");
    expect(harness.storage.catalog.listDatasets("p").map(({ datasetId }) => datasetId)).toEqual(["d"]);
  });

  it("may be made in a transaction", async () => {
    const sql =
      "BEGIN TRANSACTION; CREATE TEMP TABLE x AS SELECT 1 AS a; INSERT INTO x VALUES (2); COMMIT TRANSACTION; SELECT COUNT(*) FROM x";
    expect(await harness.rows(sql)).toEqual([[2n]]);
    expect(
      (await harness.failure("BEGIN TRANSACTION; CREATE TABLE d.x (a INT64); COMMIT")).message,
    ).toContain("DDL statements are not supported in a transaction");
  });
});

describe("a dry run", () => {
  it("gives a query's schema and bytes, and does nothing", async () => {
    const outcome = await harness.run("SELECT k FROM d.t", { dryRun: true });
    expect(outcome).toMatchObject({
      statementType: "SELECT",
      bytesProcessed: 24,
      schema: [{ name: "k", type: "INTEGER" }],
    });
    await harness.run("DELETE FROM d.t WHERE true", { dryRun: true });
    expect(await harness.rows("SELECT COUNT(*) FROM d.t")).toEqual([[3n]]);
  });

  it("checks a script's statements, and adds up what they read", async () => {
    const sql =
      "DECLARE x INT64 DEFAULT (SELECT MAX(k) FROM d.t); IF x > 1 THEN DELETE FROM d.t WHERE k = x; END IF;";
    expect(await harness.run(sql, { dryRun: true })).toMatchObject({ statementType: "SCRIPT" });
    expect((await harness.failure("SELECT 1;\nSELECT zzz FROM d.t", { dryRun: true })).message).toBe(
      "Unrecognized name: zzz at [2:8]",
    );
    expect(await harness.rows("SELECT COUNT(*) FROM d.t")).toEqual([[3n]]);
  });

  it("counts all partitions where a variable, known only in a run, chooses them", async () => {
    await harness.run(
      "CREATE TABLE d.days (day DATE, n INT64) PARTITION BY day AS SELECT DATE '2026-01-01' AS day, 1 AS n UNION ALL SELECT DATE '2026-01-02', 2",
    );
    const read = async (sql: string) => (await harness.run(sql, { dryRun: true })).bytesProcessed;
    const declare = "DECLARE first DATE DEFAULT DATE '2026-01-02'";
    expect(await read("SELECT n FROM d.days WHERE day >= DATE '2026-01-02'")).toBe(16);
    expect(await read(`${declare}; SELECT n FROM d.days WHERE day >= DATE '2026-01-02'`)).toBe(16);
    expect(await read(`${declare}; SELECT n FROM d.days WHERE day >= first`)).toBe(32);
  });

  it.each([
    ["PRECISE", "SELECT 1; SELECT k FROM d.t"],
    ["UPPER_BOUND", "IF RAND() < 1 THEN SELECT k FROM d.t; END IF"],
    ["UNKNOWN", "WHILE RAND() < 0.5 DO SELECT k FROM d.t; END WHILE"],
    ["PRECISE", "SELECT k FROM d.t; DROP TABLE d.t"],
    ["LOWER_BOUND", "DROP TABLE d.t; SELECT k FROM d.t"],
    ["LOWER_BOUND", "SELECT k FROM d.t; EXECUTE IMMEDIATE 'SELECT 1'"],
    ["UPPER_BOUND", "DECLARE x DATE; SELECT n FROM d.by_day WHERE day >= x"],
    ["PRECISE", "DECLARE x DATE; SELECT n FROM d.by_day WHERE n >= EXTRACT(DAY FROM x)"],
  ])("says how good the bytes of a dry run are: %s of %s", async (accuracy, sql) => {
    await harness.run("CREATE TABLE IF NOT EXISTS d.by_day (day DATE, n INT64) PARTITION BY day");
    expect((await harness.run(sql, { dryRun: true })).bytesAccuracy).toBe(accuracy);
  });

  it("does not judge what a statement before makes possible", async () => {
    const sql = "CREATE TABLE d.later (x INT64); SELECT x FROM d.later";
    expect((await harness.run(sql, { dryRun: true })).statementType).toBe("SCRIPT");
  });
});

describe("a job", () => {
  it("stops when it is cancelled", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const error = await harness.failure("LOOP SELECT 1; END LOOP", { signal: controller.signal });
    expect(error.reason).toBe("stopped");
  });

  it("stops in the middle of a statement, too", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const long =
      "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 1000000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b WHERE a < b";
    expect((await harness.failure(long, { signal: controller.signal })).reason).toBe("stopped");
    expect(await harness.rows("SELECT 1")).toEqual([[1n]]);
  });

  it("can be failed by a test before or after a statement takes effect", async () => {
    await harness.table("faulty", [field("n", "INTEGER")]);
    for (const [when, rows] of [
      ["before", 0n],
      ["after", 1n],
    ] as const) {
      const onStatement = (moment: "before" | "after"): void => {
        if (moment === when) throw new Error("injected");
      };
      await expect(harness.run("INSERT INTO d.faulty VALUES (1)", { onStatement })).rejects.toThrow(
        "injected",
      );
      expect(await harness.rows("SELECT COUNT(*) FROM d.faulty")).toEqual([[rows]]);
    }
  });

  it("writes to its destination table as its dispositions say", async () => {
    const destinationTable = { projectId: "p", datasetId: "d", tableId: "out" };
    const write = (sql: string, writeDisposition: "WRITE_EMPTY" | "WRITE_TRUNCATE" | "WRITE_APPEND") =>
      harness.rows(sql, { destinationTable, writeDisposition });
    expect(await write("SELECT 1 AS a", "WRITE_EMPTY")).toEqual([[1n]]);
    await expect(write("SELECT 1 AS a", "WRITE_EMPTY")).rejects.toThrow("Already Exists: Table p:d.out");
    expect(await write("SELECT 2 AS a", "WRITE_APPEND")).toEqual([[1n], [2n]]);
    await expect(write("SELECT 'x' AS a", "WRITE_APPEND")).rejects.toThrow("has changed type");
    expect(await write("SELECT a + 1 AS b FROM d.out", "WRITE_TRUNCATE")).toEqual([[2n], [3n]]);
    expect(await harness.rows("SELECT b FROM d.out")).toEqual([[2n], [3n]]);
    const never = harness.run("SELECT 1 AS a", {
      destinationTable: { ...destinationTable, tableId: "none" },
      createDisposition: "CREATE_NEVER",
    });
    await expect(never).rejects.toThrow("Not found: Table p:d.none");
  });

  // https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#ScriptStackFrame; bq prints where each statement stands.
  it("tells where each statement stands, and what called it", async () => {
    await harness.run(`CREATE OR REPLACE PROCEDURE d.called()
BEGIN
  SELECT 1;
END`);
    const { children = [] } = await harness.run(`SELECT 0;
  CALL d.called();
FOR x IN (SELECT * FROM UNNEST([1, 2]))
DO EXECUTE IMMEDIATE 'SELECT 2'; END FOR;`);
    const call = { startLine: 2, startColumn: 3, text: "CALL d.called()" };
    const immediate = { startLine: 4, startColumn: 4, text: "EXECUTE IMMEDIATE 'SELECT 2'" };
    const dynamic = [{ startLine: 1, startColumn: 1, text: "SELECT 2" }, immediate];
    expect(children.map(({ stackFrames }) => stackFrames)).toEqual([
      [{ startLine: 1, startColumn: 1, text: "SELECT 0" }],
      [{ startLine: 3, startColumn: 3, text: "SELECT 1", procedureId: "p.d.called" }, call],
      dynamic,
      dynamic,
    ]);
    const failed = await harness.failure("SELECT 1;\nSELECT ERROR('on purpose')");
    expect(childrenOf(failed).map(({ stackFrames }) => stackFrames[0]?.startLine)).toEqual([1, 2]);
  });
});
