import { describe, expect, test } from "vitest";
import { withoutErrors } from "../../../src/compiler/functions/without-errors.ts";
import { failWhen, markMessage, raise, raisedMessage } from "../../../src/raise.ts";

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

  test("withoutErrors makes NULL of it, and calls the twins that never fail", () => {
    const quiet = withoutErrors(failWhen("x < 0", { kind: "STRING" }, ["no"], "bq_upper(bq_chr(x))"));
    expect(quiet).toContain("TRY_CAST(concat(");
    expect(quiet).toContain("bq_safe_upper(bq_safe_chr(x))");
  });

  test("withoutErrors twice is the same as once", () => {
    expect(withoutErrors(withoutErrors("bq_chr(x)"))).toBe(`TRY(${withoutErrors("bq_chr(x)")})`);
  });
});
