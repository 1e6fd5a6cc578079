import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { raise } from "../raise.ts";
import { checkedOffset } from "./checked-literals.ts";
import type { CompiledExpr, OrderItem } from "./functions/types.ts";
import { childOf, nodeOf, textOf } from "./tree-access.ts";
import type { Unit } from "./unit.ts";

/** A window's ORDER BY and frame, each complete or "". */
export interface WindowFrame {
  readonly order: string;
  readonly frame: string;
}

interface Bound {
  readonly kind: "PRECEDING" | "FOLLOWING";
  readonly offset: CompiledExpr;
}

/**
 * The frame of a window function. Where RANGE has an offset, DuckDB sorts by the key as it adds the offset to it, so the key is written
 * such that no sum leaves its type and that NaN comes first
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/window-function-calls#def_window_frame).
 */
export function compileFrame(
  window: TreeNode | undefined,
  orderBy: readonly OrderItem[],
  unit: Unit,
): WindowFrame {
  const keys = orderBy.map((item) => item.sql).join(", ");
  const plain = keys === "" ? "" : `ORDER BY ${keys}`;
  if (window === undefined) return { order: plain, frame: "" };
  const nodes = [childOf(window, "startExpr"), childOf(window, "endExpr")] as const;
  const isRange = textOf(window, "frameUnit") === "RANGE";
  const bounds = nodes.map((node) => boundOf(node, unit));
  const [key] = orderBy;
  const offsets = key === undefined || !isRange || bounds.every((bound) => bound === undefined);
  const scale = offsets ? undefined : rangeScale(key);
  const [start, end] = nodes.map((node, index) => {
    const bound = bounds[index];
    if (bound === undefined) return (textOf(node, "boundaryType") || "UNBOUNDED_PRECEDING").replace("_", " ");
    return `${scale === undefined ? bound.offset.sql : scale.offset(bound)} ${bound.kind}`;
  });
  const frame = `${isRange ? "RANGE" : "ROWS"} BETWEEN ${start} AND ${end}`;
  return { order: scale === undefined ? plain : `ORDER BY ${scale.order}`, frame };
}

function boundOf(node: TreeNode, unit: Unit): Bound | undefined {
  const expression = nodeOf(node, "expression");
  if (expression === undefined) return undefined;
  const kind = textOf(node, "boundaryType") === "OFFSET_PRECEDING" ? "PRECEDING" : "FOLLOWING";
  return {
    kind,
    offset: checkedOffset(unit.expr(expression)),
  };
}

interface RangeScale {
  readonly order: string;
  offset(bound: Bound): string;
}

function rangeScale(key: OrderItem): RangeScale {
  const { sql, type } = key.expr;
  const nulls = key.nullsFirst ? "NULLS FIRST" : "NULLS LAST";
  const direction = key.descending ? "DESC" : "ASC";
  /** Whether a bound lies towards smaller values. */
  const isLower = (bound: Bound): boolean => (bound.kind === "PRECEDING") !== key.descending;
  switch (type.kind) {
    case "INT64":
      return {
        order: `CAST(${sql} AS HUGEINT) ${direction} ${nulls}`,
        offset: ({ offset }) => `CAST(${offset.sql} AS HUGEINT)`,
      };
    case "NUMERIC": {
      // Beyond the smallest and the greatest value all bounds are the same.
      const scaled = (value: string): string =>
        `CAST(replace(CAST(${value} AS VARCHAR), '.', '') AS HUGEINT)`;
      const end = "'100000000000000000000000000000000000000'::HUGEINT";
      return {
        order: `${scaled(sql)} ${direction} ${nulls}`,
        offset: (bound) => {
          const [value, offset] = [scaled(sql), scaled(bound.offset.sql)];
          return isLower(bound)
            ? `(CASE WHEN ${value} < ${offset} - ${end} THEN ${value} + ${end} ELSE ${offset} END)`
            : `(CASE WHEN ${value} > ${end} - ${offset} THEN ${end} - ${value} ELSE ${offset} END)`;
        },
      };
    }
    case "FLOAT64":
      return {
        // NaN is DuckDB's greatest number, whatever its sign.
        order: `(-${sql}) ${key.descending ? "ASC" : "DESC"} ${nulls}`,
        offset: (bound) => infinityChecked(bound, key, isLower(bound)),
      };
    default:
      throw unsupported(`RANGE with an offset over ${type.kind}`);
  }
}

/** An infinite offset from the infinity on the other side leads nowhere. */
function infinityChecked({ kind, offset }: Bound, { expr, descending }: OrderItem, lower: boolean): string {
  if (typeof offset.literal === "number" && Number.isFinite(offset.literal)) return offset.sql;
  const sign = lower ? "positive" : "negative";
  const message = `Offset value cannot be positive infinity when there exists a ${sign} infinity order key for an offset ${kind} on ${descending ? "a descending" : "an ascending"} partition`;
  const clash = `isinf(${offset.sql}) AND ${expr.sql} = '${lower ? "" : "-"}infinity'::DOUBLE`;
  return `(CASE WHEN ${clash} THEN ${raise(offset.type, message)} ELSE ${offset.sql} END)`;
}
