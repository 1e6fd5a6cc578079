import type { Analyzer } from "../googlesql/analyzer.ts";
import type { AnalysisEnv } from "../googlesql/source.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { fieldType, findField } from "../storage/schema.ts";
import type { FieldSchema } from "../types.ts";
import type { LiveTable } from "./live-table.ts";

/** The table with the analyzed expressions of its columns' DEFAULTs, which DML may need. */
export async function withColumnDefaults(
  analyzer: Analyzer,
  env: AnalysisEnv,
  table: LiveTable,
): Promise<LiveTable> {
  const { entry, physical } = table;
  if (entry === undefined || physical === undefined) return table;
  const inner: AnalysisEnv = { ...env, variables: new Map(), parameters: new Map() };
  const columns = await Promise.all(
    physical.columns.map(async (column) => {
      const field = findField(entry.schema, column.name);
      if (field?.defaultValueExpression === undefined) return column;
      return { ...column, defaultValue: await analyzeDefault(analyzer, inner, field) };
    }),
  );
  return { ...table, physical: { ...physical, columns } };
}

/** The analyzed default value of a field that has one, coerced to the field's type. */
export async function analyzeDefault(
  analyzer: Analyzer,
  env: AnalysisEnv,
  field: FieldSchema,
): Promise<TreeNode> {
  const sql = `SELECT ${field.defaultValueExpression}\n`;
  const { statement } = await analyzer.analyzeStatement(sql, { ...env, targetTypes: [fieldType(field)] });
  return onlyExpression(statement);
}

/** The expression of a query `SELECT expression`; a cast around it stands in a scan of its own. */
function onlyExpression(statement: TreeNode): TreeNode {
  const [output] = statement.outputColumnList as readonly TreeNode[];
  return expressionOf(statement.query as TreeNode, idOf(output?.column as TreeNode));
}

function expressionOf(scan: TreeNode, id: string): TreeNode {
  const computed = ((scan.exprList ?? []) as readonly TreeNode[]).find(
    ({ column }) => idOf(column as TreeNode) === id,
  );
  const input = scan.inputScan as TreeNode;
  if (computed === undefined) return expressionOf(input, id);
  return inline(computed.expr as TreeNode, input) as TreeNode;
}

/** References to columns of the scan below are replaced by what they stand for. */
function inline(value: unknown, input: TreeNode): unknown {
  if (Array.isArray(value)) return value.map((item) => inline(item, input));
  if (value === null || typeof value !== "object" || Buffer.isBuffer(value)) return value;
  const node = value as TreeNode;
  if (node.kind === "ColumnRef" && node.isCorrelated !== true)
    return expressionOf(input, idOf(node.column as TreeNode));
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, inline(child, input)]));
}

function idOf(column: TreeNode | undefined): string {
  return String(column?.columnId);
}
