import { afterAll, beforeAll, expect, it } from "vitest";
import type { ParameterValue } from "../../../src/jobs/ports.ts";
import { Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

const INTEGERS = ["CAST(NULL AS INT64)", "0", "-1", "1", "2", "9223372036854775807"];
const FLOATS = [
  "CAST(NULL AS FLOAT64)",
  "0.0",
  "-0.5",
  "0.5",
  "1.0",
  "1e308",
  "CAST('nan' AS FLOAT64)",
  "CAST('inf' AS FLOAT64)",
];
const NUMERICS = [
  "CAST(NULL AS NUMERIC)",
  "NUMERIC '0'",
  "NUMERIC '-1'",
  "NUMERIC '0.5'",
  "NUMERIC '99999999999999999999999999999'",
];
const STRINGS = ["CAST(NULL AS STRING)", "''", "'-'"];

const overInt = "OVER (ORDER BY x) FROM UNNEST([1, 2, 3]) AS x ORDER BY 1";

/** Queries with a place, `?`, for a value that GoogleSQL checks before it runs them, and values for it. */
const PLACES: readonly (readonly [string, readonly string[]])[] = [
  [`SELECT LAG(x, ?) ${overInt}`, INTEGERS],
  [`SELECT LEAD(x, ?, 7) ${overInt}`, INTEGERS],
  [`SELECT NTH_VALUE(x, ?) ${overInt}`, INTEGERS],
  [`SELECT NTILE(?) ${overInt}`, INTEGERS],
  [
    "SELECT COUNT(*) OVER (ORDER BY x ROWS BETWEEN ? PRECEDING AND CURRENT ROW) FROM UNNEST([1, 2]) AS x ORDER BY 1",
    INTEGERS,
  ],
  [
    "SELECT COUNT(*) OVER (ORDER BY x RANGE BETWEEN CURRENT ROW AND ? FOLLOWING) FROM UNNEST([1, 2]) AS x ORDER BY 1",
    INTEGERS,
  ],
  [
    "SELECT COUNT(*) OVER (ORDER BY x RANGE BETWEEN ? PRECEDING AND CURRENT ROW) FROM UNNEST([1.5, 2]) AS x ORDER BY 1",
    FLOATS,
  ],
  [
    "SELECT COUNT(*) OVER (ORDER BY x RANGE BETWEEN ? PRECEDING AND CURRENT ROW) FROM UNNEST([NUMERIC '1', NUMERIC '2']) AS x ORDER BY 1",
    NUMERICS,
  ],
  ["SELECT STRING_AGG(x, ? ORDER BY x) FROM UNNEST(['a', 'b']) AS x", STRINGS],
  ["SELECT APPROX_TOP_COUNT(x, ?) FROM UNNEST([1, 2, 2]) AS x", INTEGERS],
  ["SELECT APPROX_TOP_SUM(x, 1, ?) FROM UNNEST([1, 2, 2]) AS x", INTEGERS],
  ["SELECT APPROX_QUANTILES(x, ?) FROM UNNEST([1, 2, 2]) AS x", INTEGERS],
  ["SELECT PERCENTILE_CONT(x, ?) OVER () FROM UNNEST([1.0, 2]) AS x", FLOATS],
  ["SELECT PERCENTILE_DISC(x, ?) OVER () FROM UNNEST([1.0, 2]) AS x", FLOATS],
];

const CASES = PLACES.flatMap(([query, values]) => values.map((value): [string, string] => [query, value]));

async function outcome(
  sql: string,
  parameters: ReadonlyMap<string, ParameterValue> = new Map(),
): Promise<unknown> {
  try {
    return await harness.rows(sql, { parameters });
  } catch (error) {
    // Only a literal has a place in the text.
    return String((error as Error).message).replace(/ at \[\d+:\d+\]$/, "");
  }
}

it.each(CASES)("%s gives the same for the literal %s and for a parameter", async (query, value) => {
  const [[given]] = (await harness.rows(`SELECT ${value}`)) as [[ParameterValue["value"]]];
  const kind = FLOATS.includes(value)
    ? "FLOAT64"
    : NUMERICS.includes(value)
      ? "NUMERIC"
      : STRINGS.includes(value)
        ? "STRING"
        : "INT64";
  const parameters = new Map([["p", { type: { kind } as ParameterValue["type"], value: given }]]);
  expect(await outcome(query.replace("?", "@p"), parameters)).toEqual(
    await outcome(query.replace("?", value)),
  );
});

it.each(["LIMIT @p", "LIMIT 1 OFFSET @p"])("%s takes neither NULL nor a negative number", async (clause) => {
  const message = async (value: bigint | null): Promise<string> => {
    const parameters = new Map([["p", { type: { kind: "INT64" as const }, value }]]);
    return (await harness.failure(`SELECT x FROM UNNEST([1]) AS x ${clause}`, { parameters })).message;
  };
  expect(await message(null)).toBe("Limit requires non-null count and offset");
  expect(await message(-1n)).toBe("Limit requires non-negative count and offset");
});
