import { LateFunctions } from "../compiler/late/functions.ts";
import { BigQueryError } from "../errors.ts";
import { shiftPosition } from "../googlesql/analysis-errors.ts";
import { Analyzer } from "../googlesql/analyzer.ts";
import { ByteText, rangeOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { JavaScriptRuntime } from "../javascript/runtime.ts";
import type { ChildJob, QueryEngine, QueryOutcome, QueryRequest } from "../jobs/ports.ts";
import { rollback } from "../storage/database.ts";
import type { Storage } from "../storage/storage.ts";
import type { FieldSchema } from "../types.ts";
import { CompiledQueries } from "./compiled-queries.ts";
import { compileDefaults } from "./default-values.ts";
import { dryRunScript } from "./dry-run.ts";
import { cancelledError } from "./duck-errors.ts";
import { asBigQueryError, executeStatement } from "./execute.ts";
import type { JobLister } from "./information-jobs.ts";
import { Interpreter } from "./interpreter.ts";
import { TableLocks } from "./locks.ts";
import { dryRunOutcome } from "./outcome.ts";
import { TextParameters } from "./positional-parameters.ts";
import { prepareStatement, readsOf } from "./prepare.ts";
import { isScript, knownType, scriptStatements } from "./script-tree.ts";
import { dropTemporaries, type EngineParts, Session, TEMP_DATASET_PREFIX } from "./session.ts";
import { SessionRegistry } from "./sessions.ts";
import { runTransactionStatement } from "./transaction-statements.ts";
import { asParameters, undeclaredParameters } from "./undeclared-parameters.ts";

/** https://cloud.google.com/bigquery/quotas#query_jobs */
const MAX_QUERY_LENGTH = 1024 * 1024;

/** One with a bit of all that statements are made of. */
const FIRST_STATEMENT =
  "SELECT n, COUNT(*) AS c, MAX(s) AS m FROM (SELECT 1 AS n, CONCAT('a', 'b') AS s) WHERE n > 0 GROUP BY n ORDER BY c";

/** What an engine may be given. */
export interface EngineOptions {
  readonly analyzer?: Analyzer;
  /** The jobs that INFORMATION_SCHEMA.JOBS shows. */
  readonly jobs?: JobLister;
  /** The clock by which sessions end, in milliseconds. */
  readonly now?: () => number;
  /** How long a function in JavaScript may take for a batch of rows (a few thousand at most), in milliseconds. */
  readonly javaScriptTimeLimitMs?: number;
}

/** Runs GoogleSQL statements and scripts over a storage. */
export class Engine implements QueryEngine {
  readonly #parts: EngineParts;
  readonly #sessions: SessionRegistry;

  constructor(storage: Storage, options: EngineOptions = {}) {
    const { analyzer = new Analyzer(), jobs } = options;
    this.#sessions = new SessionRegistry(options.now);
    this.#parts = {
      storage,
      analyzer,
      compiled: new CompiledQueries(),
      locks: new TableLocks(),
      jobs,
      sessions: this.#sessions,
      javaScript: new JavaScriptRuntime(options.javaScriptTimeLimitMs),
      late: new LateFunctions(),
    };
  }

  /**
   * Starts GoogleSQL's server, drops what a server that was killed left behind, and runs one statement: the first one takes ten times as
   * long as the others, and no client shall wait for it.
   */
  async start(): Promise<void> {
    await this.#parts.analyzer.start();
    const { storage, javaScript, late } = this.#parts;
    await storage.database.use(async (connection) => {
      javaScript.register(connection);
      late.register(connection);
    });
    const left = [...storage.catalog.entries()].flatMap(([, entry]) =>
      entry.kind === "dataset" && entry.value.datasetId.startsWith(TEMP_DATASET_PREFIX) ? [entry.value] : [],
    );
    for (const { projectId, datasetId } of left) await dropTemporaries(storage, projectId, datasetId);
    await this.runQuery({
      sql: FIRST_STATEMENT,
      projectId: "first",
      parameters: [],
      dryRun: false,
      jobId: "first",
      signal: new AbortController().signal,
    });
  }

  /** Ends all sessions, and stops GoogleSQL's server. */
  async close(): Promise<void> {
    await this.#sessions.close();
    await this.#parts.javaScript.close();
    await this.#parts.late.close();
    await this.#parts.analyzer.close();
  }

  /** The default values of fields as DuckDB evaluates them, for writers that are no queries. */
  columnDefaults(fields: readonly FieldSchema[]): Promise<ReadonlyMap<string, string>> {
    return compileDefaults(this.#parts.analyzer, fields);
  }

  /** Runs a query job to its end. A script that fails leaves the jobs of its statements in the error's outcome. */
  async runQuery(request: QueryRequest): Promise<QueryOutcome> {
    if (request.signal.aborted) throw cancelledError();
    if (request.sql.length > MAX_QUERY_LENGTH) {
      const message =
        "The query is too large. The maximum standard SQL query length is 1024.00K characters, including comments and white space characters.";
      throw new BigQueryError("invalid", message, "query");
    }
    const script = await this.#parts.analyzer.parseScript(request.sql);
    const statements = scriptStatements(script);
    if (statements.length === 0)
      throw new BigQueryError("invalidQuery", "Syntax error: Unexpected end of script", "query");
    const { storage } = this.#parts;
    // A dry run makes no session.
    if (request.session !== undefined && !(request.dryRun && "create" in request.session)) {
      return await this.#sessions.run(this.#parts, request, async (session) => {
        const outcome = await runInterruptibly(session, statements);
        return { ...outcome, sessionId: session.id };
      });
    }
    return await storage.database.use(async (connection) => {
      const session = new Session(this.#parts, request, connection);
      let isClean = false;
      try {
        const outcome = await runInterruptibly(session, statements);
        isClean = !session.isScript;
        return outcome;
      } finally {
        await session.close();
        // One statement that went well has left no transaction open; to ask DuckDB takes as long as a small query.
        if (!isClean) await rollback(connection);
      }
    });
  }
}

/** Runs the present job of a session; its cancellation interrupts what runs. */
async function runInterruptibly(session: Session, statements: readonly TreeNode[]): Promise<QueryOutcome> {
  const { connection } = session;
  const { signal } = session.request;
  if (signal.aborted) throw cancelledError();
  // Between two statements there is nothing to interrupt: the next one must be.
  let again: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    connection.interrupt();
    again = setInterval(() => connection.interrupt(), 50);
  };
  signal.addEventListener("abort", interrupt);
  try {
    return await runInSession(session, statements);
  } catch (error) {
    throw signal.aborted ? cancelledError() : withChildren(asBigQueryError(error), session.children);
  } finally {
    session.endJavaScript();
    signal.removeEventListener("abort", interrupt);
    clearInterval(again);
  }
}

const children = new WeakMap<object, readonly ChildJob[]>();

/** The jobs of the statements that a script ran before it failed. */
export function childrenOf(error: unknown): readonly ChildJob[] {
  return typeof error === "object" && error !== null ? (children.get(error) ?? []) : [];
}

function withChildren(error: unknown, jobs: readonly ChildJob[]): unknown {
  if (typeof error === "object" && error !== null) children.set(error, jobs);
  return error;
}

async function runInSession(session: Session, statements: readonly TreeNode[]): Promise<QueryOutcome> {
  const functions = statements.slice(0, -1);
  const last = statements.at(-1);
  // Temporary functions before one query do not make it a script:
  // https://cloud.google.com/bigquery/docs/multi-statement-queries#write_a_multi-statement_query
  const plain = functions.every(isTemporaryFunction) && !isScript(statements.slice(-1));
  if (last !== undefined && plain && (functions.length === 0 || last.kind === "astQueryStatement")) {
    return await runPlain(session, functions, last);
  }
  session.isScript = true;
  const { request } = session;
  if (request.dryRun) return await dryRunScript(session, new ByteText(request.sql), statements);
  if (request.destinationTable !== undefined) {
    const message = "configuration.query.destinationTable cannot be set for scripts";
    throw new BigQueryError("invalidQuery", message, "query");
  }
  const parameters = new TextParameters(request.parameters, statements);
  await new Interpreter(session, request.sql, session.variables, parameters).run(statements);
  return scriptOutcome(session);
}

async function runPlain(
  session: Session,
  functions: readonly TreeNode[],
  last: TreeNode,
): Promise<QueryOutcome> {
  const { request } = session;
  const text = new ByteText(request.sql);
  const frame = { variables: session.variables, parameters: request.parameters };
  const isTransaction = /^ast(Begin|Commit|Rollback)Statement$/.test(last.kind ?? "");
  if (isTransaction && session.id === undefined) {
    const message = "Transaction control statements are supported only in scripts or sessions";
    throw new BigQueryError("invalidQuery", message, "query");
  }
  for (const definition of functions) await executeStatement(session, text.textOf(definition), frame);
  const sql = text.textOf(last);
  try {
    if (request.dryRun && isTransaction)
      return { statementType: knownType(last), bytesProcessed: 0, bytesBilled: 0 };
    if (request.dryRun) return await dryRun(session, sql);
    const type = knownType(last);
    request.onStatement?.("before", { text: sql, type });
    const outcome = isTransaction
      ? await runTransactionStatement(session, type)
      : await executeStatement(session, sql, frame);
    request.onStatement?.("after", { text: sql, type: outcome.statementType });
    return outcome;
  } catch (error) {
    throw shiftPosition(error, text.position(rangeOf(last).start));
  }
}

async function dryRun(session: Session, sql: string): Promise<QueryOutcome> {
  const { variables, request, location } = session;
  const frame = { variables, parameters: request.parameters };
  const undeclared = await undeclaredParameters(session, sql, frame);
  const isComplete = undeclared.length === 0;
  const parameters = isComplete ? frame.parameters : asParameters(undeclared);
  const { compiled } = await prepareStatement(session, sql, { variables, parameters });
  // Which partitions a parameter without a value leaves is not known: all of them count.
  const reads = readsOf(compiled).map((read) =>
    isComplete ? read : { ...read, partitionFilter: undefined },
  );
  const bytes = await session.bytesOf(reads);
  return {
    ...dryRunOutcome(compiled, bytes),
    location: location.settled,
    ...(isComplete ? {} : { undeclaredParameters: undeclared }),
  };
}

function isTemporaryFunction(node: TreeNode): boolean {
  return node.kind === "astCreateFunctionStatement" && node.scope === "TEMPORARY";
}

/** A script's result is that of the last SELECT, DML or DDL statement: https://cloud.google.com/bigquery/docs/multi-statement-queries */
function scriptOutcome({ children, location, system }: Session): QueryOutcome {
  const outcomes = children.flatMap(({ outcome, isExpression }) =>
    outcome === undefined || isExpression ? [] : [outcome],
  );
  const last = outcomes.findLast(({ statementType }) => !/_TRANSACTION$|^ASSERT$/.test(statementType));
  const { schema, rows, dml, numDmlAffectedRows } = last ?? {};
  return {
    statementType: "SCRIPT",
    schema,
    rows,
    dml,
    numDmlAffectedRows,
    bytesProcessed: Number(system.get("script.bytes_processed")),
    bytesBilled: Number(system.get("script.bytes_billed")),
    location: location.settled,
    children,
  };
}
