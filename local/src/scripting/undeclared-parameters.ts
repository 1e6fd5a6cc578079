import { childOf, integerOf, textOf, walkTree } from "../compiler/tree-access.ts";
import { fromTypeProto } from "../googlesql/types.ts";
import type { SqlType } from "../types.ts";
import { analysisEnv, isPositional, type Parameters, type StatementFrame } from "./prepare.ts";
import type { Session } from "./session.ts";

/** A query parameter that a request does not give; without a name it is one by position. */
export interface UndeclaredParameter {
  readonly name?: string;
  readonly type: SqlType;
}

/**
 * The parameters that a statement uses and a request does not give, with the types that the statement wants of them: what a dry run tells
 * (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2.FIELDS.undeclared_query_parameters).
 */
export async function undeclaredParameters(
  session: Session,
  sql: string,
  frame: StatementFrame,
): Promise<readonly UndeclaredParameter[]> {
  const { parameters } = frame;
  const given = isPositional(parameters) ? parameters.length : parameters.size;
  if (given > 0 || !/[@?]/.test(sql)) return [];
  const env = { ...analysisEnv(session, frame).env, allowUndeclared: true };
  const { statement } = await session.parts.analyzer.analyzeStatement(sql, env);
  const found = new Map<string, UndeclaredParameter>();
  walkTree(statement, (node) => {
    if (node.kind !== "Parameter") return true;
    const name = textOf(node, "name").toLowerCase();
    const key = name === "" ? String(integerOf(node, "position")).padStart(6, "0") : name;
    if (!found.has(key))
      found.set(key, { ...(name === "" ? {} : { name }), type: fromTypeProto(childOf(node, "type")) });
    return true;
  });
  const inOrder = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return inOrder.map(([, parameter]) => parameter);
}

/** Parameters of these types, NULL, which are enough for a statement that is only checked. */
export function asParameters(undeclared: readonly UndeclaredParameter[]): Parameters {
  if (undeclared.some(({ name }) => name === undefined))
    return undeclared.map(({ type }) => ({ type, value: null }));
  return new Map(undeclared.map(({ name = "", type }) => [name, { type, value: null }]));
}
