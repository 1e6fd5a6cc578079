import { arg, kindOf, onceEach, refuse, sqlOf } from "./arguments.ts";
import { jsonText, jsonTextOf } from "./json-text.ts";
import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";

const ROOT = "'$'";

/** JSON text of a STRING or JSON argument. */
function textOf(expr: CompiledExpr): string {
  return expr.type.kind === "JSON" ? `CAST(${expr.sql} AS VARCHAR)` : expr.sql;
}

/** JSON_QUERY and its kin; the legacy names quote keys in another way. */
function query(name: string): ScalarMapping {
  return (call) => {
    const json = arg(call, 0);
    const legacy = call.name.startsWith("json_extract");
    const found = `${call.context.own(name)}(${textOf(json)}, ${call.args[1]?.sql ?? ROOT}, ${legacy}, ${json.type.kind === "JSON"})`;
    return call.resultType.kind === "JSON" ? asJson(found) : found;
  };
}

function asJson(text: string): string {
  return `CAST(${text} AS JSON)`;
}

/** JSON_QUERY_ARRAY gives ARRAY<JSON> of a JSON and ARRAY<STRING> of a STRING. */
function queryArray(name: string): ScalarMapping {
  return (call) => {
    const found = query(name)({ ...call, resultType: { kind: "STRING" } });
    const { resultType } = call;
    return resultType.kind === "ARRAY" && resultType.element.kind === "JSON"
      ? `CAST(${found} AS JSON[])`
      : found;
  };
}

const toJsonString: ScalarMapping = (call) => {
  const text = jsonTextOf(call.context, arg(call, 0), "print");
  const pretty = call.args[1];
  if (pretty === undefined || pretty.literal === false) return text;
  return `(CASE WHEN ${pretty.sql} IS NULL THEN NULL WHEN ${pretty.sql} THEN ${call.context.own("json_pretty")}(${text}) ELSE ${text} END)`;
};

const toJson: ScalarMapping = (call) => {
  const wide = call.args[1]?.literal === true;
  if (call.args[1] !== undefined && typeof call.args[1].literal !== "boolean")
    return refuse(call, "with an option that is no literal");
  const text = jsonTextOf(call.context, arg(call, 0), wide ? "wide" : "value");
  return asJson(`${call.context.own("json_canonical")}(${text})`);
};

const parseJson: ScalarMapping = (call) => {
  const mode = call.args[1]?.sql ?? "'exact'";
  return asJson(`${call.context.own("parse_json")}(${sqlOf(call, 0)}, ${mode})`);
};

/** INT64(json), LAX_STRING(json) and their kin. */
function convert(name: string): ScalarMapping {
  return (call) => {
    const mode = call.args[1] === undefined ? "" : `, ${call.args[1].sql}`;
    if (name === "float64")
      return `${call.context.own("json_float64")}(${textOf(arg(call, 0))}${mode === "" ? ", 'round'" : mode})`;
    return `${call.context.own(`json_${name}`)}(${textOf(arg(call, 0))})`;
  };
}

const subscript: ScalarMapping = (call) => {
  if (kindOf(call, 0) !== "JSON") return refuse(call);
  const name = kindOf(call, 1) === "INT64" ? "json_element" : "json_member";
  return asJson(`${call.context.own(name)}(${textOf(arg(call, 0))}, ${sqlOf(call, 1)})`);
};

/** JSON_ARRAY and JSON_OBJECT of values of any types. */
const jsonArray: ScalarMapping = (call) => {
  const items = call.args.map((each) => jsonTextOf(call.context, each, "value"));
  return asJson(
    `${call.context.own("json_canonical")}('[' || ${items.length === 0 ? "''" : items.join(" || ',' || ")} || ']')`,
  );
};

const jsonObject: ScalarMapping = (call) => {
  if (call.args.length > 0 && kindOf(call, 0) === "ARRAY") return jsonObjectOfArrays(call);
  const keys: string[] = [];
  const values: string[] = [];
  for (let index = 0; index + 1 < call.args.length; index += 2) {
    keys.push(sqlOf(call, index));
    values.push(jsonTextOf(call.context, arg(call, index + 1), "value"));
  }
  return asJson(
    `${call.context.own("json_object")}(CAST([${keys.join(", ")}] AS VARCHAR[]), CAST([${values.join(", ")}] AS VARCHAR[]))`,
  );
};

/** JSON_OBJECT(keys, values): https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_object_signature2 */
function jsonObjectOfArrays(call: FunctionCall): string {
  const { type } = arg(call, 1);
  if (type.kind !== "ARRAY") return refuse(call, "of arrays");
  return onceEach(call, [sqlOf(call, 0), sqlOf(call, 1)], (keys, values) => {
    const e = call.context.parameter("e");
    const texts = `list_transform(${values}, lambda ${e}: ${jsonText(call.context, type.element, e, "value")})`;
    const failures = [
      [`${keys} IS NULL`, "The keys array cannot be NULL"],
      [`${values} IS NULL`, "The values array cannot be NULL"],
      [`len(${keys}) <> len(${values})`, "The number of keys and values must match"],
    ] as const;
    return failures.reduceRight(
      (sql, [condition, message]) =>
        call.context.failWhen(condition, call.resultType, [`Invalid input to JSON_OBJECT: ${message}`], sql),
      asJson(`${call.context.own("json_object")}(${keys}, CAST(${texts} AS VARCHAR[]))`),
    );
  });
}

const remove: ScalarMapping = (call) => {
  const paths = call.args.slice(1).map((each) => each.sql);
  return asJson(
    `${call.context.own("json_remove")}(${textOf(arg(call, 0))}, CAST([${paths.join(", ")}] AS VARCHAR[]))`,
  );
};

/**
 * JSON_SET and the two JSON_ARRAY_ functions: pairs of a path and a value of any type, and an option. What is NULL is left out: a pair
 * by its path, or its array where the elements are wanted one by one, and all of them by the option
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_set).
 */
function edit(name: string): ScalarMapping {
  return (call: FunctionCall) => {
    const pairs = call.args.slice(1);
    // The option stands last and has a default, so the analyzer always gives it.
    const option = pairs.length % 2 === 1 ? pairs.pop() : undefined;
    const values = pairs.filter((_, index) => index % 2 === 1);
    return onceEach(call, [option?.sql ?? "true", ...values.map((each) => each.sql)], (flag, ...bound) => {
      const paths = values.map(({ type }, index) => {
        const path = pairs[2 * index]?.sql ?? "NULL";
        const byElements = type.kind === "ARRAY" && name !== "json_set";
        return byElements ? `CASE WHEN NOT ${flag} OR ${bound[index]} IS NOT NULL THEN ${path} END` : path;
      });
      const all = `CAST([${paths.join(", ")}] AS VARCHAR[])`;
      const wanted =
        typeof option?.literal === "boolean"
          ? all
          : `(CASE WHEN ${flag} IS NULL THEN []::VARCHAR[] ELSE ${all} END)`;
      const texts = values.map(({ type }, index) =>
        jsonText(call.context, type, bound[index] ?? "", "value"),
      );
      return asJson(
        `${call.context.own(name)}(${textOf(arg(call, 0))}, ${wanted}, CAST([${texts.join(", ")}] AS VARCHAR[]), coalesce(${flag}, true))`,
      );
    });
  };
}

const stripNulls: ScalarMapping = (call) => {
  const [path, arrays, empty] = [1, 2, 3].map((index) => call.args[index]?.sql);
  const stripped = asJson(
    `${call.context.own("json_strip_nulls")}(${textOf(arg(call, 0))}, ${path ?? ROOT}, ${arrays ?? "true"}, ${empty ?? "false"})`,
  );
  const unknown = [path, arrays, empty].filter((each) => each !== undefined).map((each) => `${each} IS NULL`);
  if (
    unknown.length === 0 ||
    call.args.slice(1).every(({ literal }) => literal !== undefined && literal !== null)
  )
    return stripped;
  return `(CASE WHEN ${unknown.join(" OR ")} THEN ${sqlOf(call, 0)} ELSE ${stripped} END)`;
};

/** JSON functions. A JSON value is kept as its canonical text. */
export const jsonFunctions: Readonly<Record<string, ScalarMapping>> = {
  to_json_string: toJsonString,
  to_json: toJson,
  parse_json: parseJson,
  json_query: query("json_query"),
  json_extract: query("json_query"),
  json_value: query("json_value"),
  json_extract_scalar: query("json_value"),
  json_query_array: queryArray("json_query_array"),
  json_extract_array: queryArray("json_query_array"),
  json_value_array: queryArray("json_value_array"),
  json_extract_string_array: queryArray("json_value_array"),
  json_type: convert("type"),
  bool: convert("bool"),
  int64: convert("int64"),
  float64: convert("float64"),
  lax_bool: convert("lax_bool"),
  lax_int64: convert("lax_int64"),
  lax_float64: convert("lax_float64"),
  lax_string: convert("lax_string"),
  json_array: jsonArray,
  json_object: jsonObject,
  json_remove: remove,
  json_set: edit("json_set"),
  json_array_append: edit("json_array_append"),
  json_array_insert: edit("json_array_insert"),
  json_strip_nulls: stripNulls,
  json_keys: (call) =>
    `${call.context.own("json_keys")}(${textOf(arg(call, 0))}, ${sqlOf(call, 1)}, ${sqlOf(call, 2)})`,
  json_flatten: (call) => `CAST(${call.context.own("json_flatten")}(${textOf(arg(call, 0))}) AS JSON[])`,
  $subscript: subscript,
};
