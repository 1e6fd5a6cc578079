import type { RoutineBody } from "../googlesql/routines.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { JavaScriptFunction } from "../javascript/definition.ts";
import type { TableHistory } from "../storage/history.ts";
import type { FieldSchema, Partitioning, SqlType, TableRef } from "../types.ts";
import type { SqlValue } from "../values.ts";
import type { CompiledQuery } from "./compiled.ts";
import type { NeededRows } from "./needed-rows.ts";

/** A column as the statement's catalog has it, and where DuckDB finds it. */
interface PhysicalColumn {
  readonly name: string;
  readonly type: SqlType;
  /** DuckDB expression over the physical table, where it is not simply the quoted name (pseudo columns). */
  readonly sql?: string;
  /** The analyzed expression of the column's DEFAULT, coerced to the column's type. */
  readonly defaultValue?: TreeNode;
}

/** A table that stands in a FROM clause or is written to. */
export interface PhysicalTable {
  /** What stands in DuckDB's FROM, INSERT INTO, UPDATE, DELETE FROM. */
  readonly sql: string;
  /** Of a view of INFORMATION_SCHEMA that reads the tables it tells of: the same for the rows of one `table_name`. */
  readonly sqlOfTable?: (tableName: string) => string;
  readonly ref: TableRef;
  readonly columns: readonly PhysicalColumn[];
  readonly schema: readonly FieldSchema[];
  readonly partitioning: Partitioning;
  /** Queries must filter by the partitioning column. */
  readonly requirePartitionFilter?: boolean;
  /** A snapshot, which statements must not change. */
  readonly isReadOnly?: boolean;
  /** What is kept of its past, and for how long BigQuery would; absent for what is no standard table. */
  readonly past?: TableHistory & { readonly windowMs: number };
}

/** A value of a script variable, parameter or system variable. */
export interface TypedValue {
  readonly type: SqlType;
  readonly value: SqlValue;
}

/** What the compiler asks of the session it compiles for. */
export interface CompileContext {
  /** The project and dataset that unqualified names of DDL belong to. */
  readonly defaultProject: string;
  readonly defaultDataset?: string;
  /** CURRENT_TIMESTAMP of the statement, µs since 1970. */
  readonly now: bigint;
  /** The statement as written. */
  readonly text: string;
  /** The statement is part of a multi-statement transaction. */
  readonly inTransaction?: boolean;
  /**
   * The result becomes a value inside the endpoint (a variable, a view): arrays may be NULL and may hold NULL. Otherwise
   * they follow the rules of a result: `[]` for a NULL array, and a NULL element is an error.
   */
  readonly asValue?: boolean;
  /** A table by its name in the tree. */
  physicalTable(nameInTree: string): PhysicalTable;
  /** What is needed of the statement's result, where that is known: a view's is asked for by another query. */
  readonly neededRows?: NeededRows;
  /**
   * The compiled query of a view, if the name is a view's. It is compiled with `asValue`; `needed` tells which rows are wanted of it,
   * given the names of its columns.
   */
  expandView(
    nameInTree: string,
    needed: (columns: readonly string[]) => NeededRows,
  ): CompiledQuery | undefined;
  /** A user's function or table function by the name in the tree after its group, in parts. */
  routine(name: readonly string[]): RoutineBody | undefined;
  /** The number by which the statement's DuckDB SQL calls a function in JavaScript, while its job runs. */
  javaScriptCall(definition: JavaScriptFunction): number;
  /** A script variable. */
  variable(name: string): TypedValue | undefined;
  /** A query parameter, by its name in lower case or its position from 1. */
  parameter(key: string | number): TypedValue | undefined;
  /** A system variable such as ["row_count"] or ["error", "message"]. */
  systemVariable(path: readonly string[]): TypedValue | undefined;
}
