import type { SqlType, TableRef } from "../types.ts";

/** A column as the analyzer sees it. */
export interface SourceColumn {
  readonly name: string;
  readonly type: SqlType;
  /** Not part of `*`, as `_PARTITIONTIME`. */
  readonly pseudo?: boolean;
  /** A pseudo column that DML may set all the same. */
  readonly writable?: boolean;
  /** Has a DEFAULT, so that DML may say DEFAULT. */
  readonly hasDefault?: boolean;
}

/** A table or view as the analyzer sees it. */
export interface FoundTable {
  readonly ref: TableRef;
  readonly columns: readonly SourceColumn[];
  /** A view's GoogleSQL text. */
  readonly viewQuery?: string;
  /** Another text whenever name or columns differ. */
  readonly version: string;
}

/** A user's function or procedure as the analyzer sees it. */
export interface FoundRoutine {
  readonly routine: "FUNCTION" | "AGGREGATE FUNCTION" | "TABLE FUNCTION" | "PROCEDURE";
  /** The whole CREATE statement. */
  readonly text: string;
  readonly version: string;
}

/** What the analyzer asks for the objects that a statement names; whoever calls the analyzer implements it. */
export interface TableSchemaSource {
  /** `path` has one segment per name, however it was quoted: `["d", "t"]`, `["p", "d", "INFORMATION_SCHEMA", "TABLES"]`. */
  findTable(path: readonly string[]): Promise<FoundTable | undefined>;
  /** Only asked for names that GoogleSQL does not know itself. */
  findRoutine?(path: readonly string[]): Promise<FoundRoutine | undefined>;
  /** The error for a table that is not there; without it the table is said not to be found. */
  missingTable?(path: readonly string[]): Promise<Error>;
}

/** Everything but the text that an analysis depends on. */
export interface AnalysisEnv {
  readonly source: TableSchemaSource;
  readonly variables: ReadonlyMap<string, SqlType>;
  /** By name, or by position. */
  readonly parameters: ReadonlyMap<string, SqlType> | readonly SqlType[];
  readonly defaultProject: string;
  readonly defaultDataset?: string;
  /** The types that the columns of a query are coerced to, as in an assignment. */
  readonly targetTypes?: readonly SqlType[];
  /** Parameters that are not given may be used; the tree tells their types. */
  readonly allowUndeclared?: boolean;
}

/** One table of a fixed source. */
export interface FixedTable {
  readonly ref: TableRef;
  readonly columns: readonly SourceColumn[];
  readonly viewQuery?: string;
}

/** A source with these tables and no others; `d.t` is in the default project, `t` in the default dataset. */
export function createFixedSource(
  tables: readonly FixedTable[],
  defaults: { project: string; dataset?: string },
): TableSchemaSource {
  const byName = new Map(
    tables.map((table) => {
      const name = `${table.ref.projectId}.${table.ref.datasetId}.${table.ref.tableId}`;
      return [name, { ...table, version: JSON.stringify(table) }];
    }),
  );
  return {
    async findTable(path) {
      const full = [defaults.project, defaults.dataset ?? "", ""]
        .slice(0, Math.max(0, 3 - path.length))
        .concat(path);
      return byName.get(full.join("."));
    },
  };
}
