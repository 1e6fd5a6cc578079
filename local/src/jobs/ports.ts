import type { BigQueryError, ErrorProto } from "../errors.ts";
import type { DestinationOptions } from "../storage/load/destination-options.ts";
import type { FieldSchema, SqlType, TableRef } from "../types.ts";
import type { SqlValue } from "../values.ts";

/** One query parameter's value. */
export interface ParameterValue {
  readonly type: SqlType;
  readonly value: SqlValue;
}

/** What a query job asks of the engine. */
export interface QueryRequest {
  readonly sql: string;
  readonly projectId: string;
  readonly defaultDataset?: { readonly projectId: string; readonly datasetId: string };
  /** By name in lower case, or by position. */
  readonly parameters: ReadonlyMap<string, ParameterValue> | readonly ParameterValue[];
  readonly dryRun: boolean;
  readonly jobId: string;
  /** Where the job shall run, if the client says; else the engine finds out from what the query names. */
  readonly location?: string;
  readonly destinationTable?: TableRef;
  readonly writeDisposition?: "WRITE_EMPTY" | "WRITE_TRUNCATE" | "WRITE_APPEND";
  readonly createDisposition?: "CREATE_IF_NEEDED" | "CREATE_NEVER";
  /** Layout and schema updates of the destination table. */
  readonly destinationOptions?: DestinationOptions;
  /** The session to run in, or that one shall be made. */
  readonly session?: { readonly id: string } | { readonly create: true };
  readonly signal: AbortSignal;
  /** Called around every statement; what it throws the statement fails with. */
  readonly onStatement?: (when: "before" | "after", statement: { text: string; type: string }) => void;
}

/** Rows kept for paging. */
export interface ResultHandle {
  readonly schema: readonly FieldSchema[];
  readonly totalRows: number;
  page(start: number, count: number): Promise<SqlValue[][]>;
  dispose?(): Promise<void> | void;
}

/** `totalBytesProcessedAccuracy` (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2). */
export type BytesAccuracy = "PRECISE" | "UPPER_BOUND" | "LOWER_BOUND" | "UNKNOWN";

/** What a query, or one statement of a script, did. */
export interface QueryOutcome {
  readonly statementType: string;
  readonly schema?: readonly FieldSchema[];
  readonly rows?: ResultHandle;
  readonly dml?: { readonly inserted: number; readonly updated: number; readonly deleted: number };
  readonly numDmlAffectedRows?: number;
  readonly ddlOperation?: string;
  readonly ddlTarget?: TableRef;
  /** The table that a DML statement or CREATE TABLE AS SELECT has put rows into, which its job names as its destination. */
  readonly writtenTable?: TableRef;
  readonly referencedTables?: readonly TableRef[];
  readonly bytesProcessed: number;
  /** What these bytes are billed as. */
  readonly bytesBilled: number;
  /** How good the bytes of a script's dry run are; those of a statement are exact. */
  readonly bytesAccuracy?: BytesAccuracy;
  readonly location?: string;
  /** The session that the query ran in. */
  readonly sessionId?: string;
  readonly children?: readonly ChildJob[];
  readonly undeclaredParameters?: readonly { readonly name?: string; readonly type: SqlType }[];
}

/** Where a statement stands, from 1; its text, and the procedure that it is part of. */
export interface StackFrame {
  readonly startLine: number;
  readonly startColumn: number;
  readonly text: string;
  readonly procedureId?: string;
}

/** One statement of a script. */
export interface ChildJob {
  readonly sql: string;
  /** Its place, before those of the calls that led to it. */
  readonly stackFrames: readonly StackFrame[];
  readonly startTime: number;
  readonly endTime: number;
  /** An expression of the script that reads tables, as a condition or the value of a variable; no statement. */
  readonly isExpression?: true;
  readonly outcome?: QueryOutcome;
  readonly error?: BigQueryError;
}

/** Runs GoogleSQL. */
export interface QueryEngine {
  runQuery(request: QueryRequest): Promise<QueryOutcome>;
}

/** What a load job asks for. */
interface LoadRequest {
  readonly projectId: string;
  readonly destinationTable: TableRef;
  /** The uploaded data, decompressed. */
  readonly file: string;
  /** `configuration.load` as the client wrote it. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** What a load job did. */
interface LoadOutcome {
  readonly outputRows: number;
  readonly outputBytes: number;
  readonly badRecords: number;
  readonly warnings: readonly ErrorProto[];
}

/** Loads a file into a table: all of it, or nothing. */
export interface Loader {
  load(request: LoadRequest): Promise<LoadOutcome>;
}

/** A job as INFORMATION_SCHEMA.JOBS shows it. */
export interface ListedJob {
  readonly projectId: string;
  readonly jobId: string;
  readonly parentJobId?: string;
  readonly state: string;
  /** Its REST resource, with links that begin with this address. */
  toResource(baseUrl: string): object;
}
