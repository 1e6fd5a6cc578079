import { BigQueryError } from "../errors.ts";
import { ByteText, identifierOf, rangeOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { QueryOutcome, StackFrame } from "../jobs/ports.ts";
import type { SqlType } from "../types.ts";
import { assignSystem, assignVariable, assignVariables, declareVariables } from "./assignments.ts";
import { callProcedure } from "./calls.ts";
import { checkScript, labelOf } from "./check-script.ts";
import { type Evaluated, evaluateExpression, readValues } from "./evaluate.ts";
import { asBigQueryError, executeStatement } from "./execute.ts";
import { executeImmediate } from "./execute-immediate.ts";
import type { TextParameters } from "./positional-parameters.ts";
import type { StatementFrame } from "./prepare.ts";
import { Scope } from "./scope.ts";
import type { InnerText, Script } from "./script.ts";
import { errorVariables, locatedError, locateError, raisedError } from "./script-errors.ts";
import { knownType, nodesIn, statementsOf } from "./script-tree.ts";
import type { Session } from "./session.ts";
import { runTransactionStatement } from "./transaction-statements.ts";

/** How a list of statements ended, if not by reaching its end. */
type Exit =
  | { readonly how: "break" | "continue"; readonly label?: string }
  | { readonly how: "return" }
  | undefined;

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language */
const MAX_CALL_DEPTH = 50;

/** What runs a text on behalf of another: CALL, with the procedure's name, or EXECUTE IMMEDIATE. */
interface Caller {
  readonly interpreter: Interpreter;
  readonly procedureId?: string;
}

/** Runs the statements of one text: a script, a procedure's body, or what EXECUTE IMMEDIATE is given. */
export class Interpreter implements Script {
  readonly session: Session;
  readonly text: ByteText;
  readonly #parameters: TextParameters;
  readonly #caller: Caller | undefined;
  readonly #depth: number;
  /** The statement that runs now. */
  #current: TreeNode | undefined;
  /** The places of statements that have run: a loop runs them again. */
  readonly #places = new Map<TreeNode, StackFrame>();
  #scope: Scope;
  /** The errors that the handlers around the present statement handle, the innermost last. */
  readonly #handling: BigQueryError[] = [];

  constructor(session: Session, sql: string, scope: Scope, parameters: TextParameters, caller?: Caller) {
    this.#depth = caller === undefined ? 0 : caller.interpreter.#depth + 1;
    if (this.#depth > MAX_CALL_DEPTH) {
      throw new BigQueryError("invalidQuery", `Procedure calls nest deeper than ${MAX_CALL_DEPTH}`, "query");
    }
    this.session = session;
    this.text = new ByteText(sql);
    this.#scope = scope;
    this.#parameters = parameters;
    this.#caller = caller;
  }

  /** The variables that can be seen now. */
  get scope(): Scope {
    return this.#scope;
  }

  /** What these parts of the text can refer to. */
  frame(...nodes: readonly TreeNode[]): StatementFrame {
    const stackFrames = () => this.stackFrames();
    return { variables: this.#scope, parameters: this.#parameters.of(...nodes), stackFrames };
  }

  /** Where the script is now: the statement that runs, and the calls that led to it. */
  stackFrames(): StackFrame[] {
    const callers = this.#caller?.interpreter.stackFrames() ?? [];
    return this.#current === undefined ? callers : [this.#place(this.#current), ...callers];
  }

  #place(node: TreeNode): StackFrame {
    const known = this.#places.get(node);
    if (known !== undefined) return known;
    const { line: startLine, column: startColumn } = this.text.position(rangeOf(node).start);
    const { procedureId } = this.#caller ?? {};
    const text = this.text.textOf(node);
    const place = { startLine, startColumn, text, ...(procedureId === undefined ? {} : { procedureId }) };
    this.#places.set(node, place);
    return place;
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
        return await this.#at(node, () => declareVariables(this, node));
      case "astSingleAssignment":
        return await this.#at(node, () => assignVariable(this, node));
      case "astAssignmentFromStruct":
        return await this.#at(node, () => assignVariables(this, node));
      case "astSystemVariableAssignment":
        return await this.#at(node, () => assignSystem(this, node));
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
        return await this.#child(node, (type) => runTransactionStatement(this.session, type));
      case "astCallStatement":
        return await this.#at(node, () => callProcedure(this, node));
      case "astExecuteImmediateStatement":
        return await this.#at(node, () => executeImmediate(this, node));
      default:
        return await this.#child(node, () => this.#execute(node));
    }
  }

  async runInner({ sql, statements, scope, parameters, procedureId }: InnerText): Promise<void> {
    const caller = { interpreter: this, procedureId };
    await new Interpreter(this.session, sql, scope, parameters, caller).run(statements);
  }

  /** Runs SQL as a child job of the script. */
  async child(
    sql: string,
    type: string | undefined,
    run: () => Promise<QueryOutcome>,
    stackFrames = this.stackFrames(),
  ): Promise<QueryOutcome> {
    const { session } = this;
    const startTime = Date.now();
    const statement = { text: sql, type: type ?? "" };
    try {
      session.request.onStatement?.("before", statement);
      const outcome = await run();
      session.request.onStatement?.("after", { text: sql, type: outcome.statementType });
      session.addChild({ sql, stackFrames, startTime, endTime: Date.now(), outcome });
      return outcome;
    } catch (error) {
      const shown = asBigQueryError(error);
      if (shown instanceof BigQueryError) {
        session.addChild({ sql, stackFrames, startTime, endTime: Date.now(), error: shown });
      }
      throw shown;
    }
  }

  async #child(node: TreeNode, run: (type: string) => Promise<QueryOutcome>): Promise<Exit> {
    const type = knownType(node);
    return await this.#at(node, async () => {
      await this.child(this.text.textOf(node), type, () => run(type));
    });
  }

  async #execute(node: TreeNode): Promise<QueryOutcome> {
    return await executeStatement(this.session, this.text.textOf(node), this.frame(node));
  }

  /** Gives errors of a statement their place in the script. */
  async #at(node: TreeNode, work: () => Promise<void>): Promise<Exit> {
    this.#current = node;
    try {
      await work();
      return undefined;
    } catch (error) {
      throw locateError(error, node, this.text);
    }
  }

  /** The value of an expression node. */
  async evaluate(node: TreeNode, target?: SqlType): Promise<Evaluated> {
    const origin = this.text.position(rangeOf(node).start);
    try {
      return await evaluateExpression(this.session, this.text.textOf(node), this.frame(node), origin, target);
    } catch (error) {
      throw locatedError(error, node, this.text);
    }
  }

  async #condition(node: TreeNode): Promise<boolean> {
    let result = false;
    await this.#at(node, async () => {
      result = (await this.evaluate(node, { kind: "BOOL" })).value === true;
    });
    return result;
  }

  async #if(node: TreeNode): Promise<Exit> {
    if (await this.#condition(node.condition as TreeNode))
      return await this.#list(statementsOf(node.thenList));
    for (const clause of nodesIn(node.elseifClauses, "elseifClauses")) {
      if (await this.#condition(clause.condition as TreeNode)) {
        return await this.#list(statementsOf(clause.body));
      }
    }
    return await this.#list(statementsOf(node.elseList));
  }

  async #case(node: TreeNode): Promise<Exit> {
    const subject = node.expression as TreeNode | undefined;
    const clauses = nodesIn(node.whenThenClauses, "whenThenClauses");
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
    const [handler] = nodesIn(node.handlerList, "exceptionHandlerList");
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
    const variables = errorVariables(error);
    const before = [...variables.keys()].map((name) => [name, system.get(name) ?? null] as const);
    for (const [name, value] of variables) system.set(name, value);
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
      if (error === undefined) throw new Error("RAISE stands in no handler");
      throw error;
    }
    let text = "NULL";
    await this.#at(node, async () => {
      const { value } = await this.evaluate(message, { kind: "STRING" });
      if (typeof value === "string") text = value;
    });
    throw raisedError(text, node, this.text);
  }
}

function sameLabel(a: string, b: string | undefined): boolean {
  return a.toLowerCase() === b?.toLowerCase();
}

function isOwn(exit: { label?: string }, node: TreeNode): boolean {
  return exit.label === undefined || sameLabel(exit.label, labelOf(node));
}
