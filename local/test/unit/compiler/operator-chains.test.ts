import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench } from "./harness.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench.close());

const chain = (operand: string, operator: string): string => Array(400).fill(operand).join(` ${operator} `);

describe("a long chain of one operator", () => {
  it.each([
    ["adds", `SELECT ${chain("x", "+")} FROM UNNEST([1, NULL]) AS x ORDER BY 1`, [[null], [400n]]],
    ["subtracts from the left", `SELECT 1000 - ${chain("2", "-")}`, [[200n]]],
    ["joins text", `SELECT LENGTH(${chain("'ab'", "||")})`, [[800n]]],
    ["adds FLOAT64", `SELECT ${chain("0.5", "+")}`, [[200]]],
  ])("%s", async (_, sql, rows) => {
    expect(await bench.rows(sql)).toEqual(rows);
  });

  it("is compiled without nesting, which DuckDB plans in the cube of its depth", async () => {
    const compiled = await bench.compile(`SELECT ${chain("x", "+")} FROM UNNEST([1]) AS x`);
    expect(compiled.kind === "query" && compiled.sql).toMatch(/list_reduce\(\[(\w+, )+\w+\]/);
  });

  it("overflows where it does when written out", async () => {
    await expect(
      bench.rows(`SELECT ${chain("x", "+")} FROM UNNEST([4611686018427387904]) AS x`),
    ).rejects.toThrow("int64 overflow: 4611686018427387904 + 4611686018427387904");
  });
});

describe("an array that would take the memory of the process", () => {
  it.each(["GENERATE_ARRAY(x, x + 100000000)", "GENERATE_ARRAY(-9223372036854775807, 9223372036854775807)"])(
    "%s is refused",
    async (expression) => {
      await expect(bench.rows(`SELECT ${expression} FROM UNNEST([1]) AS x`)).rejects.toThrow(
        "Cannot generate arrays with more than 1000000 elements.",
      );
    },
  );
});
