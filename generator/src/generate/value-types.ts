import type { Order } from "../../scaffold/includes/merge.js";
import type { FieldType } from "../project/field-types.ts";
import { sqlxLiteral } from "../project/names.ts";

/** What the generator must know of a BigQuery type; each is one entry of VALUE_TYPES, and nothing else tells types apart. */
export interface ValueType {
  /** How its values compare (R3). */
  readonly order: Order;
  /** True where GROUP BY and JOIN take it, so that it can be a key. */
  readonly isKey: boolean;
  /** https://cloud.google.com/bigquery/docs/clustered-tables#clustering_column_types */
  readonly isClusterable: boolean;
  /** What BigQuery's API answers with for it, where that is another name. */
  readonly restName?: string;
  /**
   * A value of the worked example, as SQL; a greater cell gives a greater value. Undefined for STRUCT, which is made of its
   * fields' values.
   */
  readonly example?: (cell: number, word: string) => string;
}

const plainKey = { order: "plain", isKey: true, isClusterable: true } as const;
const range = (type: string) =>
  ({
    ...plainKey,
    example: (cell: number) => `${type} '[2024-01-0${cell + 1}, UNBOUNDED)'`,
  }) as const;

/** The types by their GoogleSQL names. */
export const VALUE_TYPES: Readonly<Record<FieldType, ValueType>> = {
  BIGNUMERIC: { ...plainKey, example: (cell) => `BIGNUMERIC '${cell + 1}'` },
  BOOL: { ...plainKey, restName: "BOOLEAN", example: (cell) => (cell % 2 === 0 ? "FALSE" : "TRUE") },
  BYTES: { ...plainKey, isClusterable: false, example: (cell) => `b'${"x".repeat(cell + 1)}'` },
  DATE: { ...plainKey, example: (cell) => `DATE '2024-01-0${cell + 1}'` },
  DATETIME: { ...plainKey, example: (cell) => `DATETIME '2024-01-0${cell + 1} 00:00:00'` },
  FLOAT64: {
    order: "float",
    isKey: true,
    isClusterable: false,
    restName: "FLOAT",
    example: (cell) => `${cell + 1}.5`,
  },
  GEOGRAPHY: {
    order: "geography",
    isKey: false,
    isClusterable: false,
    example: (cell) => `ST_GEOGPOINT(${cell + 1}, ${cell + 1})`,
  },
  INT64: { ...plainKey, restName: "INTEGER", example: (cell) => `${cell + 1}` },
  INTERVAL: {
    order: "interval",
    isKey: false,
    isClusterable: false,
    example: (cell) => `INTERVAL ${cell + 1} DAY`,
  },
  JSON: { order: "json", isKey: false, isClusterable: false, example: (cell) => `JSON '${cell + 1}'` },
  NUMERIC: { ...plainKey, example: (cell) => `NUMERIC '${cell + 1}'` },
  "RANGE<DATE>": range("RANGE<DATE>"),
  "RANGE<DATETIME>": range("RANGE<DATETIME>"),
  "RANGE<TIMESTAMP>": range("RANGE<TIMESTAMP>"),
  STRING: { ...plainKey, example: (_, word) => sqlxLiteral(word) },
  STRUCT: { order: "json", isKey: false, isClusterable: false, restName: "RECORD" },
  TIME: { ...plainKey, isClusterable: false, example: (cell) => `TIME '00:00:0${cell + 1}'` },
  TIMESTAMP: { ...plainKey, example: (cell) => timeLiteral(cell + 1) },
};

/** The names of the types that a key may have, in alphabetical order. */
export const KEY_TYPE_NAMES = (Object.keys(VALUE_TYPES) as FieldType[]).filter(
  (type) => VALUE_TYPES[type].isKey,
);

/** Day `day` of the worked example, as a literal that becomes a TIMESTAMP where one is wanted: a zone stands only behind a whole time. */
export function timeLiteral(day: number): string {
  return `'2024-01-0${day} 00:00:00+00'`;
}
