import type { TreeNode } from "../googlesql/tree.ts";
import { fromTypeProto } from "../googlesql/types.ts";
import type { SqlType } from "../types.ts";
import { childOf } from "./tree-access.ts";

/**
 * The type of an expression or a column. Enums, which occur only as literals that name a date part, a rounding or a
 * normalization, count as STRING: their mappings read the node.
 */
export function typeOf(node: TreeNode): SqlType {
  const type = childOf(node, "type");
  return type.typeKind === "TYPE_ENUM" ? { kind: "STRING" } : fromTypeProto(type);
}
