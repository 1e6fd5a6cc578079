import { BigQueryError, unsupported } from "../errors.ts";
import { javaScriptFunction } from "../googlesql/routines.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { typeText } from "../type-text.ts";
import type { SqlType } from "../types.ts";
import type { JavaScriptOptions } from "./compiled.ts";
import type { CompileContext } from "./context.ts";
import { compileOptions } from "./ddl-options.ts";
import { nodesOf, textOf } from "./tree-access.ts";

/** https://cloud.google.com/bigquery/quotas#udf_limits */
const MAX_CODE_BYTES = 32 * 1024;

/** https://cloud.google.com/bigquery/docs/user-defined-functions#supported-javascript-udf-data-types */
const SUPPORTED: ReadonlySet<SqlType["kind"]> = new Set([
  "BOOL",
  "BYTES",
  "FLOAT64",
  "NUMERIC",
  "BIGNUMERIC",
  "STRING",
  "TIMESTAMP",
  "DATE",
  "JSON",
]);

const DETERMINISM: Readonly<Record<string, JavaScriptOptions["determinismLevel"]>> = {
  DETERMINISM_DETERMINISTIC: "DETERMINISTIC",
  DETERMINISM_NOT_DETERMINISTIC: "NOT_DETERMINISTIC",
};

/** The options of CREATE FUNCTION … LANGUAGE js. The function is checked as far as BigQuery's documentation says what it takes. */
export function compileJavaScriptOptions(node: TreeNode, context: CompileContext): JavaScriptOptions {
  const signature = node.signature as { argument?: readonly { kind?: string }[] };
  if ((signature.argument ?? []).some(({ kind }) => kind !== "ARG_TYPE_FIXED")) {
    throw invalid("Arguments of type ANY TYPE are only allowed in SQL functions");
  }
  const definition = javaScriptFunction(node);
  definition.argumentTypes.forEach((type, index) => {
    checkType(type, `the argument ${definition.argumentNames[index]}`, SUPPORTED);
  });
  checkType(definition.returnType, "the result", new Set([...SUPPORTED, "INT64"]));
  if (Buffer.byteLength(definition.code) > MAX_CODE_BYTES) {
    throw invalid("The JavaScript code is too large: the maximum size of inline code is 32 KB");
  }
  const determinism = textOf(node, "determinismLevel");
  const determinismLevel = DETERMINISM[determinism];
  if (determinismLevel === undefined && !/^(DETERMINISM_UNSPECIFIED)?$/.test(determinism)) {
    throw unsupported(determinism.replace("DETERMINISM_", ""));
  }
  return {
    ...(determinismLevel === undefined ? {} : { determinismLevel }),
    ...readOptions(node, context),
  };
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#function_option_list */
function readOptions(node: TreeNode, context: CompileContext): Pick<JavaScriptOptions, "description"> {
  const { description, ...others } = compileOptions(nodesOf(node, "optionList"), context);
  for (const [name, value] of Object.entries(others)) {
    if (name === "library" && Array.isArray(value) && value.length === 0) continue;
    if (name === "library")
      throw unsupported("JavaScript libraries (OPTIONS library), which are in Cloud Storage");
    throw invalid(`Unknown option: ${name}`);
  }
  if (description === undefined || description === null) return {};
  if (typeof description !== "string") throw invalid("Option description must be of type STRING");
  return { description };
}

function checkType(type: SqlType, where: string, supported: ReadonlySet<SqlType["kind"]>): void {
  if (type.kind === "ARRAY") {
    checkType(type.element, where, supported);
    return;
  }
  if (type.kind !== "STRUCT") {
    if (supported.has(type.kind)) return;
    throw invalid(
      `JavaScript functions do not support the type ${typeText(type)}, which is that of ${where}`,
    );
  }
  const names = type.fields.map(({ name }) => name);
  // A JavaScript object has its members by their names.
  if (names.length === 0 || names.includes("") || new Set(names).size < names.length) {
    throw unsupported(`${typeText(type)} in a JavaScript function: fields without names of their own`);
  }
  for (const field of type.fields) checkType(field.type, where, supported);
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}
