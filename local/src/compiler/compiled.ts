import type { FieldSchema, ForeignKey, Partitioning, SqlType, TableConstraints, TableRef } from "../types.ts";

/** A column of a result, in order. Names may repeat only in intermediate results. */
export interface ResultColumn {
  readonly name: string;
  readonly type: SqlType;
}

/** What a statement reads of one table: top-level columns by name; it is what bytes processed are computed from. */
export interface TableRead {
  readonly table: TableRef;
  readonly columns: readonly string[];
  /** Rows are asked for that were there, or were appended, at another time. */
  readonly past?: true;
  /** DuckDB condition over the physical table that holds for every row the statement needs on the partitioning column; absent: all. */
  readonly partitionFilter?: string;
}

/** A SELECT: one DuckDB query whose i-th column is `columns[i]`. */
export interface CompiledQuery {
  readonly kind: "query";
  readonly sql: string;
  readonly columns: readonly ResultColumn[];
  readonly reads: readonly TableRead[];
  /** Run twice over the same rows, it may give others. */
  readonly isVolatile?: boolean;
}

/** One DuckDB statement of a DML statement; all of them run in one DuckDB transaction, in order. */
export interface DmlStep {
  readonly sql: string;
  /**
   * What the step's one result row counts, if anything: the row's first column (DuckDB's own `Count` for INSERT, UPDATE, DELETE).
   * `fail`: a result row means the statement fails with the row's first column (text) as message.
   */
  readonly gives?: "inserted" | "updated" | "deleted" | "fail";
  readonly contents?: StepContents;
  /** Only to be run where rows were streamed into the target lately. */
  readonly ofStreamed?: true;
}

/**
 * How a step changes what rows of the target hold that were committed before it: the results of these queries (see `readContents`), asked
 * before and after the step, or the loss of all of them. Rows that the transaction itself has inserted are counted at its end.
 */
export interface StepContents {
  readonly before?: string;
  readonly after?: string;
  readonly removesAll?: true;
}

/** INSERT, UPDATE, DELETE, TRUNCATE or MERGE. */
export interface CompiledDml {
  readonly kind: "dml";
  readonly verb: "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE_TABLE";
  readonly target: TableRef;
  readonly steps: readonly DmlStep[];
  /** Statements that drop what the steps made for themselves; run in any case. */
  readonly cleanup: readonly string[];
  readonly reads: readonly TableRead[];
}

/** How a created object treats one that is already there. */
export type CreateMode = "create" | "if-not-exists" | "or-replace";

/** An OPTIONS value that is no literal: a DuckDB expression of one value for the executor to evaluate. */
export interface OptionExpression {
  readonly kind: "expression";
  readonly sql: string;
  readonly type: SqlType;
}

/**
 * An OPTIONS list: names in lower case; values as JSON (a string, number, boolean, null, milliseconds since 1970 for a
 * TIMESTAMP, or an array of [name, value] for labels), or an OptionExpression.
 */
export type Options = Readonly<Record<string, unknown>>;

/** CREATE TABLE, with or without AS SELECT, LIKE, COPY or CLONE; and CREATE SNAPSHOT TABLE. */
export interface CreateTable {
  readonly kind: "create-table";
  readonly table: TableRef;
  readonly mode: CreateMode;
  readonly temporary: boolean;
  readonly schema: readonly FieldSchema[];
  readonly asSelect?: CompiledQuery;
  /** LIKE copies the schema alone, COPY and CLONE the rows too, and a snapshot is a CLONE that is only read. */
  readonly from?: { how: "like" | "copy" | "clone" | "snapshot"; table: TableRef };
  readonly partitioning: Partitioning;
  readonly requirePartitionFilter?: boolean;
  readonly clustering: readonly string[];
  /** Absent where there are none. */
  readonly constraints?: TableConstraints;
  readonly options: Options;
}

/** CREATE VIEW or CREATE MATERIALIZED VIEW; `query` is the view's GoogleSQL text. */
export interface CreateView {
  readonly kind: "create-view";
  readonly table: TableRef;
  readonly mode: CreateMode;
  readonly materialized: boolean;
  readonly query: string;
  readonly columns: readonly ResultColumn[];
  /** Descriptions of columns, by name, where the statement's column list gives them. */
  readonly columnOptions: Readonly<Record<string, Options>>;
  readonly options: Options;
}

/** DROP of any object kind. */
export interface DropObject {
  readonly kind: "drop";
  readonly object:
    | "TABLE"
    | "SNAPSHOT TABLE"
    | "VIEW"
    | "MATERIALIZED VIEW"
    | "SCHEMA"
    | "FUNCTION"
    | "PROCEDURE"
    | "TABLE FUNCTION";
  readonly name: readonly string[];
  readonly ifExists: boolean;
  readonly cascade: boolean;
}

/** CREATE SCHEMA. */
export interface CreateSchema {
  readonly kind: "create-schema";
  readonly name: readonly string[];
  readonly mode: CreateMode;
  readonly options: Options;
}

/** One action of ALTER TABLE, ALTER VIEW or ALTER SCHEMA. */
export type AlterAction =
  | { readonly action: "add-column"; readonly field: FieldSchema; readonly ifNotExists: boolean }
  | { readonly action: "drop-column"; readonly column: string; readonly ifExists: boolean }
  | {
      readonly action: "rename-column";
      readonly column: string;
      readonly to: string;
      readonly ifExists: boolean;
    }
  | { readonly action: "rename-table"; readonly to: string }
  | { readonly action: "set-options"; readonly options: Options }
  | { readonly action: "set-column-options"; readonly column: string; readonly options: Options }
  | { readonly action: "set-data-type"; readonly column: string; readonly field: FieldSchema }
  | { readonly action: "drop-not-null"; readonly column: string }
  | { readonly action: "set-default"; readonly column: string; readonly expression: string }
  | { readonly action: "drop-default"; readonly column: string }
  | ConstraintAction;

/** An action that changes the keys of a table. */
export type ConstraintAction =
  | { readonly action: "add-primary-key"; readonly columns: readonly string[] }
  | { readonly action: "add-foreign-key"; readonly key: ForeignKey; readonly ifNotExists: boolean }
  | { readonly action: "drop-primary-key"; readonly ifExists: boolean }
  | { readonly action: "drop-constraint"; readonly name: string; readonly ifExists: boolean };

/** ALTER TABLE, VIEW or SCHEMA. */
export interface AlterObject {
  readonly kind: "alter";
  readonly object: "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SCHEMA";
  readonly name: readonly string[];
  readonly ifExists: boolean;
  readonly actions: readonly AlterAction[];
}

/** ASSERT: `sql` gives one BOOL; anything but TRUE fails with `message`. */
export interface Assert {
  readonly kind: "assert";
  readonly sql: string;
  readonly message: string;
  readonly reads: readonly TableRead[];
}

/** CREATE [TEMP] FUNCTION, TABLE FUNCTION or PROCEDURE: kept as text and analyzed again where it is used. */
export interface CreateRoutine {
  readonly kind: "create-routine";
  readonly routine: "FUNCTION" | "TABLE FUNCTION" | "PROCEDURE" | "AGGREGATE FUNCTION";
  readonly name: readonly string[];
  readonly mode: CreateMode;
  readonly temporary: boolean;
  /** The whole CREATE statement as written. */
  readonly text: string;
  readonly definition: RoutineSignature;
  /** Of a function in JavaScript. */
  readonly javaScript?: JavaScriptOptions;
}

/** What a routine takes and gives, and what it is made of. */
export interface RoutineSignature {
  readonly arguments: readonly RoutineArgument[];
  /** As the statement declares it; it may leave that to the body. */
  readonly returnType?: SqlType;
  /** The columns that a table function declares. */
  readonly returnColumns?: readonly { readonly name: string; readonly type: SqlType }[];
  /** The expression, query or block. */
  readonly body: string;
}

/** An argument of a routine. */
export interface RoutineArgument {
  readonly name: string;
  /** Absent for ANY TYPE. */
  readonly type?: SqlType;
  /** Of a procedure. */
  readonly mode?: "IN" | "OUT" | "INOUT";
  /** Written with NOT AGGREGATE. */
  readonly isNotAggregate: boolean;
}

/** What only CREATE FUNCTION … LANGUAGE js says. */
export interface JavaScriptOptions {
  readonly determinismLevel?: "DETERMINISTIC" | "NOT_DETERMINISTIC";
  readonly description?: string;
}

/** Anything the compiler makes of one resolved statement. */
export type CompiledStatement =
  | CompiledQuery
  | CompiledDml
  | CreateTable
  | CreateView
  | DropObject
  | CreateSchema
  | AlterObject
  | Assert
  | CreateRoutine;
