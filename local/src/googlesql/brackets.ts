import { GoogleSqlError } from "./client.ts";
import { ByteText, rangeOf, walkTree, width } from "./parse-tree.ts";
import { type Edit, editText, writtenColumn } from "./split-text.ts";
import type { TreeNode } from "./tree.ts";

const LOST_COUNT = /^Syntax error: Expected (?:"," or )?">" but got ">>"$/;
const LOCATED = /^(.*) \[at (\d+):(\d+)\]$/s;

/**
 * Parses a text of which GoogleSQL does not see where types end: after a RANGE<…> it is one bracket short, and takes >> behind a second
 * one for a shift. Each such >> is parted; the tree has the places of the text as it was written.
 */
export async function parseBrackets(
  sql: string,
  parse: (text: string) => Promise<TreeNode>,
): Promise<{ readonly script: TreeNode; readonly edits: readonly Edit[] }> {
  const parted: number[] = [];
  for (;;) {
    const edits = parted.map((byte) => ({ start: byte, end: byte, text: " " }));
    const split = editText(sql, edits);
    try {
      const script = await parse(split.text);
      if (parted.length > 0) moveBack(script, parted);
      return { script, edits };
    } catch (error) {
      if (!(error instanceof GoogleSqlError)) throw error;
      const [, message = "", line = "", column = ""] = LOCATED.exec(error.message) ?? [];
      const at = writtenColumn(split, Number(line), Number(column));
      const byte = LOST_COUNT.test(message) ? byteAt(sql, Number(line), at) + 1 : 0;
      if (
        byte === 0 ||
        parted.includes(byte) ||
        new ByteText(sql).slice({ start: byte - 1, end: byte + 1 }) !== ">>"
      ) {
        throw parted.length === 0 || line === ""
          ? error
          : new GoogleSqlError(`${message} [at ${line}:${at}]`);
      }
      parted.push(byte);
      parted.sort((a, b) => a - b);
    }
  }
}

/** The byte at a line and column, from 1. */
function byteAt(text: string, line: number, column: number): number {
  const lines = text.split(/(?<=\r\n|\n|\r(?!\n))/);
  const before = lines.slice(0, line - 1).join("");
  let head = "";
  for (const character of lines[line - 1] ?? "") {
    if (width(head) >= column - 1) break;
    head += character;
  }
  return Buffer.byteLength(before + head);
}

/** Gives the nodes of a tree the places that they have without a space at each of these bytes. */
function moveBack(script: TreeNode, parted: readonly number[]): void {
  const written = (byte: number): number => byte - parted.filter((at, index) => at + index < byte).length;
  const move = (node: TreeNode): void => {
    if (node.parseLocationRange === undefined) return;
    const { start, end } = rangeOf(node);
    Object.assign(node.parseLocationRange as object, { start: written(start), end: written(end) });
  };
  move(script);
  walkTree(script, move);
}
