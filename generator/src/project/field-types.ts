import { z } from "zod";
import { isObject, show } from "./problems.ts";
import { say } from "./validate.ts";

/** BigQuery's types under their GoogleSQL names. */
export type FieldType =
  | "BIGNUMERIC"
  | "BOOL"
  | "BYTES"
  | "DATE"
  | "DATETIME"
  | "FLOAT64"
  | "GEOGRAPHY"
  | "INT64"
  | "INTERVAL"
  | "JSON"
  | "NUMERIC"
  | "RANGE<DATE>"
  | "RANGE<DATETIME>"
  | "RANGE<TIMESTAMP>"
  | "STRING"
  | "STRUCT"
  | "TIME"
  | "TIMESTAMP";

const TYPES = new Map<string, FieldType>([
  ["BIGDECIMAL", "BIGNUMERIC"],
  ["BIGNUMERIC", "BIGNUMERIC"],
  ["BOOL", "BOOL"],
  ["BOOLEAN", "BOOL"],
  ["BYTES", "BYTES"],
  ["DATE", "DATE"],
  ["DATETIME", "DATETIME"],
  ["DECIMAL", "NUMERIC"],
  ["FLOAT", "FLOAT64"],
  ["FLOAT64", "FLOAT64"],
  ["GEOGRAPHY", "GEOGRAPHY"],
  ["INT64", "INT64"],
  ["INTEGER", "INT64"],
  ["INTERVAL", "INTERVAL"],
  ["JSON", "JSON"],
  ["NUMERIC", "NUMERIC"],
  ["RECORD", "STRUCT"],
  ["STRING", "STRING"],
  ["STRUCT", "STRUCT"],
  ["TIME", "TIME"],
  ["TIMESTAMP", "TIMESTAMP"],
]);

/** A RANGE by the type of its bounds, which the schema names apart: https://cloud.google.com/bigquery/docs/schemas#creating_a_JSON_schema_file */
const RANGES = new Map<string, FieldType>([
  ["DATE", "RANGE<DATE>"],
  ["DATETIME", "RANGE<DATETIME>"],
  ["TIMESTAMP", "RANGE<TIMESTAMP>"],
]);

const ROUNDING_MODES = ["ROUND_HALF_AWAY_FROM_ZERO", "ROUND_HALF_EVEN"];

/** Every name that a schema may give as a type. */
export const TYPE_NAMES: readonly string[] = [...TYPES.keys(), "RANGE"];

/** Says what is wrong with an option of a field, or with the field itself where the option is empty. */
export type Refuse = (option: string, wrong: string, right: string) => void;

/** The type of this name, in any case; RANGE leaves open of what. */
export function typeNamed(name: string): FieldType | "RANGE" | undefined {
  return name.toUpperCase() === "RANGE" ? "RANGE" : TYPES.get(name.toUpperCase());
}

/** The RANGE whose bounds have this type, `{"type": "DATE"}`. */
export function rangeOf(element: unknown, refuse: Refuse): FieldType {
  const kind = isObject(element) ? element.type : undefined;
  const type = typeof kind === "string" ? RANGES.get(kind.toUpperCase()) : undefined;
  if (type !== undefined) return type;
  refuse(
    "rangeElementType",
    element === undefined ? "missing" : `${show(element)} is not the type of a RANGE's bounds`,
    `write {"type": "DATE"}, or one of ${[...RANGES.keys()].join(", ")}`,
  );
  return "RANGE<DATE>";
}

/** BigQuery's API writes whole numbers as texts. */
const wholeNumber = z
  .union([z.int().nonnegative(), z.string().regex(/^\d+$/).transform(Number).pipe(z.int())], {
    error: ({ input }) => say(`${show(input)} is not a whole number`, "write a whole number such as 10"),
  })
  .nullish();

/** The options of a parameterized type. */
export const parameterFields = { maxLength: wholeNumber, precision: wholeNumber, scale: wholeNumber };

/** How large NUMERIC and BIGNUMERIC may be: digits before the point, and after it. */
const LIMITS: Partial<Record<FieldType, { readonly whole: number; readonly scale: number }>> = {
  NUMERIC: { whole: 29, scale: 9 },
  BIGNUMERIC: { whole: 38, scale: 38 },
};

/**
 * The parameters of a field's type as GoogleSQL writes them, `10, 2`; undefined where it has none. Source:
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_data_types
 */
export function parametersOf(
  given: { readonly [option in keyof typeof parameterFields]?: number | null },
  type: FieldType,
  refuse: Refuse,
): string | undefined {
  const [length, precision, scale] = [given.maxLength, given.precision, given.scale].map(
    (value) => value ?? undefined,
  );
  if (length !== undefined && ((type !== "STRING" && type !== "BYTES") || length === 0))
    refuse("maxLength", `does not fit ${type}`, "maxLength is for STRING and BYTES, from 1 on");
  if (precision === undefined && scale === undefined) return length?.toString();
  const limits = LIMITS[type];
  if (limits === undefined) {
    refuse("precision", `does not fit ${type}`, "precision and scale are for NUMERIC and BIGNUMERIC");
    return undefined;
  }
  const digits = scale ?? 0;
  const [least, most] = [Math.max(1, digits), digits + limits.whole];
  if (precision === undefined || digits > limits.scale || precision < least || precision > most) {
    refuse(
      "precision",
      `${type} cannot have precision ${precision ?? "none"} with scale ${digits}`,
      `scale is at most ${limits.scale}, precision between max(1, scale) and scale + ${limits.whole}`,
    );
  }
  return scale === undefined ? `${precision}` : `${precision}, ${scale}`;
}

/** How a field of type NUMERIC or BIGNUMERIC rounds; undefined where the schema leaves it to BigQuery. */
export function roundingModeOf(value: unknown, type: FieldType, refuse: Refuse): string | undefined {
  if (value === undefined || value === "ROUNDING_MODE_UNSPECIFIED") return undefined;
  if (typeof value === "string" && ROUNDING_MODES.includes(value) && LIMITS[type] !== undefined) return value;
  refuse(
    "roundingMode",
    `${show(value)} does not fit ${type}`,
    `use ${ROUNDING_MODES.join(" or ")} on NUMERIC or BIGNUMERIC`,
  );
  return undefined;
}
