import type { JavaScriptFunction } from "../javascript/definition.ts";
import type { SqlType } from "../types.ts";
import { duckType, quoteText } from "../values.ts";
import type { CompiledExpr } from "./functions/types.ts";
import type { Unit } from "./unit.ts";

/** How often a call is asked for its results; each time it is waited for half as long again as before. */
const POLLS = 48;

/**
 * A call of a function in JavaScript. It runs outside of DuckDB and of the endpoint's own thread, which DuckDB's functions
 * would hold up: `bq_js_submit` hands the arguments over and gives a ticket for each row, DuckDB's thread sleeps until
 * `bq_js_poll` gives the ticket back (COALESCE asks no further then), and `bq_js_result` gives the value as text.
 * All four are volatile, so no row is evaluated twice or folded into a constant.
 */
export function javaScriptCallSql(
  definition: JavaScriptFunction,
  args: readonly CompiledExpr[],
  unit: Unit,
): string {
  const call = unit.context.javaScriptCall(definition);
  const submit = `bq_js_submit(${[`${call}::BIGINT`, ...args.map(({ sql }) => sql)].join(", ")})`;
  return fromText(definition.returnType, `bq_js_result(${waitSql("js", submit, unit.fresh("t"))})`);
}

/** The ticket that `submit` gives, once its result is there; DuckDB's thread sleeps until then. */
export function waitSql(kind: string, submit: string, ticket: string): string {
  const polls = `sleep_ms(bq_${kind}_delay(${ticket})), bq_${kind}_poll(${ticket}), `.repeat(POLLS);
  return `list_transform([${submit}], lambda ${ticket}: coalesce(${polls}${ticket}))[1]`;
}

/** A value from its text: a scalar's own, an ARRAY's and a STRUCT's as JSON whose scalars are texts. */
function fromText(type: SqlType, text: string): string {
  if (type.kind !== "ARRAY" && type.kind !== "STRUCT") return `CAST(${text} AS ${duckType(type)})`;
  return `CAST(from_json(${text}, ${quoteText(JSON.stringify(textShape(type)))}) AS ${duckType(type)})`;
}

/** DuckDB's description of a JSON value in which every scalar is a text. */
function textShape(type: SqlType): unknown {
  if (type.kind === "ARRAY") return [textShape(type.element)];
  if (type.kind !== "STRUCT") return "VARCHAR";
  return Object.fromEntries(type.fields.map((field, index) => [`f${index}`, textShape(field.type)]));
}
