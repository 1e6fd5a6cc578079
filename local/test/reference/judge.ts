import { DuckDBInstance } from "@duckdb/node-api";
import { compileQuery } from "../../src/compiler/compile-query.ts";
import type { CompileContext } from "../../src/compiler/context.ts";
import { registerFunctions } from "../../src/compiler/functions/register.ts";
import { literalValue } from "../../src/compiler/literals.ts";
import { toRuntimeError } from "../../src/compiler/runtime-errors.ts";
import { BigQueryError } from "../../src/errors.ts";
import { Analyzer } from "../../src/googlesql/analyzer.ts";
import { GoogleSqlClient, GoogleSqlError, type Message } from "../../src/googlesql/client.ts";
import { bigQueryLanguage } from "../../src/googlesql/language.ts";
import { fromTypeProto } from "../../src/googlesql/types.ts";
import { UNDOCUMENTED_FUNCTIONS } from "../../src/googlesql/undocumented-functions.ts";
import { typeText } from "../../src/type-text.ts";
import type { SqlType } from "../../src/types.ts";
import { fromDuck, type SqlValue } from "../../src/values.ts";

/** What evaluating a query gave. */
export type Outcome =
  | {
      readonly kind: "rows";
      readonly types: readonly SqlType[];
      readonly rows: readonly (readonly SqlValue[])[];
    }
  | { readonly kind: "error"; readonly message: string }
  /** Refused by name: a construct that the endpoint says it does not run. */
  | { readonly kind: "refused"; readonly message: string }
  /** The reference implementation itself lacks it. */
  | { readonly kind: "unknown"; readonly message: string };

/** 2026-02-03 04:05:06.789012 UTC, for queries that ask for the time. */
const NOW = 1_770_091_506_789_012n;
const REFUSAL = "Not supported by the local BigQuery endpoint: ";

/** What the reference implementation of this age says of functions it can analyze but not run, and of its own limits. */
const REFERENCE_LACKS =
  /Unsupported (?:built-in|aggregate) function|not supported yet|optional function implementation|not implemented|Unimplemented feature|exceeds max allowed output size|more than 16000 elements/;

function context(text: string): CompileContext {
  const none = (): undefined => undefined;
  return {
    defaultProject: "p",
    defaultDataset: "d",
    now: NOW,
    text,
    asValue: true,
    physicalTable: () => {
      throw new Error("The corpus has no tables.");
    },
    expandView: none,
    routine: none,
    javaScriptCall: () => {
      throw new Error("The corpus has no functions in JavaScript.");
    },
    variable: none,
    parameter: none,
    systemVariable: none,
  };
}

/** GoogleSQL's reference implementation and this endpoint's compiler over DuckDB, side by side. */
export class Judge {
  private constructor(
    private readonly client: GoogleSqlClient,
    private readonly analyzer: Analyzer,
    private readonly language: Message,
    /** A catalog of the functions alone, by its number at GoogleSQL's server. */
    private readonly registeredCatalogId: unknown,
    private readonly duck: Awaited<ReturnType<DuckDBInstance["connect"]>>,
  ) {}

  /** Starts GoogleSQL's server and an empty DuckDB. */
  static async open(): Promise<Judge> {
    const client = new GoogleSqlClient();
    const maximum = await client.call("getLanguageOptions", { maximumFeatures: true });
    const languageOptions = bigQueryLanguage(maximum);
    const simpleCatalog = { name: "corpus", builtinFunctionOptions: { languageOptions } };
    const { registeredId } = await client.call("registerCatalog", { simpleCatalog });
    const instance = await DuckDBInstance.create(":memory:");
    const duck = await instance.connect();
    await duck.run("SET TimeZone = 'UTC'");
    registerFunctions(duck);
    return new Judge(client, new Analyzer(client), languageOptions, registeredId, duck);
  }

  /** Stops both. */
  async close(): Promise<void> {
    this.duck.closeSync();
    await this.client.close();
  }

  /** The functions that the analyzer knows, as its protos describe them. */
  async builtinFunctions(): Promise<readonly Message[]> {
    const answer = await this.client.call("getBuiltinFunctions", {
      languageOptions: this.language,
      excludeFunctionIds: UNDOCUMENTED_FUNCTIONS,
    });
    const name = (each: Message): string => (each.namePath as readonly string[]).join(".");
    // The server answers in no fixed order, and a seed must give the same calls every time.
    return (answer.function as Message[]).toSorted((a, b) => (name(a) < name(b) ? -1 : 1));
  }

  /** The query by the reference implementation. */
  async reference(sql: string): Promise<Outcome> {
    const { language: languageOptions, registeredCatalogId } = this;
    const options = { languageOptions, defaultTimezone: "UTC", errorMessageMode: "ERROR_MESSAGE_ONE_LINE" };
    try {
      const answer = await this.client.call("evaluateQuery", { options, registeredCatalogId, sql });
      const prepared = answer.prepared as { columns?: readonly { type: unknown }[] };
      const types = (prepared.columns ?? []).map(({ type }) => fromTypeProto(type));
      const content = answer.content as { tableData?: { row?: readonly { cell?: readonly Message[] }[] } };
      const rows = (content.tableData?.row ?? []).map(({ cell = [] }) =>
        types.map((type, index) => literalValue({ value: { value: cell[index] ?? {} } }, type)),
      );
      return { kind: "rows", types, rows };
    } catch (error) {
      const message = String((error as Error).message);
      return { kind: REFERENCE_LACKS.test(message) ? "unknown" : "error", message };
    }
  }

  /** The query by the endpoint's analyzer, compiler and DuckDB. */
  async endpoint(sql: string): Promise<Outcome & { readonly duckSql?: string }> {
    let duckSql: string | undefined;
    try {
      const env = {
        source: { findTable: async () => undefined },
        variables: new Map(),
        parameters: new Map(),
        defaultProject: "p",
      };
      const { statement } = await this.analyzer.analyzeStatement(sql, env);
      const compiled = compileQuery(statement, context(sql));
      duckSql = compiled.sql;
      const result = await this.duck.runAndReadAll(compiled.sql);
      const types = compiled.columns.map(({ type }) => type);
      const rows = result.getRows().map((row) => types.map((type, index) => fromDuck(type, row[index])));
      return { kind: "rows", types, rows, duckSql };
    } catch (caught) {
      const error = toRuntimeError(caught);
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof BigQueryError || error instanceof GoogleSqlError) {
        return { kind: message.startsWith(REFUSAL) ? "refused" : "error", message, duckSql };
      }
      // An error of DuckDB's own that is no error of the query is a defect of a mapping.
      const isQueryError = /^(Conversion|Out of Range|Invalid Input|Constraint) Error/.test(message);
      return { kind: "error", message: isQueryError ? message : `DEFECT ${message}`, duckSql };
    }
  }
}

/** Types as text, to compare and to show. */
export function typesText(types: readonly SqlType[]): string {
  return types.map(typeText).join(", ");
}

/** A value as text that is equal exactly where the values are. */
export function valueText(value: SqlValue): string {
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "number")
    return Object.is(value, -0) ? "0.0" : Number.isInteger(value) ? `${value}.0` : `${value}`;
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
  if (Array.isArray(value)) return `[${(value as readonly SqlValue[]).map(valueText).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    const { months, days, micros } = value as { months: number; days: number; micros: bigint };
    return `interval(${months}, ${days}, ${micros})`;
  }
  return JSON.stringify(value);
}

/** FLOAT64 may differ in the last bits: libraries round transcendental functions differently. */
const RELATIVE_ERROR = 4e-15;

/** Whether two values are equal; FLOAT64 within a few units of the last place. */
export function sameValue(a: SqlValue, b: SqlValue): boolean {
  if (typeof a === "number" && typeof b === "number") {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
    return a === b || Math.abs(a - b) <= RELATIVE_ERROR * Math.max(Math.abs(a), Math.abs(b));
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return (
      a.length === b.length && a.every((item, index) => sameValue(item as SqlValue, b[index] as SqlValue))
    );
  }
  return valueText(a) === valueText(b);
}
