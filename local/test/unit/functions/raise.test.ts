import { describe, expect, test } from "vitest";
import { CallScope } from "../../../src/compiler/call-scope.ts";
import { markMessage, raise, raisedMessage } from "../../../src/raise.ts";

describe("raise", () => {
  test("its message is found in the error that DuckDB makes of it", () => {
    const error = `Conversion Error: Could not convert string '${markMessage("division by zero: 7 / 0")}' to INT64\n\nLINE 1: SELECT …`;
    expect(raisedMessage(error)).toBe("division by zero: 7 / 0");
  });

  test("an error of DuckDB's own has no such message", () => {
    expect(raisedMessage("Conversion Error: Could not convert string 'x' to INT64")).toBeUndefined();
  });

  test("quotes in a message stay inside their literal", () => {
    expect(raise({ kind: "INT64" }, "it's")).toContain("'it''s'");
  });
});

describe("what is written quietly", () => {
  const scope = () => new CallScope({ now: 0n, correlated: false, fresh: (prefix) => prefix }, []);

  test("has NULL for what is raised, and calls the twins that never fail", () => {
    const context = scope();
    const write = () => context.failWhen("x < 0", { kind: "STRING" }, ["no"], `${context.own("chr")}(x)`);
    expect(context.quietly(write)).toBe("TRY((CASE WHEN x < 0 THEN NULL ELSE bq_safe_chr(x) END))");
    expect(write()).toContain("bq_chr(x)");
    expect(context.quietly(() => context.raise({ kind: "BOOL" }, "no"))).toBe("TRY(NULL::BOOLEAN)");
  });

  test("keeps a refusal, which TRY would make NULL", () => {
    const context = scope();
    const area = () => `${context.own("partial_st_area")}(x)`;
    expect(context.quietly(area)).toBe("bq_safe_partial_st_area(x)");
    expect(context.quietly(() => context.quietly(area))).toBe("bq_safe_partial_st_area(x)");
    expect(context.quietly(() => `${context.own("chr")}(x)`)).toBe("TRY(bq_safe_chr(x))");
  });
});
