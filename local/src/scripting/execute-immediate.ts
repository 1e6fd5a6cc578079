import { BigQueryError, unsupported } from "../errors.ts";
import { identifierOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { ParameterValue, QueryOutcome } from "../jobs/ports.ts";
import type { SqlValue } from "../values.ts";
import { executeStatement } from "./execute.ts";
import { dryRunOutcome } from "./outcome.ts";
import { TextParameters } from "./positional-parameters.ts";
import { type Parameters, prepareStatement } from "./prepare.ts";
import { MemoryResult } from "./results.ts";
import { Scope, type Variable } from "./scope.ts";
import type { Script } from "./script.ts";
import { isScript, knownType, scriptStatements } from "./script-tree.ts";

/**
 * Runs EXECUTE IMMEDIATE. The statement sees system variables and what USING gives it, not the script's variables.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language#execute_immediate
 */
export async function executeImmediate(caller: Script, node: TreeNode): Promise<void> {
  const { session } = caller;
  const { value } = await caller.evaluate(node.sql as TreeNode, { kind: "STRING" });
  if (value === null) throw invalid("EXECUTE IMMEDIATE SQL string cannot be NULL");
  const sql = String(value);
  const targets = intoVariables(caller, node);
  const parameters = await usingParameters(caller, node);
  const statements = scriptStatements(await session.parts.analyzer.parseScript(sql));
  const [statement, ...more] = statements;
  if (statement === undefined || more.length > 0) {
    throw invalid("EXECUTE IMMEDIATE SQL string must contain exactly one statement");
  }
  if (isScript(statements)) {
    if (statement.kind !== "astBeginEndBlock")
      throw invalid(`EXECUTE IMMEDIATE cannot run ${nameOf(statement)}`);
    if (targets.length > 0) throw unsupported("EXECUTE IMMEDIATE of a BEGIN block with INTO");
    const text = new TextParameters(parameters, statements);
    await caller.runInner({ sql, statements, scope: new Scope(), parameters: text });
    return;
  }
  if (/^ast(Begin|Commit|Rollback)Statement$/.test(statement.kind ?? "")) {
    throw unsupported(`EXECUTE IMMEDIATE of ${nameOf(statement)}`);
  }
  const frame = { variables: new Scope(), parameters };
  const frames = [{ startLine: 1, startColumn: 1, text: sql }, ...caller.stackFrames()];
  if (targets.length === 0) {
    await caller.child(sql, knownType(statement), () => executeStatement(session, sql, frame), frames);
    return;
  }
  const work = async (): Promise<QueryOutcome> => {
    const types = targets.map(({ type }) => type);
    const { compiled } = await prepareStatement(session, sql, frame, { targets: types, asValue: true });
    if (compiled.kind !== "query") throw invalid("EXECUTE IMMEDIATE INTO needs a query");
    const bytes = await session.bytesOf(compiled.reads);
    const rows = await session.reading((connection) =>
      MemoryResult.read(connection, compiled.sql, compiled.columns),
    );
    assignRow(targets, rows);
    return { ...dryRunOutcome(compiled, bytes), schema: rows.schema, rows };
  };
  await caller.child(sql, "SELECT", work, frames);
}

function assignRow(targets: readonly Variable[], rows: MemoryResult): void {
  if (rows.totalRows > 1)
    throw invalid("EXECUTE IMMEDIATE INTO clause: the query returned more than one row");
  const row: readonly SqlValue[] = rows.rows()[0] ?? [];
  for (const [index, variable] of targets.entries()) variable.value = row[index] ?? null;
}

function intoVariables(caller: Script, node: TreeNode): Variable[] {
  const into = node.intoClause as TreeNode | undefined;
  const names = ((into?.identifiers as TreeNode | undefined)?.identifierList ?? []) as readonly TreeNode[];
  return names.map((name) => caller.scope.need(identifierOf(name)));
}

async function usingParameters(caller: Script, node: TreeNode): Promise<Parameters> {
  const given = ((node.usingClause as TreeNode | undefined)?.arguments ?? []) as readonly TreeNode[];
  const named = new Map<string, ParameterValue>();
  const positional: ParameterValue[] = [];
  for (const argument of given) {
    const value = await caller.evaluate(argument.expression as TreeNode);
    const alias = argument.alias as TreeNode | undefined;
    if (alias === undefined) positional.push(value);
    else named.set(identifierOf(alias.identifier as TreeNode).toLowerCase(), value);
  }
  if (named.size > 0 && positional.length > 0) {
    throw invalid("EXECUTE IMMEDIATE USING cannot mix named and positional parameters");
  }
  return positional.length > 0 ? positional : named;
}

function nameOf(node: TreeNode): string {
  return (node.kind ?? "").replace(/^ast/, "").replace(/Statement$/, "");
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}
