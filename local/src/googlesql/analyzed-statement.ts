import type { NamedTable } from "./catalog.ts";
import type { AnalyzedRoutine, RoutineBody } from "./routines.ts";
import type { FoundTable } from "./source.ts";
import type { TreeNode } from "./tree.ts";

/** Tables and routines by the paths that name them. */
export interface CatalogNames {
  readonly named: readonly NamedTable[];
  readonly routines: readonly AnalyzedRoutine[];
}

/** A statement as GoogleSQL resolved it, with all it depends on. */
export interface AnalyzedStatement {
  readonly statement: TreeNode;
  /** The tables by their name in the tree. */
  readonly tables: ReadonlyMap<string, FoundTable>;
  /** The views among them, analyzed on their own, by the same names. */
  readonly views: ReadonlyMap<string, AnalyzedStatement>;
  /** The bodies of the user's functions that it calls, by the name that stands in the tree after its group. */
  readonly routines: ReadonlyMap<string, RoutineBody>;
  /** What the names in it stand for, as a catalog has them. */
  readonly names: CatalogNames;
  /** The text that the byte ranges in the tree refer to. */
  readonly text: string;
  /** Equal for equal trees: what is made of the tree alone may be kept under it. */
  readonly key: string;
  /** A part of `text` as it was written before names in it were split. */
  written(part: string): string;
}
