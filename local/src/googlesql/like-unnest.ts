import type { SqlType } from "../types.ts";
import type { Message } from "./client.ts";
import { type ByteRange, ByteText, rangeOf, walkTree } from "./parse-tree.ts";
import type { Edit } from "./split-text.ts";
import type { TreeNode } from "./tree.ts";
import { toTypeProto } from "./types.ts";

/** The functions that `x [NOT] LIKE ANY|ALL UNNEST(patterns)` is given to the analyzer as, which knows lists of patterns alone. */
export const LIKE_UNNEST_FUNCTIONS: readonly Message[] = ["any", "all", "not_any", "not_all"].map((name) => ({
  namePath: [functionName(name)],
  group: "ZetaSQL",
  mode: "SCALAR",
  signature: (["STRING", "BYTES"] as const).map((kind) => ({
    argument: [argument({ kind }), argument({ kind: "ARRAY", element: { kind } })],
    returnType: argument({ kind: "BOOL" }),
  })),
}));

function functionName(name: string): string {
  return `$like_${name}_array`;
}

function argument(type: SqlType): Message {
  return { kind: "ARG_TYPE_FIXED", type: toTypeProto(type), numOccurrences: 1 };
}

/** Makes calls of quantified LIKEs over arrays (https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#like_operator_quantified). */
export function likeUnnestEdits(sql: string, root: TreeNode): Edit[] {
  const text = new ByteText(sql);
  const edits: Edit[] = [];
  walkTree(root, (node) => {
    const patterns = (node.unnestExpr as TreeNode | undefined)?.expressions as
      | readonly TreeNode[]
      | undefined;
    const [array] = patterns ?? [];
    if (node.kind !== "astLikeExpression" || array === undefined || patterns?.length !== 1) return;
    const { start } = rangeOf(node);
    const lhs = rangeOf(node.lhs as TreeNode);
    // What stands in parentheses of its own has its range inside of them.
    const isWrapped = (node.lhs as TreeNode).parenthesized === true;
    const between = { start: isWrapped ? byteAfter(text, lhs.end) : lhs.end, end: rangeOf(array).start };
    const isAll = (node.op as { op?: string } | undefined)?.op === "kAll";
    const name = functionName(`${node.isNot === true ? "not_" : ""}${isAll ? "all" : "any"}`);
    edits.push({ start, end: start, text: `\`${name}\`(` }, ...onEachLine(text, between));
  });
  return edits;
}

/** The byte after the parenthesis that closes what ends at a byte. */
function byteAfter(text: ByteText, byte: number): number {
  const rest = text.slice({ start: byte, end: Buffer.byteLength(text.text) });
  return byte + Buffer.byteLength(rest.slice(0, rest.indexOf(")") + 1));
}

/** A comma in place of a range, of which each line is an edit of its own. */
function onEachLine(text: ByteText, range: ByteRange): Edit[] {
  const edits: Edit[] = [];
  let { start } = range;
  for (const part of text.slice(range).split(/(\r\n|\n|\r)/)) {
    const end = start + Buffer.byteLength(part);
    if (part.trim() !== "") edits.push({ start, end, text: edits.length === 0 ? ", " : " " });
    start = end;
  }
  return edits;
}
