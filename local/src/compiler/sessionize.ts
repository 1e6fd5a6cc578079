import { unsupported } from "../errors.ts";
import { inputColumns, readSessionize } from "../googlesql/sessionize.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { raise } from "../raise.ts";
import type { RangeType, SqlType } from "../types.ts";
import { rangeSql } from "../values.ts";
import { heldBound } from "./functions/bounds.ts";
import { childOf, columnId, nodesOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** What a window may be partitioned by. */
const PARTITIONABLE: ReadonlySet<SqlType["kind"]> = new Set([
  "INT64",
  "BOOL",
  "STRING",
  "BYTES",
  "DATE",
  "DATETIME",
  "TIME",
  "TIMESTAMP",
  "NUMERIC",
  "BIGNUMERIC",
  "RANGE",
]);

/**
 * RANGE_SESSIONIZE: ranges in order of their starts, a session being those of which each starts before all that came
 * before it in the session have ended (https://cloud.google.com/bigquery/docs/reference/standard-sql/range-functions#range_sessionize).
 */
export function compileSessionizeScan(node: TreeNode, unit: Unit): string {
  const { range, element, partition, meets } = readSessionize(node);
  const type: RangeType = { kind: "RANGE", element: { kind: element } };
  const [relation] = nodesOf(node, "argumentList");
  if (relation === undefined) throw new Error("RANGE_SESSIONIZE without a relation");
  const inputs = nodesOf(relation, "argumentColumnList").map((column) => unit.columnSql(columnId(column)));
  const columns = inputColumns(node);
  const keys = partition.map((index) => {
    const { name = "", type: keyType } = columns[index] ?? {};
    if (keyType === undefined || !PARTITIONABLE.has(keyType.kind))
      throw unsupported(`RANGE_SESSIONIZE partitioned by the column ${name} of type ${keyType?.kind}`);
    return inputs[index] ?? "";
  });
  const [r, isFirst, session] = [unit.fresh("r"), unit.fresh("n"), unit.fresh("s")];
  const [low, high] = [heldBound(type, r, "low"), heldBound(type, r, "high")];
  const by = (more: readonly string[]): string =>
    keys.length + more.length === 0 ? "" : `PARTITION BY ${[...keys, ...more].join(", ")}`;
  // The documentation does not say what becomes of a NULL range.
  const isNull = raise(
    type,
    "Not supported by the local BigQuery endpoint: RANGE_SESSIONIZE of a NULL range",
  );
  const ranges = `SELECT *, coalesce(${inputs[range]}, ${isNull}) AS ${r} FROM ${unit.from(childOf(relation, "scan"))}`;
  const before = `max(${high}) OVER (${by([])} ORDER BY ${r} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`;
  const starts = `SELECT *, CASE WHEN ${low} ${meets ? ">" : ">="} ${before} THEN 1 ELSE 0 END AS ${isFirst} FROM (${ranges})`;
  const numbered = `SELECT *, sum(${isFirst}) OVER (${by([])} ORDER BY ${r} ROWS UNBOUNDED PRECEDING) AS ${session} FROM (${starts})`;
  const window = `OVER (${by([session])})`;
  const outputs = [...inputs, rangeSql(`min(${low}) ${window}`, `max(${high}) ${window}`)];
  const indexes = Array.isArray(node.columnIndexList) ? node.columnIndexList.map(Number) : [];
  const items = nodesOf(node, "columnList").map((column, position) =>
    unit.define(outputs[indexes[position] ?? position] ?? "", columnId(column)),
  );
  return `SELECT ${items.length === 0 ? `1 AS "none"` : items.join(", ")} FROM (${numbered})`;
}
