import { BigQueryError, unsupported } from "../errors.ts";
import { identifierOf, pathOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlValue } from "../values.ts";
import { evaluateType } from "./evaluate.ts";
import type { Script } from "./script.ts";
import { nodesIn } from "./script-tree.ts";
import { assignSystemVariable } from "./system-variables.ts";

/** Runs DECLARE. */
export async function declareVariables(script: Script, node: TreeNode): Promise<void> {
  const names = nodesIn(node.variableList, "identifierList").map(identifierOf);
  const typeNode = node.type as TreeNode | undefined;
  if (JSON.stringify(typeNode ?? {}).includes('"typeParameters"'))
    throw unsupported("type parameters in DECLARE");
  const type =
    typeNode === undefined
      ? undefined
      : await evaluateType(script.session, script.text.textOf(typeNode), script.frame(typeNode));
  const given = node.defaultValue as TreeNode | undefined;
  const initial = given === undefined ? undefined : await script.evaluate(given, type);
  const declared = type ?? initial?.type;
  if (declared === undefined) throw new Error("a declaration has a type or a value");
  for (const name of names) script.scope.declare(name, declared, initial?.value ?? null);
}

/** Runs `SET variable = expression`. */
export async function assignVariable(script: Script, node: TreeNode): Promise<void> {
  const variable = script.scope.need(identifierOf(node.variable as TreeNode));
  variable.value = (await script.evaluate(node.expression as TreeNode, variable.type)).value;
}

/** Runs `SET (variable, …) = struct`. */
export async function assignVariables(script: Script, node: TreeNode): Promise<void> {
  const names = nodesIn(node.variables, "identifierList").map(identifierOf);
  const variables = names.map((name) => script.scope.need(name));
  const fields = variables.map(({ type }) => ({ name: "", type }));
  const { value } = await script.evaluate(node.structExpression as TreeNode, { kind: "STRUCT", fields });
  if (value === null) {
    throw new BigQueryError("invalidQuery", "Cannot assign NULL STRUCT to multiple variables", "query");
  }
  for (const [index, variable] of variables.entries()) {
    variable.value = (value as readonly SqlValue[])[index] ?? null;
  }
}

/** Runs `SET @@variable = expression`. */
export async function assignSystem(script: Script, node: TreeNode): Promise<void> {
  const path = pathOf((node.systemVariable as TreeNode).path as TreeNode);
  const { value } = await script.evaluate(node.expression as TreeNode, { kind: "STRING" });
  assignSystemVariable(script.session, path, value);
}
