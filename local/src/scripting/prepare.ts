import type { CompiledStatement, TableRead } from "../compiler/compiled.ts";
import type { AnalyzedStatement } from "../googlesql/analyzed-statement.ts";
import type { AnalysisEnv } from "../googlesql/source.ts";
import type { ParameterValue, StackFrame } from "../jobs/ports.ts";
import type { SqlType } from "../types.ts";
import { compileContext } from "./compile-context.ts";
import { LiveSource } from "./live-source.ts";
import type { Scope } from "./scope.ts";
import type { Session } from "./session.ts";
import { withoutUncheckedBody } from "./unchecked-body.ts";

/** Query parameters, by name in lower case or by position. */
export type Parameters = ReadonlyMap<string, ParameterValue> | readonly ParameterValue[];

/** A statement that can be run: analyzed against the tables as they are now, and compiled. */
export interface PreparedStatement {
  readonly sql: string;
  readonly analyzed: AnalyzedStatement;
  readonly compiled: CompiledStatement;
  readonly source: LiveSource;
}

/** Statements that may leave the value of a column to its DEFAULT. */
const WRITES = new Set(["InsertStmt", "UpdateStmt", "MergeStmt"]);

/** Where a statement stands: what it can refer to besides tables. */
export interface StatementFrame {
  readonly variables: Scope;
  readonly parameters: Parameters;
  /** Where a script is now; absent outside of scripts. */
  readonly stackFrames?: () => readonly StackFrame[];
}

/** What a statement is analyzed against: the tables as they are now, and what it can refer to besides them. */
export function analysisEnv(
  session: Session,
  frame: StatementFrame,
  targetTypes?: readonly SqlType[],
): { readonly source: LiveSource; readonly env: AnalysisEnv } {
  const source = new LiveSource(session.catalog, {
    projectId: session.defaultProject,
    dataset: session.defaultDataset,
    tempDataset: session.tempDataset,
    temporaryRoutines: session.temporaryRoutines,
    jobs: session.parts.jobs,
    location: session.location,
  });
  const env: AnalysisEnv = {
    source,
    variables: frame.variables.types(),
    parameters: parameterTypes(frame.parameters),
    defaultProject: session.defaultProject,
    defaultDataset: session.defaultDataset?.datasetId,
    targetTypes,
  };
  return { source, env };
}

/** Analyzes and compiles one statement. `targets` are the types that a query's columns are coerced to. */
export async function prepareStatement(
  session: Session,
  sql: string,
  frame: StatementFrame,
  options: { targets?: readonly SqlType[]; asValue?: boolean } = {},
): Promise<PreparedStatement> {
  const { source, env } = analysisEnv(session, frame, options.targets);
  const { analyzer } = session.parts;
  const checked = await withoutUncheckedBody(analyzer, sql);
  const analyzed = await analyzer.analyzeStatement(checked, env);
  if (WRITES.has(analyzed.statement.kind ?? "")) await source.addDefaults(session.parts.analyzer, env);
  const context = compileContext(analyzed, {
    session,
    source,
    variables: frame.variables,
    parameters: frame.parameters,
    now: BigInt(session.parts.storage.catalog.present()) * 1000n,
    asValue: options.asValue === true,
    javaScript: session.nextJavaScript(),
  });
  const compiled = session.parts.compiled.compile(analyzed, source, context);
  const isCut = checked !== sql && compiled.kind === "create-routine";
  return { sql, analyzed, compiled: isCut ? { ...compiled, text: sql } : compiled, source };
}

/** The tables that a compiled statement reads. */
export function readsOf(compiled: CompiledStatement): readonly TableRead[] {
  switch (compiled.kind) {
    case "query":
    case "dml":
    case "assert":
      return compiled.reads;
    case "create-table":
      return compiled.asSelect?.reads ?? [];
    default:
      return [];
  }
}

function parameterTypes(parameters: Parameters): AnalysisEnv["parameters"] {
  if (isPositional(parameters)) return parameters.map(({ type }) => type);
  return new Map([...parameters].map(([name, { type }]) => [name, type]));
}

/** Tells parameters by position from those by name. */
export function isPositional(parameters: Parameters): parameters is readonly ParameterValue[] {
  return Array.isArray(parameters);
}
