import type { FieldSchema } from "../../types.ts";
import { quoteText } from "../../values.ts";
import type { CsvOptions } from "./options.ts";
import { type Reading, sureRows, textReading } from "./text-sql.ts";
import { usualDate, usualTimestamp } from "./usual-forms.ts";

/** Which values a query is sure of: `usual`, what is checked fastest, or all that DuckDB and BigQuery read alike. */
export type CsvForms = "usual" | "all";

/** The DuckDB query that gives a CSV file's rows in the schema's order, or fails where it is not sure of a row. */
export function csvQuery(
  schema: readonly FieldSchema[],
  file: string,
  options: CsvOptions,
  forms: CsvForms,
): string | undefined {
  // What DuckDB reads differently, or not at all, is left to the exact path.
  if (options.allowJaggedRows || options.skipRows > 1 || (options.nullMarkers?.length ?? 0) > 1)
    return undefined;
  if (options.quote !== "" && options.quote !== '"') return undefined;
  if (schema.length < 2) return undefined;
  const columns = schema.map((_, index) => `'c${index}': 'VARCHAR'`);
  const readings = schema.map((field, index) => cellReading(field, `c${index}`, options, forms));
  const arguments_ = [
    quoteText(file),
    `delim=${quoteText(options.delimiter)}`,
    `quote=${quoteText(options.quote)}`,
    `escape=${quoteText(options.quote)}`,
    `header=${options.skipRows === 1}`,
    `nullstr=${quoteText(options.nullMarkers?.[0] ?? "")}`,
    "allow_quoted_nulls=false",
    "auto_detect=false",
    "strict_mode=true",
    "null_padding=false",
    "compression='none'",
    "new_line='\\n'",
    `columns={${columns.join(", ")}}`,
  ];
  return sureRows(readings, `read_csv(${arguments_.join(", ")})`);
}

function cellReading(field: FieldSchema, sql: string, options: CsvOptions, forms: CsvForms): Reading {
  // A quoted empty cell is a value for STRING and BYTES only, and NULL for other types.
  const { value, unsure } = valueReading(field, sql, forms);
  const broken = field.type === "STRING" && !options.allowQuotedNewlines ? [`contains(${sql}, chr(10))`] : [];
  const missing = field.mode === "REQUIRED" ? [`${sql} IS NULL`] : [];
  return { value, unsure: (read) => [...missing, ...broken, ...unsure(read)] };
}

function valueReading(field: FieldSchema, sql: string, forms: CsvForms): Reading {
  if (forms === "usual" && field.type === "DATE") return usualDate(sql);
  if (forms === "usual" && field.type === "TIMESTAMP") return usualTimestamp(sql);
  return textReading(field, sql);
}
