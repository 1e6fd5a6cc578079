import type { CompileContext } from "../compiler/context.ts";
import { openUnit } from "../compiler/statement-unit.ts";
import { storedSql } from "../compiler/stored.ts";
import type { Analyzer } from "../googlesql/analyzer.ts";
import { type AnalysisEnv, createFixedSource } from "../googlesql/source.ts";
import { fieldType } from "../storage/schema.ts";
import type { FieldSchema } from "../types.ts";
import { analyzeDefault } from "./column-defaults.ts";

/** DuckDB expressions for the default values of fields, by name in lower case, for writers that are no DML. */
export async function compileDefaults(
  analyzer: Analyzer,
  fields: readonly FieldSchema[],
): Promise<ReadonlyMap<string, string>> {
  const compiled = new Map<string, string>();
  const now = BigInt(Date.now()) * 1000n;
  for (const field of fields) {
    if (field.defaultValueExpression === undefined) continue;
    const { unit } = openUnit(contextOf(field.defaultValueExpression, now));
    const { sql } = unit.expr(await analyzeDefault(analyzer, ENV, field));
    compiled.set(field.name.toLowerCase(), storedSql(sql, fieldType(field), field, unit));
  }
  return compiled;
}

/** A default value refers to nothing but functions. */
const ENV: AnalysisEnv = {
  source: createFixedSource([], { project: "", dataset: "" }),
  variables: new Map(),
  parameters: new Map(),
  defaultProject: "",
};

function contextOf(text: string, now: bigint): CompileContext {
  return {
    defaultProject: "",
    now,
    text,
    asValue: true,
    physicalTable: (name) => {
      throw new Error(`a default value reads ${name}`);
    },
    expandView: () => undefined,
    routine: () => undefined,
    javaScriptCall: () => {
      throw new Error("a default value calls a function in JavaScript");
    },
    variable: () => undefined,
    parameter: () => undefined,
    systemVariable: () => undefined,
  };
}
