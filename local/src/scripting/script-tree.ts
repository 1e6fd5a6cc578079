import type { TreeNode } from "../googlesql/tree.ts";

/** Statements that exist in scripts only. */
const SCRIPT_ONLY = new Set([
  "astVariableDeclaration",
  "astSingleAssignment",
  "astAssignmentFromStruct",
  "astParameterAssignment",
  "astSystemVariableAssignment",
  "astIfStatement",
  "astCaseStatement",
  "astWhileStatement",
  "astRepeatStatement",
  "astForInStatement",
  "astBeginEndBlock",
  "astBreakStatement",
  "astContinueStatement",
  "astReturnStatement",
  "astRaiseStatement",
  "astExecuteImmediateStatement",
  "astCallStatement",
]);

/** Tells scripts from texts that hold one plain statement. */
export function isScript(statements: readonly TreeNode[]): boolean {
  return statements.length > 1 || SCRIPT_ONLY.has(statements[0]?.kind ?? "");
}

/** The statements of a parsed script. */
export function scriptStatements(script: TreeNode): readonly TreeNode[] {
  return statementsOf(script.statementListNode);
}

/** The statements of a list node; none where there is no list. */
export function statementsOf(list: unknown): readonly TreeNode[] {
  return ((list as TreeNode | undefined)?.statementList ?? []) as readonly TreeNode[];
}

/** The nodes in a field of a node that may be absent. */
export function nodesIn(holder: unknown, field: string): readonly TreeNode[] {
  return ((holder as TreeNode | undefined)?.[field] ?? []) as readonly TreeNode[];
}

const TYPES: Readonly<Record<string, string>> = {
  astBeginStatement: "BEGIN_TRANSACTION",
  astCommitStatement: "COMMIT_TRANSACTION",
  astRollbackStatement: "ROLLBACK_TRANSACTION",
  astQueryStatement: "SELECT",
  astInsertStatement: "INSERT",
  astUpdateStatement: "UPDATE",
  astDeleteStatement: "DELETE",
  astMergeStatement: "MERGE",
  astTruncateStatement: "TRUNCATE_TABLE",
  astAssertStatement: "ASSERT",
  astCreateTableStatement: "CREATE_TABLE",
  astCreateViewStatement: "CREATE_VIEW",
  astCreateFunctionStatement: "CREATE_FUNCTION",
  astCreateProcedureStatement: "CREATE_PROCEDURE",
  astDropStatement: "DROP",
  astAlterTableStatement: "ALTER_TABLE",
};

/** What is known of a statement's type before it is analyzed: what may fail it is told the type too. */
export function knownType(node: TreeNode | undefined): string {
  return TYPES[node?.kind ?? ""] ?? "";
}
