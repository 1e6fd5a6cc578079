import { shiftPosition } from "../googlesql/analysis-errors.ts";
import { type ByteText, identifierOf, rangeOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { BytesAccuracy, QueryOutcome } from "../jobs/ports.ts";
import type { SqlType } from "../types.ts";
import { checkScript } from "./check-script.ts";
import { createRoutine } from "./ddl-schemas.ts";
import { isDdl } from "./ddl-statements.ts";
import { evaluateType } from "./evaluate.ts";
import { TextParameters } from "./positional-parameters.ts";
import { type PreparedStatement, prepareStatement, readsOf } from "./prepare.ts";
import { Scope } from "./scope.ts";
import { statementsOf } from "./script-tree.ts";
import type { Session } from "./session.ts";

const PREFIX = "SELECT ";
/** Statements that neither read nor name anything. */
const SILENT = /^ast(Begin|Commit|Rollback|Break|Continue|Return)Statement$/;

const LOOP = /^ast(While|Repeat)Statement$/;

/**
 * Checks a script without running it, and adds up what its statements would read, each counted once. What follows a statement
 * that changes tables' shapes, or runs SQL nobody can know yet, is not looked at: it may be right only then.
 */
export async function dryRunScript(
  session: Session,
  text: ByteText,
  statements: readonly TreeNode[],
): Promise<QueryOutcome> {
  checkScript(statements, text, [...session.variables.types().keys()]);
  const run = new DryRun(session, text, new TextParameters(session.parameters, statements));
  await run.list(statements);
  return {
    statementType: "SCRIPT",
    bytesProcessed: run.processed,
    bytesBilled: run.billed,
    bytesAccuracy: run.accuracy,
  };
}

class DryRun {
  processed = 0;
  billed = 0;
  readonly #session: Session;
  readonly #text: ByteText;
  readonly #parameters: TextParameters;
  #scope: Scope;
  #blind = false;
  /** Whether a run may process less than what is added up, and whether it may process more. */
  #mayBeLess = false;
  #mayBeMore = false;

  constructor(session: Session, text: ByteText, parameters: TextParameters) {
    this.#session = session;
    this.#text = text;
    this.#parameters = parameters;
    this.#scope = new Scope(session.variables);
  }

  get accuracy(): BytesAccuracy {
    if (this.#mayBeLess && this.#mayBeMore) return "UNKNOWN";
    if (this.#mayBeLess) return "UPPER_BOUND";
    return this.#mayBeMore ? "LOWER_BOUND" : "PRECISE";
  }

  async list(statements: readonly TreeNode[]): Promise<void> {
    for (const node of statements) await this.#statement(node);
  }

  async #statement(node: TreeNode): Promise<void> {
    if (SILENT.test(node.kind ?? "")) return;
    if (this.#blind) {
      this.#mayBeMore = true;
      return;
    }
    switch (node.kind) {
      case "astVariableDeclaration":
        return await this.#declare(node);
      case "astSingleAssignment": {
        const variable = this.#scope.need(identifierOf(node.variable as TreeNode));
        await this.#expression(node.expression as TreeNode, variable.type);
        return;
      }
      case "astAssignmentFromStruct":
        await this.#expression(node.structExpression as TreeNode);
        return;
      case "astSystemVariableAssignment":
        await this.#expression(node.expression as TreeNode);
        // A default dataset decides what later names mean.
        this.#blind = true;
        return;
      case "astIfStatement":
      case "astCaseStatement":
      case "astWhileStatement":
      case "astRepeatStatement":
        return await this.#branches(node);
      case "astForInStatement":
        return await this.#forIn(node);
      case "astBeginEndBlock":
        return await this.#inner(async () => {
          await this.list(statementsOf(node.statementListNode));
        });
      case "astRaiseStatement":
        if (node.message !== undefined) await this.#expression(node.message as TreeNode, { kind: "STRING" });
        return;
      case "astCallStatement":
      case "astExecuteImmediateStatement":
        this.#blind = true;
        this.#mayBeMore = true;
        return;
      default:
        return await this.#sql(node);
    }
  }

  async #sql(node: TreeNode): Promise<void> {
    const { compiled } = await this.#prepare(node, this.#text.textOf(node), 0);
    if (!isDdl(compiled)) return;
    if (compiled.kind === "create-routine" && compiled.temporary)
      await createRoutine(this.#session, compiled, undefined);
    else this.#blind = true;
  }

  async #declare(node: TreeNode): Promise<void> {
    const names = ((node.variableList as TreeNode).identifierList as readonly TreeNode[]).map(identifierOf);
    const typeNode = node.type as TreeNode | undefined;
    const frame = { variables: this.#scope, parameters: new Map() };
    let type =
      typeNode === undefined
        ? undefined
        : await evaluateType(this.#session, this.#text.textOf(typeNode), frame);
    if (node.defaultValue !== undefined) type = await this.#expression(node.defaultValue as TreeNode, type);
    if (type === undefined) throw new Error("a declaration has a type or a value");
    for (const name of names) this.#scope.declare(name, type, null);
  }

  /** All branches of an IF or CASE, or a loop's body, once. */
  async #branches(node: TreeNode): Promise<void> {
    this.#mayBeLess = true;
    this.#mayBeMore ||= LOOP.test(node.kind ?? "");
    for (const condition of [
      node.condition,
      node.expression,
      (node.untilClause as TreeNode | undefined)?.condition,
    ]) {
      if (condition !== undefined) await this.#expression(condition as TreeNode);
    }
    const clauses = [
      node.elseifClauses as TreeNode | undefined,
      node.whenThenClauses as TreeNode | undefined,
    ];
    for (const holder of clauses) {
      for (const clause of (holder?.elseifClauses ?? holder?.whenThenClauses ?? []) as readonly TreeNode[]) {
        await this.#expression(clause.condition as TreeNode);
        await this.list(statementsOf(clause.body));
      }
    }
    for (const list of [node.thenList, node.elseList, node.body]) await this.list(statementsOf(list));
  }

  async #forIn(node: TreeNode): Promise<void> {
    this.#mayBeLess = true;
    this.#mayBeMore = true;
    const query = node.query as TreeNode;
    const { compiled } = await this.#prepare(query, this.#text.textOf(query), 0);
    const fields = compiled.kind === "query" ? compiled.columns : [];
    await this.#inner(async () => {
      this.#scope.declare(identifierOf(node.variable as TreeNode), { kind: "STRUCT", fields }, null);
      await this.list(statementsOf(node.body));
    });
  }

  async #inner(work: () => Promise<void>): Promise<void> {
    const outer = this.#scope;
    this.#scope = new Scope(outer);
    await work();
    this.#scope = outer;
  }

  async #expression(node: TreeNode, target?: SqlType): Promise<SqlType> {
    const sql = PREFIX + this.#text.textOf(node);
    const { compiled } = await this.#prepare(
      node,
      sql,
      PREFIX.length,
      target === undefined ? undefined : [target],
    );
    const type = compiled.kind === "query" ? compiled.columns[0]?.type : undefined;
    if (type === undefined) throw new Error("an expression has one column");
    return type;
  }

  async #prepare(
    node: TreeNode,
    sql: string,
    prefix: number,
    targets?: readonly SqlType[],
  ): Promise<PreparedStatement> {
    const { line, column } = this.#text.position(rangeOf(node).start);
    try {
      const frame = { variables: this.#scope, parameters: this.#parameters.of(node) };
      const prepared = await prepareStatement(this.#session, sql, frame, { targets, asValue: prefix > 0 });
      const reads = readsOf(prepared.compiled);
      const isKnown = !this.#namesVariable(sql) || reads.every((read) => read.partitionFilter === undefined);
      const counted = isKnown ? reads : reads.map(({ partitionFilter: _, ...read }) => read);
      this.#mayBeLess ||= !isKnown;
      const { processed, billed } = await this.#session.bytesOf(counted);
      this.processed += processed;
      this.billed += billed;
      return prepared;
    } catch (error) {
      throw shiftPosition(error, { line, column: column - prefix });
    }
  }

  /** A variable has a value only in a real run: which partitions it leaves is not known before, so all of them count. */
  #namesVariable(sql: string): boolean {
    const words = new Set(sql.toLowerCase().match(/[\p{L}\p{N}_]+/gu));
    return [...this.#scope.types().keys()].some((name) => words.has(name.toLowerCase()));
  }
}
