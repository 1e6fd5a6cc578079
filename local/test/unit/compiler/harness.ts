import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { compileStatement } from "../../../src/compiler/compile.ts";
import type { CompiledStatement } from "../../../src/compiler/compiled.ts";
import type { CompileContext, TypedValue } from "../../../src/compiler/context.ts";
import { registerFunctions } from "../../../src/compiler/functions/register.ts";
import type { NeededRows } from "../../../src/compiler/needed-rows.ts";
import { toRuntimeError } from "../../../src/compiler/runtime-errors.ts";
import type { AnalyzedStatement } from "../../../src/googlesql/analyzed-statement.ts";
import { Analyzer } from "../../../src/googlesql/analyzer.ts";
import { createFixedSource, type FoundRoutine } from "../../../src/googlesql/source.ts";
import { APPENDED_COLUMN } from "../../../src/storage/history.ts";
import { schemaColumns } from "../../../src/storage/schema.ts";
import type { FieldSchema, Partitioning } from "../../../src/types.ts";
import { duckType, fromDuck, quoteName, type SqlValue } from "../../../src/values.ts";

/** A table of a test: `p.d.<name>`. */
export interface TestTable {
  readonly name: string;
  readonly schema: readonly FieldSchema[];
  readonly partitioning?: Partitioning;
  /** A view's GoogleSQL text, instead of rows. */
  readonly viewQuery?: string;
}

/** Functions of a test: the CREATE statement of `d.<name>` by name. */
export type TestRoutines = Readonly<Record<string, Pick<FoundRoutine, "routine" | "text">>>;

/** A column in one line: `name`, REST's type, mode, fields. */
export function field(
  name: string,
  type: string,
  mode: FieldSchema["mode"] = "NULLABLE",
  fields?: FieldSchema[],
): FieldSchema {
  return { name, type, mode, ...(fields === undefined ? {} : { fields }) };
}

/** 2026-01-02 03:04:05 UTC: the CURRENT_TIMESTAMP of tests. */
const NOW = BigInt(Date.UTC(2026, 0, 2, 3, 4, 5)) * 1000n;

/** Analyzer, compiler and DuckDB, without the endpoint around them. */
export class Bench {
  private constructor(
    private readonly analyzer: Analyzer,
    readonly connection: DuckDBConnection,
    private readonly tables: readonly TestTable[],
    readonly variables: ReadonlyMap<string, TypedValue>,
    private readonly routines: TestRoutines,
  ) {}

  static async open(
    tables: readonly TestTable[] = [],
    variables: Readonly<Record<string, TypedValue>> = {},
    routines: TestRoutines = {},
  ): Promise<Bench> {
    const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    registerFunctions(connection);
    await connection.run("CREATE SCHEMA bq");
    await connection.run("SET VARIABLE bq_change = 1");
    for (const { name, schema, viewQuery } of tables) {
      if (viewQuery !== undefined) continue;
      const columns = schemaColumns(schema).map(
        (column) => `${quoteName(column.name)} ${duckType(column.type)}`,
      );
      await connection.run(`CREATE TABLE bq.${name} (${[...columns, APPENDED_COLUMN].join(", ")})`);
    }
    return new Bench(new Analyzer(), connection, tables, new Map(Object.entries(variables)), routines);
  }

  async close(): Promise<void> {
    await this.analyzer.close();
    this.connection.closeSync();
  }

  async compile(sql: string, asValue = false): Promise<CompiledStatement> {
    const source = createFixedSource(
      this.tables.map(({ name, schema, viewQuery }) => ({
        ref: { projectId: "p", datasetId: "d", tableId: name },
        columns: schemaColumns(schema).map((column, index) => ({
          ...column,
          hasDefault: schema[index]?.defaultValueExpression !== undefined,
        })),
        viewQuery,
      })),
      { project: "p", dataset: "d" },
    );
    const findRoutine = async (path: readonly string[]): Promise<FoundRoutine | undefined> => {
      const found = this.routines[path.at(-1) ?? ""];
      return found === undefined ? undefined : { ...found, version: found.text };
    };
    const analyzed = await this.analyzer.analyzeStatement(sql, {
      source: { ...source, findRoutine },
      variables: new Map([...this.variables].map(([name, { type }]) => [name, type])),
      parameters: new Map(),
      defaultProject: "p",
      defaultDataset: "d",
    });
    return compileStatement(analyzed.statement, this.context(analyzed, asValue));
  }

  private context(analyzed: AnalyzedStatement, asValue: boolean, neededRows?: NeededRows): CompileContext {
    return {
      defaultProject: "p",
      defaultDataset: "d",
      now: NOW,
      text: analyzed.text,
      asValue,
      physicalTable: (name) => {
        const tableId = name.split(".").at(-1) ?? "";
        const table = this.tables.find((each) => each.name === tableId);
        if (table === undefined) throw new Error(`no table ${name}`);
        return {
          sql: `bq.${tableId}`,
          ref: { projectId: "p", datasetId: "d", tableId },
          columns: schemaColumns(table.schema),
          schema: table.schema,
          partitioning: table.partitioning ?? {},
        };
      },
      neededRows,
      expandView: (name, needed) => {
        const view = analyzed.views.get(name);
        if (view === undefined) return undefined;
        const columns = (analyzed.tables.get(name)?.columns ?? []).map((column) => column.name);
        const compiled = compileStatement(view.statement, this.context(view, true, needed(columns)));
        if (compiled.kind !== "query") throw new Error("not a query");
        return compiled;
      },
      routine: (name) => analyzed.routines.get(name.join(".")),
      javaScriptCall: () => {
        throw new Error("no functions in JavaScript");
      },
      variable: (name) => this.variables.get(name),
      parameter: () => undefined,
      systemVariable: () => undefined,
    };
  }

  /** The rows of a query. */
  async rows(sql: string): Promise<SqlValue[][]> {
    const compiled = await this.compile(sql);
    if (compiled.kind !== "query") throw new Error(`not a query: ${compiled.kind}`);
    try {
      const reader = await this.connection.runAndReadAll(compiled.sql);
      return reader
        .getRows()
        .map((row) => compiled.columns.map(({ type }, index) => fromDuck(type, row[index])));
    } catch (error) {
      throw toRuntimeError(error);
    }
  }

  /** The only value of the only row of a query. */
  async value(sql: string): Promise<SqlValue> {
    const rows = await this.rows(sql);
    if (rows.length !== 1 || rows[0]?.length !== 1) throw new Error(`not one value: ${sql}`);
    return rows[0][0] ?? null;
  }

  /** Runs a DML statement as one transaction and gives what it counted, such as `{ inserted: 2 }`. */
  async run(sql: string): Promise<Record<string, number>> {
    const compiled = await this.compile(sql);
    if (compiled.kind !== "dml") throw new Error(`not DML: ${compiled.kind}`);
    const counts: Record<string, number> = {};
    await this.connection.run("BEGIN");
    try {
      for (const { sql, gives } of compiled.steps) {
        const first = (await this.connection.runAndReadAll(sql)).getRows()[0]?.[0];
        if (gives === "fail" && first !== undefined) throw new Error(String(first));
        if (gives !== undefined && gives !== "fail") counts[gives] = (counts[gives] ?? 0) + Number(first);
      }
      for (const sql of compiled.cleanup) await this.connection.run(sql);
      await this.connection.run("COMMIT");
    } catch (error) {
      await this.connection.run("ROLLBACK");
      throw toRuntimeError(error);
    }
    return counts;
  }
}
