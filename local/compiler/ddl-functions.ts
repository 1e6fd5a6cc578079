import type { TreeNode } from "../googlesql/tree.ts";
import { fromTypeProto } from "../googlesql/types.ts";
import type { FunctionDefinition } from "./compiled.ts";
import { flagOf, nodeOf, textOf, textsOf } from "./tree-access.ts";

/** What a CREATE FUNCTION statement says of its function. */
export function compileFunctionDefinition(node: TreeNode): FunctionDefinition {
  const { argument = [] } = node.signature as { argument?: readonly { kind?: string; type?: unknown }[] };
  const names = textsOf(node, "argumentNameList");
  const returnType = flagOf(node, "hasExplicitReturnType") ? nodeOf(node, "returnType") : undefined;
  return {
    arguments: argument.map(({ kind, type }, index) => ({
      name: names[index] ?? "",
      ...(kind === "ARG_TYPE_FIXED" ? { type: fromTypeProto(type) } : {}),
    })),
    ...(returnType === undefined ? {} : { returnType: fromTypeProto(returnType) }),
    body: textOf(node, "code"),
  };
}
