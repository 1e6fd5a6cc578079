import { expect, it } from "vitest";
import { parseSchema, type SchemaField } from "../../../generator/src/project/schema.ts";
import { canSetType } from "../../../generator/src/review/column-types.ts";

function typed(text: string): SchemaField {
  const [, repeated, type = "", first, second] =
    /^(REPEATED )?(\w+)(?:\((\d+)(?:, (\d+))?\))?$/.exec(text) ?? [];
  const isText = type === "STRING" || type === "BYTES";
  const field = {
    name: "x",
    type,
    ...(repeated === undefined ? {} : { mode: "REPEATED" }),
    ...(first === undefined ? {} : isText ? { maxLength: first } : { precision: first }),
    ...(second === undefined ? {} : { scale: second }),
    ...(type === "RECORD" ? { fields: [{ name: "a", type: "STRING" }] } : {}),
  };
  const [parsed] = parseSchema(JSON.stringify([field]), "x.json");
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

// https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_column_set_data_type_statement
it.each([
  ["INT64", "NUMERIC", true],
  ["INT64", "BIGNUMERIC", true],
  ["INT64", "FLOAT64", true],
  ["INT64", "NUMERIC(19)", true],
  ["INT64", "NUMERIC(10)", false],
  ["INT64", "STRING", false],
  ["NUMERIC", "BIGNUMERIC", true],
  ["NUMERIC", "FLOAT64", true],
  ["NUMERIC", "INT64", false],
  ["BIGNUMERIC", "NUMERIC", false],
  ["BIGNUMERIC", "FLOAT64", true],
  ["FLOAT64", "NUMERIC", false],
  ["DATE", "DATETIME", true],
  ["DATE", "TIMESTAMP", false],
  ["DATETIME", "DATE", false],
  ["STRING", "BYTES", false],
  ["STRING(3)", "STRING(5)", true],
  ["STRING(3)", "STRING", true],
  ["STRING(5)", "STRING(3)", false],
  ["STRING", "STRING(3)", false],
  ["BYTES(3)", "BYTES(4)", true],
  ["NUMERIC(10, 2)", "NUMERIC(12, 2)", true],
  ["NUMERIC(10, 2)", "NUMERIC(10, 4)", false],
  ["NUMERIC(10, 2)", "NUMERIC(12, 4)", true],
  ["NUMERIC(10, 2)", "BIGNUMERIC(10, 2)", true],
  ["NUMERIC", "NUMERIC(10, 2)", false],
  ["REPEATED INT64", "REPEATED NUMERIC", false],
  ["REPEATED STRING(3)", "REPEATED STRING(5)", true],
  ["INT64", "REPEATED INT64", false],
  ["RECORD", "STRING", false],
])("%s to %s: %s", (before, after, allowed) => {
  expect(canSetType(typed(before), typed(after))).toBe(allowed);
});
