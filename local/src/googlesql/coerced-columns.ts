import { rangeOf } from "./parse-tree.ts";
import type { Edit } from "./split-text.ts";
import type { TreeNode } from "./tree.ts";

/**
 * GoogleSQL of this age coerces the columns of a plain SELECT to given types, and fails on those of another query: with
 * ORDER BY or LIMIT, of UNION ALL, in parentheses. Around that stands a SELECT.
 */
export function coercedColumnsEdits(script: TreeNode): Edit[] {
  const statements = (script.statementListNode as TreeNode | undefined)?.statementList;
  const [statement] = (statements ?? []) as readonly TreeNode[];
  const query = statement?.query as TreeNode | undefined;
  if (query === undefined || isPlain(query)) return [];
  const { start, end } = rangeOf(query);
  return [
    { start, end: start, text: "SELECT * FROM (" },
    { start: end, end, text: ")" },
  ];
}

function isPlain(query: TreeNode): boolean {
  const expression = query.queryExpr as TreeNode | undefined;
  if (query.orderBy !== undefined || query.limitOffset !== undefined) return false;
  return expression?.kind === "astSelect" && expression.selectAs === undefined;
}
