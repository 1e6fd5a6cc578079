import type { Analyzer } from "../googlesql/analyzer.ts";
import { ByteText, identifierOf, rangeOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { scriptStatements } from "./script-tree.ts";

/**
 * The text to analyze instead of a CREATE PROCEDURE with `strict_mode=false`: BigQuery checks such a body for syntax alone until it is
 * called, so an empty one stands in for it. Any other statement stays as it is.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#procedure_option_list
 */
export async function withoutUncheckedBody(analyzer: Analyzer, sql: string): Promise<string> {
  if (!/strict_mode/i.test(sql)) return sql;
  const [statement] = scriptStatements(await analyzer.parseScript(sql));
  const body = statement?.body as TreeNode | undefined;
  if (statement?.kind !== "astCreateProcedureStatement" || body === undefined) return sql;
  if (!hasStrictModeOff(statement)) return sql;
  const text = new ByteText(sql);
  const { start, end } = rangeOf(body);
  const rest = { start: end, end: Buffer.byteLength(sql) };
  return `${text.slice({ start: 0, end: start })}BEGIN END${text.slice(rest)}`;
}

function hasStrictModeOff(statement: TreeNode): boolean {
  const list = statement.optionsList as TreeNode | undefined;
  return ((list?.optionsEntries ?? []) as readonly TreeNode[]).some((entry) => {
    const value = entry.value as TreeNode | undefined;
    return identifierOf(entry.name as TreeNode).toLowerCase() === "strict_mode" && value?.value === false;
  });
}
