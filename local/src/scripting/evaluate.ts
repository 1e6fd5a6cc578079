import { BigQueryError } from "../errors.ts";
import { shiftPosition } from "../googlesql/analysis-errors.ts";
import type { Position } from "../googlesql/parse-tree.ts";
import { typeText } from "../type-text.ts";
import type { SqlType } from "../types.ts";
import type { SqlValue } from "../values.ts";
import { untilUndisturbed } from "./attempts.ts";
import { asBigQueryError } from "./execute.ts";
import { dryRunOutcome } from "./outcome.ts";
import { prepareStatement, type StatementFrame } from "./prepare.ts";
import { MemoryResult } from "./results.ts";
import type { Session } from "./session.ts";

/** A value and its type. */
export interface Evaluated {
  readonly type: SqlType;
  readonly value: SqlValue;
}

const PREFIX = "SELECT ";
/** GoogleSQL's error for a column that cannot be assigned; BigQuery words it for the expression. */
const NOT_COERCIBLE = /^Query column 1 has type .* which cannot be coerced to target type/;

/** The value of an expression, coerced to `target` as an assignment does. `origin` is where it stands in the script. */
export async function evaluateExpression(
  session: Session,
  text: string,
  frame: StatementFrame,
  origin: Position,
  target?: SqlType,
): Promise<Evaluated> {
  session.checkCancelled();
  try {
    const result = await readValues(
      session,
      PREFIX + text,
      frame,
      target === undefined ? undefined : [target],
    );
    const [column] = result.columns;
    if (column === undefined) throw new Error("an expression has one column");
    return { type: column.type, value: result.rows[0]?.[0] ?? null };
  } catch (error) {
    const shown = asBigQueryError(error);
    if (target !== undefined && shown instanceof BigQueryError && NOT_COERCIBLE.test(shown.message)) {
      const message = `Cannot coerce expression ${text} to type ${typeText(target)} at [${origin.line}:${origin.column}]`;
      throw new BigQueryError("invalidQuery", message, "query");
    }
    throw shiftPosition(shown, { line: origin.line, column: origin.column - PREFIX.length });
  }
}

/** The rows of a query as values of the script. One that reads tables is a job of the script as its statements are. */
export async function readValues(
  session: Session,
  sql: string,
  frame: StatementFrame,
  targets?: readonly SqlType[],
): Promise<{ columns: readonly { name: string; type: SqlType }[]; rows: SqlValue[][] }> {
  return await untilUndisturbed(session, async (form) => {
    const startTime = Date.now();
    const { compiled: made } = await prepareStatement(session, sql, frame, { targets, asValue: true });
    const compiled = form(made);
    if (compiled.kind !== "query") throw new BigQueryError("invalidQuery", "A query is needed here", "query");
    const bytes = compiled.reads.length === 0 ? undefined : await session.bytesOf(compiled.reads);
    const result = await session.parts.storage.database.working(bytes?.processed ?? 0, () =>
      session.reading((connection) => MemoryResult.read(connection, compiled.sql, compiled.columns)),
    );
    if (bytes !== undefined) {
      const outcome = dryRunOutcome(compiled, bytes);
      const stackFrames = frame.stackFrames?.() ?? [];
      session.addChild({ sql, stackFrames, startTime, endTime: Date.now(), isExpression: true, outcome });
    }
    return { columns: compiled.columns, rows: result.rows() };
  });
}

/** The type that a text such as `ARRAY<INT64>` names. */
export async function evaluateType(session: Session, text: string, frame: StatementFrame): Promise<SqlType> {
  const { compiled } = await prepareStatement(session, `SELECT CAST(NULL AS ${text})`, frame, {
    asValue: true,
  });
  const type = compiled.kind === "query" ? compiled.columns[0]?.type : undefined;
  if (type === undefined) throw new Error(`no type: ${text}`);
  return type;
}
