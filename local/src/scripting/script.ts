import type { ByteText } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { QueryOutcome, StackFrame } from "../jobs/ports.ts";
import type { SqlType } from "../types.ts";
import type { Evaluated } from "./evaluate.ts";
import type { TextParameters } from "./positional-parameters.ts";
import type { StatementFrame } from "./prepare.ts";
import type { Scope } from "./scope.ts";
import type { Session } from "./session.ts";

/** A text that another one has run: a procedure's body, with the procedure's name, or what EXECUTE IMMEDIATE is given. */
export interface InnerText {
  readonly sql: string;
  readonly statements: readonly TreeNode[];
  readonly scope: Scope;
  readonly parameters: TextParameters;
  readonly procedureId?: string;
}

/** The script that runs, as the statements see it that only scripts have. */
export interface Script {
  readonly session: Session;
  readonly text: ByteText;
  /** The variables that can be seen now. */
  readonly scope: Scope;
  /** What these parts of the text can refer to. */
  frame(...nodes: readonly TreeNode[]): StatementFrame;
  /** Where the script is now: the statement that runs, and the calls that led to it. */
  stackFrames(): StackFrame[];
  /** The value of an expression node. */
  evaluate(node: TreeNode, target?: SqlType): Promise<Evaluated>;
  /** Runs SQL as a child job of the script. */
  child(
    sql: string,
    type: string | undefined,
    run: () => Promise<QueryOutcome>,
    stackFrames?: StackFrame[],
  ): Promise<QueryOutcome>;
  /** Runs another text on behalf of the present statement. */
  runInner(inner: InnerText): Promise<void>;
}
