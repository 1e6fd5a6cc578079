import { typeText } from "../../type-text.ts";
import { USER_EMAIL } from "../../user.ts";
import { quoteText } from "../../values.ts";
import { arg, literalText, onceAll, refuse, sqlOf } from "./arguments.ts";
import { castSql } from "./cast.ts";
import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";
import { normalized } from "./udf/text.ts";

/** What CONTAINS_SUBSTR searches. */
const SEARCHED: readonly string[] = [
  "STRING",
  "INT64",
  "BOOL",
  "NUMERIC",
  "BIGNUMERIC",
  "TIMESTAMP",
  "TIME",
  "DATE",
  "DATETIME",
];

/** What the argument json_scope names: whether keys and whether values of JSON are searched. */
const JSON_SCOPES: ReadonlyMap<string, { readonly keys: boolean; readonly values: boolean }> = new Map([
  ["JSON_VALUES", { keys: false, values: true }],
  ["JSON_KEYS", { keys: true, values: false }],
  ["JSON_KEYS_AND_VALUES", { keys: true, values: true }],
]);

/** What is sought, normalized, and where in JSON. */
interface Search {
  readonly text: string;
  readonly keys: boolean;
  readonly values: boolean;
}

/** Whether any field or element of the value has the text: TRUE, else NULL where one of them is NULL, else FALSE. */
function containsSql(call: FunctionCall, { sql, type }: CompiledExpr, search: Search): string {
  if (type.kind === "STRUCT") {
    return call.context.once(sql, (struct) => {
      const fields = type.fields.map((field, index) =>
        containsSql(call, { sql: `(${struct}).f${index}`, type: field.type }, search),
      );
      return `(${fields.join(" OR ")})`;
    });
  }
  if (type.kind === "ARRAY") {
    const e = call.context.parameter("e");
    const each = containsSql(call, { sql: e, type: type.element }, search);
    return call.context.once(`list_transform(${sql}, lambda ${e}: ${each})`, (found) => {
      const isUnknown = `len(list_filter(${found}, lambda ${e}: ${e} IS NULL)) > 0`;
      return `(CASE WHEN list_contains(${found}, true) THEN true WHEN ${found} IS NULL OR ${isUnknown} THEN NULL ELSE false END)`;
    });
  }
  if (type.kind === "JSON") {
    return `${call.context.own("partial_json_contains")}(${sql}, ${quoteText(search.text)}, ${search.keys}, ${search.values})`;
  }
  if (!SEARCHED.includes(type.kind)) return refuse(call, `on ${type.kind}`);
  const text =
    type.kind === "STRING"
      ? sql
      : castSql({
          arg: { sql, type },
          from: type,
          to: { kind: "STRING" },
          safe: false,
          context: call.context,
        });
  return `contains(${call.context.own("normalize")}(${text}, 'NFKC', true), ${quoteText(search.text)})`;
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#contains_substr */
const containsSubstr: ScalarMapping = (call) => {
  const sought = literalText(call.args[1]);
  if (sought === undefined) return refuse(call, "with a search value that is no literal");
  const scope = literalText(call.args[2]);
  const searched = JSON_SCOPES.get(scope ?? "");
  if (searched === undefined) return refuse(call, `with json_scope => ${scope ?? "NULL"}`);
  return containsSql(call, arg(call, 0), { text: normalized(sought, "NFKC", true), ...searched });
};

/** Functions that ask about types, about the session, and about everything in a row at once. */
export const utilityFunctions: Readonly<Record<string, ScalarMapping>> = {
  contains_substr: containsSubstr,
  // https://cloud.google.com/bigquery/docs/reference/standard-sql/hll_functions#hll_countextract
  "hll_count.extract": (call) => `coalesce(${call.context.own("hll_extract")}(${sqlOf(call, 0)}), 0)`,
  session_user: () => quoteText(USER_EMAIL),
  // https://cloud.google.com/bigquery/docs/reference/standard-sql/utility-functions#typeof
  text_analyze: textAnalyze,
  typeof: (call) => quoteText(typeText(arg(call, 0).type)),
  edit_distance: (call) => {
    const name = arg(call, 0).type.kind === "BYTES" ? "partial_edit_distance_bytes" : "partial_edit_distance";
    return `${call.context.own(name)}(${sqlOf(call, 0)}, ${sqlOf(call, 1)}, ${sqlOf(call, 2)})`;
  },
  cosine_distance: vectorDistance,
  euclidean_distance: vectorDistance,
};

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/text-analysis-functions#text_analyze */
function textAnalyze(call: FunctionCall): string {
  const analyzer = literalText(call.args[1]);
  if (literalText(call.args[2]) !== "") return refuse(call, "with analyzer_options");
  if (analyzer === "LOG_ANALYZER") return `${call.context.own("log_terms")}(${sqlOf(call, 0)})`;
  if (analyzer !== "NO_OP_ANALYZER") return refuse(call, `with the analyzer ${analyzer}`);
  return call.context.once(
    sqlOf(call, 0),
    (text) => `(CASE WHEN ${text} IS NULL THEN NULL ELSE [${text}] END)`,
  );
}

function vectorDistance(call: FunctionCall): string {
  const { type } = arg(call, 0);
  if (type.kind !== "ARRAY" || type.element.kind !== "STRUCT") {
    return `${call.context.own(call.name)}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
  }
  // Our own functions take no structs: dimensions and magnitudes go side by side; a NULL struct is neither.
  const kind = type.element.fields[0]?.type.kind === "STRING" ? "names" : "numbers";
  return onceAll(call, (...vectors) => {
    const e = call.context.parameter("e");
    const lists = vectors.flatMap((vector) =>
      [`${e} IS NULL`, `${e}.f0`, `${e}.f1`].map((part) => `list_transform(${vector}, lambda ${e}: ${part})`),
    );
    return `${call.context.own(`sparse_${call.name}_${kind}`)}(${lists.join(", ")})`;
  });
}
