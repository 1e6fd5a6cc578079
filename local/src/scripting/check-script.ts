import { BigQueryError } from "../errors.ts";
import { type ByteText, identifierOf, rangeOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";

/** What surrounds a statement. */
interface Place {
  readonly loops: number;
  readonly handlers: number;
  /** Labels around the statement, in lower case, and whether they are a loop's. */
  readonly labels: ReadonlyMap<string, boolean>;
  /** Variables declared so far, in lower case. */
  readonly variables: ReadonlySet<string>;
}

const LOOPS = new Set(["astWhileStatement", "astRepeatStatement", "astForInStatement"]);

/**
 * "Variable declarations must appear before other procedural statements, or at the start of a BEGIN block": statements of plain SQL may
 * come first, as they do in the procedures that Dataform makes for `onSchemaChange`.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language#declare
 */
const PROCEDURAL =
  /^ast(SingleAssignment|ParameterAssignment|SystemVariableAssignment|AssignmentFromStruct|IfStatement|CaseStatement|WhileStatement|RepeatStatement|ForInStatement|BeginEndBlock|BreakStatement|ContinueStatement|ReturnStatement|RaiseStatement|CallStatement|ExecuteImmediateStatement|BeginStatement|CommitStatement|RollbackStatement)/;

/**
 * Refuses, before anything runs, what no run of the script could do: https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language
 */
export function checkScript(
  statements: readonly TreeNode[],
  text: ByteText,
  variables: readonly string[] = [],
): void {
  const names = new Set(variables.map((name) => name.toLowerCase()));
  checkList(statements, true, { loops: 0, handlers: 0, labels: new Map(), variables: names }, text);
}

function checkList(statements: readonly TreeNode[], mayDeclare: boolean, place: Place, text: ByteText): void {
  const variables = new Set(place.variables);
  let atStart = mayDeclare;
  for (const node of statements) {
    if (node.kind !== "astVariableDeclaration") {
      if (PROCEDURAL.test(node.kind ?? "")) atStart = false;
      checkStatement(node, { ...place, variables }, text);
      continue;
    }
    if (!atStart)
      throw refuse(node, text, "Variable declarations are allowed only at the start of a block or script");
    for (const identifier of (node.variableList as TreeNode).identifierList as readonly TreeNode[]) {
      const name = identifierOf(identifier);
      if (variables.has(name.toLowerCase())) throw refuse(node, text, `Variable '${name}' redeclaration`);
      variables.add(name.toLowerCase());
    }
  }
}

function checkStatement(node: TreeNode, outer: Place, text: ByteText): void {
  const kind = node.kind ?? "";
  if (kind === "astBreakStatement" || kind === "astContinueStatement") {
    checkJump(node, outer, text);
    return;
  }
  if (kind === "astRaiseStatement" && node.message === undefined && outer.handlers === 0) {
    throw refuse(node, text, "Cannot re-raise an existing exception outside of an exception handler");
  }
  const isLoop = LOOPS.has(kind);
  const place = withLabel(node, { ...outer, loops: outer.loops + (isLoop ? 1 : 0) }, isLoop, text);
  const inner = (list: unknown, mayDeclare = false, at = place): void => {
    checkList(
      ((list as TreeNode | undefined)?.statementList ?? []) as readonly TreeNode[],
      mayDeclare,
      at,
      text,
    );
  };
  if (kind === "astIfStatement" || kind === "astCaseStatement") {
    const holder = (node.elseifClauses ?? node.whenThenClauses) as TreeNode | undefined;
    const clauses = (holder?.elseifClauses ?? holder?.whenThenClauses ?? []) as readonly TreeNode[];
    for (const list of [node.thenList, ...clauses.map(({ body }) => body), node.elseList]) inner(list);
  } else if (kind === "astForInStatement") {
    const variable = identifierOf(node.variable as TreeNode).toLowerCase();
    inner(node.body, false, { ...place, variables: new Set([...place.variables, variable]) });
  } else if (isLoop) inner(node.body);
  else if (kind === "astBeginEndBlock") {
    inner(node.statementListNode, true);
    const handlers = ((node.handlerList as TreeNode | undefined)?.exceptionHandlerList ??
      []) as readonly TreeNode[];
    for (const { statementList } of handlers) {
      inner(statementList, false, { ...place, handlers: place.handlers + 1 });
    }
  }
}

function withLabel(node: TreeNode, place: Place, isLoop: boolean, text: ByteText): Place {
  const label = labelOf(node);
  if (label === undefined) return place;
  if (place.labels.has(label.toLowerCase())) throw refuse(node, text, `Label ${label} already exists`);
  return { ...place, labels: new Map([...place.labels, [label.toLowerCase(), isLoop]]) };
}

function checkJump(node: TreeNode, { loops, labels }: Place, text: ByteText): void {
  const keyword = String(node.keyword ?? (node.kind === "astBreakStatement" ? "BREAK" : "CONTINUE"));
  const label = labelOf(node);
  if (label === undefined) {
    if (loops === 0)
      throw refuse(node, text, `${keyword} without label is only allowed inside of a loop body`);
    return;
  }
  const isLoop = labels.get(label.toLowerCase());
  if (isLoop === undefined) throw refuse(node, text, `Label ${label} does not exist or is out of scope`);
  if (!isLoop && node.kind === "astContinueStatement") {
    throw refuse(node, text, `${keyword} is only allowed inside of a loop body`);
  }
}

/** The label of a block, loop or jump. */
export function labelOf(node: TreeNode): string | undefined {
  const label = node.label as TreeNode | undefined;
  return label === undefined ? undefined : identifierOf(label.name as TreeNode);
}

function refuse(node: TreeNode, text: ByteText, message: string): BigQueryError {
  const { line, column } = text.position(rangeOf(node).start);
  return new BigQueryError("invalidQuery", `${message} at [${line}:${column}]`, "query");
}
