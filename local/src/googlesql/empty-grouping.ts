import { rangeOf, walkTree } from "./parse-tree.ts";
import type { Edit } from "./split-text.ts";
import type { TreeNode } from "./tree.ts";

/** An aggregate that leaves the one group of a query as it is. */
const ALWAYS = "COUNT(*) >= 0";

/**
 * `GROUP BY ()` makes one group of all rows (https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#group_by_clause).
 * GoogleSQL of this age fails on it where nothing is aggregated, so something is.
 */
export function emptyGroupingEdits(root: TreeNode): Edit[] {
  const edits: Edit[] = [];
  walkTree(root, (node) => {
    const groupBy = node.groupBy as TreeNode | undefined;
    const items = groupBy?.groupingItems as readonly TreeNode[] | undefined;
    if (groupBy === undefined || items?.length !== 1 || !items.every(isEmpty)) return;
    const condition = (node.having as TreeNode | undefined)?.expression as TreeNode | undefined;
    const { end } = rangeOf(groupBy);
    if (condition === undefined) {
      edits.push({ start: end, end, text: ` HAVING ${ALWAYS}` });
      return;
    }
    const range = rangeOf(condition);
    edits.push({ start: range.start, end: range.start, text: `${ALWAYS} AND (` });
    edits.push({ start: range.end, end: range.end, text: ")" });
  });
  return edits;
}

/** Whether a grouping item is `()`: nothing but a place in the text. */
function isEmpty(item: TreeNode): boolean {
  return Object.keys(item).every((field) => field === "parseLocationRange" || field === "kind");
}
