import { BigQueryError, unsupported } from "../errors.ts";
import { shiftPosition } from "../googlesql/analysis-errors.ts";
import { ByteText, identifierOf, pathOf, rangeOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { QueryOutcome } from "../jobs/ports.ts";
import type { SqlType } from "../types.ts";
import type { SqlValue } from "../values.ts";
import { callProcedure } from "./calls.ts";
import { checkScript, labelOf } from "./check-script.ts";
import { evaluateExpression, evaluateType, readValues } from "./evaluate.ts";
import { asBigQueryError, executeStatement } from "./execute.ts";
import { executeImmediate } from "./execute-immediate.ts";
import type { TextParameters } from "./positional-parameters.ts";
import type { StatementFrame } from "./prepare.ts";
import { Scope } from "./scope.ts";
import type { Session } from "./session.ts";
import { assignSystemVariable } from "./system-variables.ts";
import { Transaction } from "./transaction.ts";

/** How a list of statements ended, if not by reaching its end. */
type Exit =
  | { readonly how: "break" | "continue"; readonly label?: string }
  | { readonly how: "return" }
  | undefined;

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

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language */
const MAX_CALL_DEPTH = 50;

/** Runs the statements of one text: a script, a procedure's body, or what EXECUTE IMMEDIATE is given. */
export class Interpreter {
  readonly session: Session;
  readonly text: ByteText;
  readonly #parameters: TextParameters;
  readonly depth: number;
  #scope: Scope;
  /** The errors that the handlers around the present statement handle, the innermost last. */
  readonly #handling: BigQueryError[] = [];

  constructor(session: Session, sql: string, scope: Scope, parameters: TextParameters, depth = 0) {
    if (depth > MAX_CALL_DEPTH) {
      throw new BigQueryError("invalidQuery", `Procedure calls nest deeper than ${MAX_CALL_DEPTH}`, "query");
    }
    this.session = session;
    this.text = new ByteText(sql);
    this.#scope = scope;
    this.#parameters = parameters;
    this.depth = depth;
  }

  /** The variables that can be seen now. */
  get scope(): Scope {
    return this.#scope;
  }

  /** What these parts of the text can refer to. */
  frame(...nodes: readonly TreeNode[]): StatementFrame {
    return { variables: this.#scope, parameters: this.#parameters.of(...nodes) };
  }

  /** Runs the whole text. */
  async run(statements: readonly TreeNode[]): Promise<void> {
    checkScript(statements, this.text, [...this.#scope.types().keys()]);
    await this.#list(statements);
  }

  async #list(statements: readonly TreeNode[]): Promise<Exit> {
    for (const node of statements) {
      const exit = await this.#statement(node);
      if (exit !== undefined) return exit;
    }
    return undefined;
  }

  async #statement(node: TreeNode): Promise<Exit> {
    this.session.checkCancelled();
    switch (node.kind) {
      case "astVariableDeclaration":
        return await this.#at(node, () => this.#declare(node));
      case "astSingleAssignment":
        return await this.#at(node, () => this.#assign(node));
      case "astAssignmentFromStruct":
        return await this.#at(node, () => this.#assignStruct(node));
      case "astSystemVariableAssignment":
        return await this.#at(node, () => this.#assignSystem(node));
      case "astIfStatement":
        return await this.#if(node);
      case "astCaseStatement":
        return await this.#case(node);
      case "astWhileStatement":
        return await this.#loop(node, () => this.#while(node));
      case "astRepeatStatement":
        return await this.#repeat(node);
      case "astForInStatement":
        return await this.#forIn(node);
      case "astBeginEndBlock":
        return await this.#block(node);
      case "astBreakStatement":
        return { how: "break", label: labelOf(node) };
      case "astContinueStatement":
        return { how: "continue", label: labelOf(node) };
      case "astReturnStatement":
        return { how: "return" };
      case "astRaiseStatement":
        return await this.#raise(node);
      case "astBeginStatement":
      case "astCommitStatement":
      case "astRollbackStatement":
        return await this.#child(node, (type) => this.#transaction(type));
      case "astCallStatement":
        return await this.#at(node, () => callProcedure(this, node));
      case "astExecuteImmediateStatement":
        return await this.#at(node, () => executeImmediate(this, node));
      default:
        return await this.#child(node, () => this.#execute(node));
    }
  }

  /** Runs SQL as a child job of the script. */
  async child(
    sql: string,
    type: string | undefined,
    run: () => Promise<QueryOutcome>,
  ): Promise<QueryOutcome> {
    const { session } = this;
    const startTime = Date.now();
    const statement = { text: sql, type: type ?? "" };
    try {
      session.request.onStatement?.("before", statement);
      const outcome = await run();
      session.children.push({ sql, startTime, endTime: Date.now(), outcome });
      session.system.set("script.num_child_jobs", BigInt(session.children.length));
      const bytes = session.system.get("script.bytes_processed") as bigint;
      session.system.set("script.bytes_processed", bytes + BigInt(Math.round(outcome.bytesProcessed)));
      session.request.onStatement?.("after", { text: sql, type: outcome.statementType });
      return outcome;
    } catch (error) {
      const shown = asBigQueryError(error);
      if (shown instanceof BigQueryError) {
        session.children.push({ sql, startTime, endTime: Date.now(), error: shown });
      }
      throw shown;
    }
  }

  async #child(node: TreeNode, run: (type: string) => Promise<QueryOutcome>): Promise<Exit> {
    const type = TYPES[node.kind ?? ""] ?? "";
    return await this.#at(node, async () => {
      await this.child(this.text.textOf(node), type, () => run(type));
    });
  }

  async #execute(node: TreeNode): Promise<QueryOutcome> {
    return await executeStatement(this.session, this.text.textOf(node), this.frame(node));
  }

  /** Gives errors of a statement their place in the script. */
  async #at(node: TreeNode, work: () => Promise<void>): Promise<Exit> {
    try {
      await work();
      return undefined;
    } catch (error) {
      throw this.#located(error, node);
    }
  }

  #located(error: unknown, node: TreeNode): unknown {
    const origin = this.text.position(rangeOf(node).start);
    const shown = asBigQueryError(error);
    if (!(shown instanceof BigQueryError) || shown.reason === "stopped" || located.has(shown)) return shown;
    const moved = shiftPosition(shown, origin) as BigQueryError;
    const at = / at \[\d+:\d+\]$/.test(moved.message) ? "" : ` at [${origin.line}:${origin.column}]`;
    const message = `${/^Query error: /.test(moved.message) ? "" : "Query error: "}${moved.message}${at}`;
    const result = new BigQueryError(moved.reason, message, moved.location, moved.details);
    located.add(result);
    statementTexts.set(result, this.text.textOf(node));
    return result;
  }

  /** The value of an expression node. */
  async evaluate(node: TreeNode, target?: SqlType): Promise<{ type: SqlType; value: SqlValue }> {
    const origin = this.text.position(rangeOf(node).start);
    try {
      return await evaluateExpression(this.session, this.text.textOf(node), this.frame(node), origin, target);
    } catch (error) {
      const shown = asBigQueryError(error);
      // It already names its place in the script.
      if (!(shown instanceof BigQueryError) || !/ at \[\d+:\d+\]$/.test(shown.message)) throw shown;
      const message = `Query error: ${shown.message}`;
      const result = new BigQueryError(shown.reason, message, shown.location, shown.details);
      located.add(result);
      statementTexts.set(result, this.text.textOf(node));
      throw result;
    }
  }

  async #condition(node: TreeNode): Promise<boolean> {
    let result = false;
    await this.#at(node, async () => {
      result = (await this.evaluate(node, { kind: "BOOL" })).value === true;
    });
    return result;
  }

  async #declare(node: TreeNode): Promise<void> {
    const names = ((node.variableList as TreeNode).identifierList as readonly TreeNode[]).map(identifierOf);
    const typeNode = node.type as TreeNode | undefined;
    const type =
      typeNode === undefined
        ? undefined
        : await evaluateType(this.session, typeText(this.text, typeNode), this.frame(typeNode));
    const given = node.defaultValue as TreeNode | undefined;
    const initial = given === undefined ? undefined : await this.evaluate(given, type);
    const declared = type ?? initial?.type;
    if (declared === undefined) throw new Error("a declaration has a type or a value");
    for (const name of names) this.#scope.declare(name, declared, initial?.value ?? null);
  }

  async #assign(node: TreeNode): Promise<void> {
    const variable = this.#scope.need(identifierOf(node.variable as TreeNode));
    variable.value = (await this.evaluate(node.expression as TreeNode, variable.type)).value;
  }

  async #assignStruct(node: TreeNode): Promise<void> {
    const names = ((node.variables as TreeNode).identifierList as readonly TreeNode[]).map(identifierOf);
    const variables = names.map((name) => this.#scope.need(name));
    const fields = variables.map(({ type }) => ({ name: "", type }));
    const { value } = await this.evaluate(node.structExpression as TreeNode, { kind: "STRUCT", fields });
    if (value === null) {
      throw new BigQueryError("invalidQuery", "Cannot assign NULL STRUCT to multiple variables", "query");
    }
    for (const [index, variable] of variables.entries()) {
      variable.value = (value as readonly SqlValue[])[index] ?? null;
    }
  }

  async #assignSystem(node: TreeNode): Promise<void> {
    const path = pathOf((node.systemVariable as TreeNode).path as TreeNode);
    const { value } = await this.evaluate(node.expression as TreeNode, { kind: "STRING" });
    assignSystemVariable(this.session, path, value);
  }

  async #if(node: TreeNode): Promise<Exit> {
    if (await this.#condition(node.condition as TreeNode))
      return await this.#list(statementsOf(node.thenList));
    const clauses = ((node.elseifClauses as TreeNode | undefined)?.elseifClauses ??
      []) as readonly TreeNode[];
    for (const clause of clauses) {
      if (await this.#condition(clause.condition as TreeNode))
        return await this.#list(statementsOf(clause.body));
    }
    return await this.#list(statementsOf(node.elseList));
  }

  async #case(node: TreeNode): Promise<Exit> {
    const subject = node.expression as TreeNode | undefined;
    const clauses = (node.whenThenClauses as TreeNode).whenThenClauses as readonly TreeNode[];
    if (subject === undefined) {
      for (const clause of clauses) {
        if (await this.#condition(clause.condition as TreeNode))
          return await this.#list(statementsOf(clause.body));
      }
      return await this.#list(statementsOf(node.elseList));
    }
    // One expression for all branches: the comparison is GoogleSQL's own, and the subject is evaluated once.
    const branches = clauses.map(
      (clause, index) => `WHEN ${this.text.textOf(clause.condition as TreeNode)} THEN ${index}`,
    );
    const sql = `CASE ${this.text.textOf(subject)} ${branches.join(" ")} ELSE -1 END`;
    const origin = this.text.position(rangeOf(subject).start);
    const frame = this.frame(subject, ...clauses.map((clause) => clause.condition as TreeNode));
    let taken = -1;
    await this.#at(node, async () => {
      const { value } = await evaluateExpression(this.session, sql, frame, origin);
      taken = Number(value);
    });
    const clause = clauses[taken];
    return await this.#list(statementsOf(clause === undefined ? node.elseList : clause.body));
  }

  /** Runs rounds until one of them ends the loop. */
  async #loop(node: TreeNode, round: () => Promise<Exit | "end">): Promise<Exit> {
    const label = labelOf(node);
    for (;;) {
      this.session.checkCancelled();
      const exit = await round();
      if (exit === "end") return undefined;
      if (exit === undefined) continue;
      if (exit.how === "return") return exit;
      const own = exit.label === undefined || sameLabel(exit.label, label);
      if (!own) return exit;
      if (exit.how === "break") return undefined;
    }
  }

  async #while(node: TreeNode): Promise<Exit | "end"> {
    const condition = node.condition as TreeNode | undefined;
    if (condition !== undefined && !(await this.#condition(condition))) return "end";
    return await this.#list(statementsOf(node.body));
  }

  async #repeat(node: TreeNode): Promise<Exit> {
    let done = false;
    return await this.#loop(node, async () => {
      if (done) return "end";
      const exit = await this.#list(statementsOf(node.body));
      const leaves = exit !== undefined && !(exit.how === "continue" && isOwn(exit, node));
      if (leaves) return exit;
      done = await this.#condition((node.untilClause as TreeNode).condition as TreeNode);
      return undefined;
    });
  }

  async #forIn(node: TreeNode): Promise<Exit> {
    const query = node.query as TreeNode;
    let read: Awaited<ReturnType<typeof readValues>> = { columns: [], rows: [] };
    await this.#at(query, async () => {
      read = await readValues(this.session, this.text.textOf(query), this.frame(query));
    });
    const fields = read.columns.map(({ name, type }) => ({ name, type }));
    const outer = this.#scope;
    let next = 0;
    try {
      return await this.#loop(node, async () => {
        const row = read.rows[next++];
        if (row === undefined) return "end";
        this.#scope = new Scope(outer);
        this.#scope.declare(identifierOf(node.variable as TreeNode), { kind: "STRUCT", fields }, row);
        return await this.#list(statementsOf(node.body));
      });
    } finally {
      this.#scope = outer;
    }
  }

  async #block(node: TreeNode): Promise<Exit> {
    const outer = this.#scope;
    const [handler] = ((node.handlerList as TreeNode | undefined)?.exceptionHandlerList ??
      []) as readonly TreeNode[];
    const label = labelOf(node);
    let exit: Exit;
    try {
      this.#scope = new Scope(outer);
      exit = await this.#list(statementsOf(node.statementListNode));
    } catch (error) {
      this.#scope = outer;
      if (handler === undefined || !(error instanceof BigQueryError) || error.reason === "stopped")
        throw error;
      exit = await this.#handle(error, handler);
    } finally {
      this.#scope = outer;
    }
    const own = exit?.how === "break" && exit.label !== undefined && sameLabel(exit.label, label);
    return own ? undefined : exit;
  }

  /** Runs an exception handler; inside it `@@error` tells what happened. */
  async #handle(error: BigQueryError, handler: TreeNode): Promise<Exit> {
    const { system } = this.session;
    const names = [
      "error.message",
      "error.statement_text",
      "error.formatted_stack_trace",
      "error.stack_trace",
    ];
    const before = names.map((name) => [name, system.get(name) ?? null] as const);
    const [, line = "1", column = "1"] = / at \[(\d+):(\d+)\]$/.exec(error.message) ?? [];
    system.set("error.message", raised.get(error) ?? error.message);
    system.set("error.statement_text", statementTexts.get(error) ?? null);
    system.set("error.formatted_stack_trace", `At [${line}:${column}]`);
    system.set("error.stack_trace", [[BigInt(line), BigInt(column), null, null]]);
    this.#handling.push(error);
    try {
      return await this.#list(statementsOf(handler.statementList));
    } finally {
      this.#handling.pop();
      for (const [name, value] of before) system.set(name, value);
    }
  }

  async #raise(node: TreeNode): Promise<Exit> {
    const message = node.message as TreeNode | undefined;
    if (message === undefined) {
      const error = this.#handling.at(-1);
      if (error !== undefined) throw error;
      return await this.#at(node, async () => {
        throw new BigQueryError(
          "invalidQuery",
          "Cannot re-raise an existing exception outside of an exception handler",
          "query",
        );
      });
    }
    let text = "NULL";
    await this.#at(node, async () => {
      const { value } = await this.evaluate(message, { kind: "STRING" });
      if (typeof value === "string") text = value;
    });
    const { line, column } = this.text.position(rangeOf(node).start);
    const error = new BigQueryError("invalidQuery", `${text} at [${line}:${column}]`, "query");
    located.add(error);
    raised.set(error, text);
    statementTexts.set(error, this.text.textOf(node));
    throw error;
  }

  async #transaction(type: string): Promise<QueryOutcome> {
    const { session } = this;
    const { transaction } = session;
    if (type === "BEGIN_TRANSACTION") {
      if (transaction !== undefined) throw invalid("A transaction is already in progress");
      const context = { catalog: session.parts.storage.catalog, locks: session.parts.locks };
      session.transaction = await Transaction.begin(context, session.connection);
    } else {
      if (transaction === undefined) {
        throw invalid(
          `There is no active transaction to ${type === "COMMIT_TRANSACTION" ? "commit" : "roll back"}`,
        );
      }
      session.transaction = undefined;
      if (type === "COMMIT_TRANSACTION") await transaction.commit();
      else await transaction.rollback();
    }
    return { statementType: type, bytesProcessed: 0 };
  }
}

/** Errors whose text already says where in the script they happened. */
const located = new WeakSet<BigQueryError>();
/** What RAISE was given, which `@@error.message` shows as it is. */
const raised = new WeakMap<BigQueryError, string>();
const statementTexts = new WeakMap<BigQueryError, string>();

/** What is known of a statement's type before it is analyzed: what may fail it is told the type too. */
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

/** The type before a statement is analyzed, for its node. */
export function knownType(node: TreeNode | undefined): string {
  return TYPES[node?.kind ?? ""] ?? "";
}

function typeText(text: ByteText, node: TreeNode): string {
  if (JSON.stringify(node).includes('"typeParameters"')) throw unsupported("type parameters in DECLARE");
  return text.textOf(node);
}

function sameLabel(a: string, b: string | undefined): boolean {
  return a.toLowerCase() === b?.toLowerCase();
}

function isOwn(exit: { label?: string }, node: TreeNode): boolean {
  return exit.label === undefined || sameLabel(exit.label, labelOf(node));
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}
