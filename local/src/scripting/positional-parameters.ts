import { rangeOf, walkTree } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { isPositional, type Parameters } from "./prepare.ts";

/** The parameters of a text whose statements are analyzed one by one, while `?` counts through all of it. */
export class TextParameters {
  readonly #parameters: Parameters;
  /** Where `?` stands. */
  readonly #positions: readonly number[];

  constructor(parameters: Parameters, statements: readonly TreeNode[]) {
    this.#parameters = parameters;
    const positions: number[] = [];
    if (isPositional(parameters)) {
      walkTree({ statements }, (node) => {
        if (node.kind === "astParameterExpr" && node.name === undefined) positions.push(rangeOf(node).start);
      });
    }
    this.#positions = positions.sort((a, b) => a - b);
  }

  /** What these parts of the text, one after another, can refer to. */
  of(...nodes: readonly TreeNode[]): Parameters {
    const parameters = this.#parameters;
    if (!isPositional(parameters)) return parameters;
    return nodes.flatMap((node) => {
      const { start, end } = rangeOf(node);
      const before = this.#positions.filter((position) => position < start).length;
      const inside = this.#positions.filter((position) => position >= start && position < end).length;
      return parameters.slice(before, before + inside);
    });
  }
}
