import { isObject, type ProblemList, show } from "./problems.ts";

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

/** The type that a field of the schema says, with its faults added to the problems; undefined where it says none. */
export function parseType(
  item: Record<string, unknown>,
  path: string,
  problems: ProblemList,
): FieldType | undefined {
  if (isRange(item.type)) return parseRange(item.rangeElementType, path, problems);
  if (item.rangeElementType !== undefined) {
    problems.add(
      `${path}.rangeElementType`,
      `a ${show(item.type)} has none`,
      "make it a RANGE or leave rangeElementType out",
    );
  }
  return parseNamedType(item.type, path, problems);
}

function parseNamedType(value: unknown, path: string, problems: ProblemList): FieldType | undefined {
  const place = `${path}.type`;
  const type = typeof value === "string" ? TYPES.get(value.toUpperCase()) : undefined;
  if (type !== undefined) return type;
  if (value === undefined) problems.add(place, "missing", "write a BigQuery type such as STRING");
  else {
    problems.add(
      place,
      `${show(value)} is not a BigQuery type`,
      `write one of ${[...TYPES.keys(), "RANGE"].join(", ")}`,
    );
  }
  return undefined;
}

function isRange(type: unknown): boolean {
  return typeof type === "string" && type.toUpperCase() === "RANGE";
}

function parseRange(element: unknown, path: string, problems: ProblemList): FieldType | undefined {
  const kind = isObject(element) ? element.type : undefined;
  const type = typeof kind === "string" ? RANGES.get(kind.toUpperCase()) : undefined;
  if (type === undefined) {
    problems.add(
      `${path}.rangeElementType`,
      element === undefined ? "missing" : `${show(element)} is not the type of a RANGE's bounds`,
      `write {"type": "DATE"}, or one of ${[...RANGES.keys()].join(", ")}`,
    );
  }
  return type;
}

/**
 * The parameters of a field's type as GoogleSQL writes them, `10, 2`; undefined where it has none. Source:
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_data_types
 */
export function parseParameters(
  item: Record<string, unknown>,
  type: FieldType,
  path: string,
  problems: ProblemList,
): string | undefined {
  const number = (option: string): number | undefined => {
    const value = item[option];
    if (value === undefined || value === null) return undefined;
    const parsed =
      typeof value === "number"
        ? value
        : typeof value === "string" && /^\d+$/.test(value)
          ? Number(value)
          : NaN;
    if (Number.isSafeInteger(parsed) && parsed >= 0) return parsed;
    problems.add(
      `${path}.${option}`,
      `${show(value)} is not a whole number`,
      "write a whole number such as 10",
    );
    return undefined;
  };
  const [length, precision, scale] = [number("maxLength"), number("precision"), number("scale")];
  if (length !== undefined && ((type !== "STRING" && type !== "BYTES") || length === 0)) {
    problems.add(`${path}.maxLength`, `does not fit ${type}`, "maxLength is for STRING and BYTES, from 1 on");
  }
  if (precision === undefined && scale === undefined) return length?.toString();
  const limits =
    type === "NUMERIC"
      ? { whole: 29, scale: 9 }
      : type === "BIGNUMERIC"
        ? { whole: 38, scale: 38 }
        : undefined;
  if (limits === undefined) {
    problems.add(
      `${path}.precision`,
      `does not fit ${type}`,
      "precision and scale are for NUMERIC and BIGNUMERIC",
    );
    return undefined;
  }
  const digits = scale ?? 0;
  if (
    precision === undefined ||
    digits > limits.scale ||
    precision < Math.max(1, digits) ||
    precision > digits + limits.whole
  ) {
    problems.add(
      `${path}.precision`,
      `${type} cannot have precision ${precision ?? "none"} with scale ${digits}`,
      `scale is at most ${limits.scale}, precision between max(1, scale) and scale + ${limits.whole}`,
    );
  }
  return scale === undefined ? `${precision}` : `${precision}, ${scale}`;
}

/** How a field of type NUMERIC or BIGNUMERIC rounds; undefined where the schema leaves it to BigQuery. */
export function parseRoundingMode(
  value: unknown,
  type: FieldType,
  path: string,
  problems: ProblemList,
): string | undefined {
  if (value === undefined || value === "ROUNDING_MODE_UNSPECIFIED") return undefined;
  const isNumeric = type === "NUMERIC" || type === "BIGNUMERIC";
  if (typeof value === "string" && ROUNDING_MODES.includes(value) && isNumeric) return value;
  problems.add(
    `${path}.roundingMode`,
    `${show(value)} does not fit ${type}`,
    `use ${ROUNDING_MODES.join(" or ")} on NUMERIC or BIGNUMERIC`,
  );
  return undefined;
}
