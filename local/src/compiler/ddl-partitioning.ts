import { BigQueryError, unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { Partitioning } from "../types.ts";
import { childOf, functionName, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";

type Unit = NonNullable<Partitioning["timePartitioning"]>["type"];

/** GoogleSQL's numbers of the date parts that can partition. */
const UNITS: Readonly<Record<number, Unit>> = { 1: "YEAR", 2: "MONTH", 3: "DAY", 7: "HOUR" };

/**
 * PARTITION BY, of which BigQuery knows a fixed set of forms
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#partition_expression).
 */
export function compilePartitioning(list: readonly TreeNode[]): Partitioning {
  const [expr, ...more] = list;
  if (expr === undefined) return {};
  if (more.length > 0) throw invalid("Only a single PARTITION BY expression is supported but found multiple");
  if (expr.kind === "ColumnRef") return byTime(expr, "DAY");
  if (expr.kind !== "FunctionCall") throw invalidForm();
  const { name } = functionName(expr);
  const [column, argument] = nodesOf(expr, "argumentList");
  if (column?.kind !== "ColumnRef") throw invalidForm();
  if (name === "date" && argument === undefined) return byTime(column, "DAY");
  if (name === "range_bucket" && argument !== undefined) return byRange(column, argument);
  if (!["date_trunc", "datetime_trunc", "timestamp_trunc"].includes(name) || argument === undefined)
    throw invalidForm();
  const unit = UNITS[Number(nodeOf(nodeOf(argument, "value") ?? {}, "value")?.enumValue)];
  if (unit === undefined) throw invalidForm();
  return byTime(column, unit);
}

/** CLUSTER BY: names of columns. */
export function compileClustering(list: readonly TreeNode[]): readonly string[] {
  return list.map((expr) => {
    if (expr.kind !== "ColumnRef") throw unsupported("CLUSTER BY an expression");
    return textOf(childOf(expr, "column"), "name");
  });
}

function byTime(ref: TreeNode, type: Unit): Partitioning {
  const field = textOf(childOf(ref, "column"), "name");
  if (["_PARTITIONTIME", "_PARTITIONDATE"].includes(field.toUpperCase()))
    return { timePartitioning: { type } };
  if (!["DATE", "DATETIME", "TIMESTAMP"].includes(typeOf(childOf(ref, "column")).kind)) throw invalidForm();
  return { timePartitioning: { type, field } };
}

function byRange(ref: TreeNode, array: TreeNode): Partitioning {
  if (array.kind !== "FunctionCall" || functionName(array).name !== "generate_array") throw invalidForm();
  const numbers = nodesOf(array, "argumentList").map((bound) => {
    const value = nodeOf(nodeOf(bound, "value") ?? {}, "value")?.int64Value;
    if (bound.kind !== "Literal" || typeof value !== "string") throw invalidForm();
    return value;
  });
  const [start = "0", end = "0", interval = "1"] = numbers;
  return {
    rangePartitioning: { field: textOf(childOf(ref, "column"), "name"), range: { start, end, interval } },
  };
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}

function invalidForm(): BigQueryError {
  return invalid(
    "PARTITION BY expression must be DATE(<timestamp_column>), DATE(<datetime_column>), DATETIME_TRUNC(<datetime_column>, DAY/HOUR/MONTH/YEAR), a DATE column, TIMESTAMP_TRUNC(<timestamp_column>, DAY/HOUR/MONTH/YEAR), DATE_TRUNC(<date_column>, MONTH/YEAR), or RANGE_BUCKET(<int64_column>, GENERATE_ARRAY(<int64_value>, <int64_value>[, <int64_value>]))",
  );
}
