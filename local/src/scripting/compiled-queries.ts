import { compileStatement } from "../compiler/compile.ts";
import type { CompiledStatement } from "../compiler/compiled.ts";
import type { CompileContext } from "../compiler/context.ts";
import type { AnalyzedStatement } from "../googlesql/analyzed-statement.ts";
import { digest, LruCache } from "../googlesql/cache.ts";
import type { LiveSource } from "./live-source.ts";

/** How much DuckDB SQL is kept, in characters. */
const KEPT_SQL = 8_000_000;

/** Compiled queries, kept by their text and the versions of the tables that they read. */
export class CompiledQueries {
  readonly #compiled = new LruCache<CompiledStatement>(KEPT_SQL);

  /** A statement's compiled form; a query's from before, where nothing has changed that it is made of. */
  compile(analyzed: AnalyzedStatement, source: LiveSource, context: CompileContext): CompiledStatement {
    const key = keyOf(analyzed, source, context);
    if (key === undefined) return compileStatement(analyzed.statement, context);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const watched = watch(context);
    const compiled = compileStatement(analyzed.statement, watched.context);
    if (compiled.kind === "query" && !watched.usesValues())
      this.#compiled.set(key, compiled, compiled.sql.length + 8000);
    return compiled;
  }
}

/** Equal for queries that compile alike; undefined for what depends on more than its text and tables. */
function keyOf(analyzed: AnalyzedStatement, source: LiveSource, context: CompileContext): string | undefined {
  if (analyzed.statement.kind !== "QueryStmt" || analyzed.views.size > 0 || analyzed.routines.size > 0)
    return undefined;
  const parts = [
    analyzed.key,
    context.defaultProject,
    context.defaultDataset ?? "",
    String(context.asValue === true),
  ];
  for (const name of [...analyzed.tables.keys()].sort()) {
    const { entry, physical } = source.table(name) ?? {};
    if (entry === undefined || physical === undefined) return undefined;
    const { sql, partitioning, requirePartitionFilter } = physical;
    parts.push(JSON.stringify([name, sql, entry.version, partitioning, requirePartitionFilter]));
  }
  return digest(parts);
}

/**
 * A context that tells whether it was asked for what differs from run to run: the time, variables, parameters, the numbers of calls
 * of functions in JavaScript.
 */
function watch(context: CompileContext): { context: CompileContext; usesValues: () => boolean } {
  let asked = false;
  const watched: CompileContext = {
    ...context,
    get now() {
      asked = true;
      return context.now;
    },
    javaScriptCall(definition) {
      asked = true;
      return context.javaScriptCall(definition);
    },
    variable(name) {
      asked = true;
      return context.variable(name);
    },
    parameter(key) {
      asked = true;
      return context.parameter(key);
    },
    systemVariable(path) {
      asked = true;
      return context.systemVariable(path);
    },
  };
  return { context: watched, usesValues: () => asked };
}
