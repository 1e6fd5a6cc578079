import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toRuntimeError } from "../../../src/compiler/runtime-errors.ts";
import { BigQueryError } from "../../../src/errors.ts";
import { Bench } from "./harness.ts";

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench.close());

describe("an error that a query's data cause", () => {
  it.each([
    ["SELECT SUM(x) FROM UNNEST([9223372036854775807, 1]) x", "int64 overflow"],
    ["SELECT SUM(NUMERIC '99999999999999999999999999999') FROM UNNEST([1, 2, 3])", "numeric overflow: SUM"],
    ["SELECT REGEXP_CONTAINS(x, '(') FROM UNNEST(['a']) x", "Cannot parse regular expression: missing ): ("],
    ["SELECT [1, 2][OFFSET(x)] FROM UNNEST([2]) x", "Array index 2 is out of bounds (overflow)"],
    ["SELECT [1, 2][ORDINAL(x)] FROM UNNEST([0]) x", "Array index 0 is out of bounds (underflow)"],
    ["SELECT ERROR(CONCAT(\"it's \", x)) FROM UNNEST(['wrong']) x", "it's wrong"],
    [
      "SELECT (SELECT y FROM UNNEST([1, 2]) y WHERE y > x) FROM UNNEST([0]) x",
      "Scalar subquery produced more than one element",
    ],
  ])("%s", async (sql, message) => {
    const failure = await bench.rows(sql).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(BigQueryError);
    expect((failure as BigQueryError).toProto()).toEqual({
      reason: "invalidQuery",
      location: "query",
      message,
    });
  });

  it("is told apart from a defect of the endpoint", () => {
    const defect = new Error('Binder Error: Referenced column "c9" not found');
    expect(toRuntimeError(defect)).toBe(defect);
  });
});
