import { compileStatement } from "../compiler/compile.ts";
import type { CompiledQuery } from "../compiler/compiled.ts";
import type { CompileContext, TypedValue } from "../compiler/context.ts";
import type { NeededRows } from "../compiler/needed-rows.ts";
import { BigQueryError } from "../errors.ts";
import type { AnalyzedStatement } from "../googlesql/analyzed-statement.ts";
import { SYSTEM_VARIABLES } from "../googlesql/language.ts";
import type { FoundTable } from "../googlesql/source.ts";
import type { JavaScriptRun } from "../javascript/runtime.ts";
import type { ParameterValue } from "../jobs/ports.ts";
import { tableName } from "../storage/entries.ts";
import type { LiveSource } from "./live-source.ts";
import type { LiveTable } from "./live-table.ts";
import type { Scope } from "./scope.ts";
import type { Session } from "./session.ts";

/** What a statement is compiled against besides the session. */
export interface StatementScope {
  readonly session: Session;
  readonly source: LiveSource;
  readonly variables: Scope;
  readonly parameters: ReadonlyMap<string, ParameterValue> | readonly ParameterValue[];
  /** The statement's CURRENT_TIMESTAMP. */
  readonly now: bigint;
  readonly asValue: boolean;
  readonly javaScript: JavaScriptRun;
}

/** The compiler's questions, answered for one analyzed statement. */
export function compileContext(
  analyzed: AnalyzedStatement,
  scope: StatementScope,
  neededRows?: NeededRows,
): CompileContext {
  const { session, source, variables, parameters } = scope;
  return {
    defaultProject: session.defaultDataset?.projectId ?? session.defaultProject,
    defaultDataset: session.defaultDataset?.datasetId,
    now: scope.now,
    text: analyzed.text,
    inTransaction: session.transaction !== undefined,
    asValue: scope.asValue,
    physicalTable(name) {
      const table = source.table(name);
      if (table === undefined) throw new Error(`no table ${name} in the statement's source`);
      if (table.physical === undefined) throw notATable(table);
      return table.physical;
    },
    neededRows,
    expandView(name, needed) {
      const view = analyzed.views.get(name);
      if (view === undefined) return undefined;
      const found = analyzed.tables.get(name);
      const rows = needed((found?.columns ?? []).map((column) => column.name));
      return withColumnNames(compileView(view, scope, rows), found);
    },
    routine: (name) => analyzed.routines.get(name.join(".")),
    javaScriptCall: (definition) => scope.javaScript.call(definition),
    variable: (name) => variables.find(name),
    parameter: (key) => parameterOf(parameters, key),
    systemVariable: (path) => systemVariable(session, path),
  };
}

/** CREATE VIEW v(a, b) may name the columns of its query anew. */
function withColumnNames(query: CompiledQuery, view: FoundTable | undefined): CompiledQuery {
  if (view?.columns.length !== query.columns.length) return query;
  const columns = query.columns.map((column, index) => ({
    ...column,
    name: view.columns[index]?.name ?? column.name,
  }));
  return { ...query, columns };
}

function notATable({ entry, ref }: LiveTable): BigQueryError {
  const message = `${tableName(ref)} is not allowed for this operation because it is currently a ${entry?.kind}.`;
  return new BigQueryError("invalidQuery", message, "query");
}

function compileView(view: AnalyzedStatement, scope: StatementScope, rows: NeededRows): CompiledQuery {
  const compiled = compileStatement(view.statement, compileContext(view, { ...scope, asValue: true }, rows));
  if (compiled.kind !== "query") throw new Error("a view's query is not a query");
  return compiled;
}

function parameterOf(parameters: StatementScope["parameters"], key: string | number): TypedValue | undefined {
  if (typeof key === "number") return Array.isArray(parameters) ? parameters[key - 1] : undefined;
  return parameters instanceof Map ? parameters.get(key) : undefined;
}

function systemVariable(session: Session, path: readonly string[]): TypedValue | undefined {
  const name = path.join(".").toLowerCase();
  const type = SYSTEM_VARIABLES.get(name);
  return type === undefined ? undefined : { type, value: session.system.get(name) ?? null };
}
