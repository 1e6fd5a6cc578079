import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import { decimalText, type IntervalValue, type SqlValue } from "../values.ts";
import type { Options } from "./compiled.ts";
import type { CompileContext } from "./context.ts";
import { openUnit } from "./statement-unit.ts";
import { childOf, textOf } from "./tree-access.ts";

/** An OPTIONS list. A value that is no literal is left as an expression for the executor to evaluate. */
export function compileOptions(list: readonly TreeNode[], context: CompileContext): Options {
  const { unit } = openUnit(context);
  return Object.fromEntries(
    list.map((option) => {
      const { sql, type, literal } = unit.expr(childOf(option, "value"));
      const value = literal === undefined ? { kind: "expression", sql, type } : optionValue(type, literal);
      return [textOf(option, "name").toLowerCase(), value];
    }),
  );
}

/** A value as JSON has it: a TIMESTAMP in milliseconds since 1970, numbers as numbers. */
export function optionValue(type: SqlType, value: SqlValue): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case "INT64":
      return Number(value);
    case "NUMERIC":
      return Number(decimalText(value as bigint, 9));
    case "BIGNUMERIC":
      return Number(decimalText(value as bigint, 38));
    case "TIMESTAMP":
      return Number((value as bigint) / 1000n);
    case "DATE":
      return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10);
    case "INTERVAL": {
      const { months, days, micros } = value as IntervalValue;
      const seconds = Number(micros / 1_000_000n);
      const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.trunc).join(":");
      return `${Math.trunc(months / 12)}-${months % 12} ${days} ${clock}`;
    }
    case "ARRAY":
      return (value as readonly SqlValue[]).map((item) => optionValue(type.element, item));
    case "STRUCT":
      return type.fields.map((field, index) =>
        optionValue(field.type, (value as readonly SqlValue[])[index] ?? null),
      );
    default:
      return value;
  }
}
