import { isType, type TreeNode } from "./tree.ts";

/** A range of UTF-8 bytes in a text. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Where a node of a parse tree stands in its text. */
export function rangeOf(node: TreeNode): ByteRange {
  const range = (node.parseLocationRange ?? {}) as { start?: number; end?: number };
  return { start: range.start ?? 0, end: range.end ?? 0 };
}

/** A text whose parts are named by ranges of UTF-8 bytes. */
export class ByteText {
  readonly #bytes: Buffer;

  constructor(readonly text: string) {
    this.#bytes = Buffer.from(text, "utf8");
  }

  /** The part of the text in this range. */
  slice({ start, end }: ByteRange): string {
    return this.#bytes.toString("utf8", start, end);
  }

  /** The part of the text that a node covers. */
  textOf(node: TreeNode): string {
    return this.slice(rangeOf(node));
  }

  /** The line and column, from 1, of a byte; columns count characters, a tab runs to the next multiple of 8. */
  position(byte: number): Position {
    const before = this.slice({ start: 0, end: byte });
    const lines = before.split(/\r\n|\n|\r/);
    return { line: lines.length, column: width(lines.at(-1) ?? "") + 1 };
  }

  /** The byte at a line and column. */
  byteAt({ line, column }: Position): number {
    let rest = this.text;
    for (let number = 1; number < line; number++) rest = rest.replace(/^[^\n\r]*(?:\r\n|\n|\r)?/, "");
    let start = this.text.length - rest.length;
    for (let columns = 1; columns < column && start < this.text.length; ) {
      const character = String.fromCodePoint(this.text.codePointAt(start) ?? 0);
      columns += character === "\t" ? 8 - ((columns - 1) % 8) : 1;
      start += character.length;
    }
    return Buffer.byteLength(this.text.slice(0, start), "utf8");
  }
}

/** A place in a text as errors name it, from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** How many columns a line's start takes in GoogleSQL's counting of columns. */
export function width(line: string): number {
  let columns = 0;
  for (const character of line) columns += character === "\t" ? 8 - (columns % 8) : 1;
  return columns;
}

/** The identifiers of a path node. */
export function pathOf(node: TreeNode): string[] {
  return ((node.names ?? []) as readonly TreeNode[]).map(identifierOf);
}

/** The name of an identifier node. */
export function identifierOf(node: TreeNode): string {
  return (node.idString as string | undefined) ?? "";
}

/** Calls `visit` for every node with the field it stands in and the node that holds it, parents first. */
export function walkTree(
  root: TreeNode,
  visit: (node: TreeNode, field: string, holder: TreeNode) => void,
): void {
  for (const [field, value] of Object.entries(root)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child === null || typeof child !== "object" || Buffer.isBuffer(child)) continue;
      if (field === "parseLocationRange" || isType(child)) continue;
      visit(child as TreeNode, field, root);
      walkTree(child as TreeNode, visit);
    }
  }
}
