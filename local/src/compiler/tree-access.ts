import type { TreeNode } from "../googlesql/tree.ts";

/** The nodes of a repeated field; absent means none. */
export function nodesOf(node: TreeNode, field: string): readonly TreeNode[] {
  const value = node[field];
  return Array.isArray(value) ? (value as TreeNode[]) : [];
}

/** The strings of a repeated field. */
export function textsOf(node: TreeNode, field: string): readonly string[] {
  const value = node[field];
  return Array.isArray(value) ? (value as string[]) : [];
}

/** The node of a field, if it is there. The tree leaves out what is empty, or gives an object without fields. */
export function nodeOf(node: TreeNode, field: string): TreeNode | undefined {
  const value = node[field];
  if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
  return Object.keys(value).length === 0 ? undefined : (value as TreeNode);
}

/** The node of a field that the analyzer always sets. */
export function childOf(node: TreeNode, field: string): TreeNode {
  const child = nodeOf(node, field);
  if (child === undefined) throw new Error(`${node.kind ?? "node"} has no ${field}`);
  return child;
}

/** A string field; absent means "". */
export function textOf(node: TreeNode, field: string): string {
  const value = node[field];
  return typeof value === "string" ? value : "";
}

/** A BOOL field; absent means false. */
export function flagOf(node: TreeNode, field: string): boolean {
  return node[field] === true;
}

/** An integer field, which arrives as a number or as a decimal string; absent means 0. */
export function integerOf(node: TreeNode, field: string): number {
  return Number(node[field] ?? 0);
}

/** The id of a resolved column. */
export function columnId(column: TreeNode): string {
  return String(column.columnId);
}

/** The id that a ColumnRef names. */
export function refId(ref: TreeNode): string {
  return columnId(childOf(ref, "column"));
}

/** A function's name as the mappings know it: lower case, without the group it comes from. */
export function functionName(call: TreeNode): { group: string; name: string } {
  const full = textOf(childOf(call, "function"), "name");
  const colon = full.indexOf(":");
  return { group: full.slice(0, Math.max(colon, 0)), name: full.slice(colon + 1) };
}

/** Fields in which there is nothing to look for; in a tree over wide STRUCTs they are most of it. */
const NOT_WALKED = new Set([
  "type",
  "signature",
  "typeAnnotationMap",
  "function",
  "functionCallInfo",
  "parseLocationRange",
]);

/** Calls `visit` for a node and everything below it, with the field each stands in; `visit` gives false to go no deeper. */
export function walkTree(node: unknown, visit: (node: TreeNode, field: string) => boolean, field = ""): void {
  if (Array.isArray(node)) {
    for (const item of node) walkTree(item, visit, field);
    return;
  }
  if (node === null || typeof node !== "object" || Buffer.isBuffer(node)) return;
  if (!visit(node as TreeNode, field)) return;
  for (const name in node) {
    const value = (node as TreeNode)[name];
    if (typeof value !== "object" || NOT_WALKED.has(name)) continue;
    walkTree(value, visit, name);
  }
}
