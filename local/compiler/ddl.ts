import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { CompiledStatement } from "./compiled.ts";
import type { CompileContext } from "./context.ts";

/** DDL as plain data. */
export function compileDdl(statement: TreeNode, _context: CompileContext): CompiledStatement {
  throw unsupported(`the statement ${statement.kind}`);
}
