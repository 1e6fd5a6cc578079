import type { FieldType } from "../project/field-types.ts";
import { OWN_NAMES, quoteIdentifier, sqlxIdentifier } from "../project/names.ts";
import { type ProblemList, show } from "../project/problems.ts";
import { MAX_NESTED_RECORDS, type SchemaField } from "../project/schema.ts";
import type { Column, LeafNode, NodeBase, TreeNode, ValueOrder } from "./model.ts";

/** https://cloud.google.com/bigquery/quotas#standard_tables */
const MAX_COLUMNS = 10_000;
const MAX_ALIAS_LENGTH = 120;

/** What every node and column has in common. */
export function nodeBase(field: SchemaField, description: string): NodeBase {
  return {
    name: field.name,
    sql: sqlxIdentifier(field.name),
    quoted: quoteIdentifier(field.name),
    field,
    description: field.description ?? description,
  };
}

/** Refuses a default that would author a value in updates that leave the field out. */
export function refuseDefault(field: SchemaField, problems: ProblemList): void {
  problems.add(
    `${field.path}.defaultValueExpression`,
    "an update that leaves the field out would author the default",
    "leave it out; only the ingest timestamp may have CURRENT_TIMESTAMP()",
  );
}

/** The node of a field: a leaf, or a RECORD whose leaves merge one by one. */
export function buildNode(
  field: SchemaField,
  parents: readonly SchemaField[],
  aliases: AliasNames,
  problems: ProblemList,
): TreeNode {
  if (field.defaultsToNow) refuseDefault(field, problems);
  const path = [...parents, field];
  const isRecord = field.type === "STRUCT" && field.mode !== "REPEATED" && field.merge === undefined;
  if (isRecord) {
    const children = field.fields.map((child) => buildNode(child, path, aliases, problems));
    return {
      ...nodeBase(field, "Attributes of the user."),
      kind: "record",
      children,
      leaves: children.flatMap(leavesOf),
    };
  }
  for (const inner of field.fields) checkInsideLeaf(inner, field, problems);
  const isRepeated = field.mode === "REPEATED";
  const column = path.map((step) => sqlxIdentifier(step.name)).join(".");
  return {
    ...nodeBase(field, "The latest known value."),
    kind: "leaf",
    column,
    dotted: path.map((step) => step.name).join("."),
    alias: sqlxIdentifier(aliases.take(path.map((step) => step.name))),
    policy: policyOf(field, problems),
    order: isRepeated ? "json" : orderOf(field.type),
    elementOrder: orderOf(field.type),
    isRepeated,
    clearedBy: path.map((_, index) =>
      path
        .slice(0, index + 1)
        .map((step) => step.name)
        .join(".")
        .toLowerCase(),
    ),
    parts: field.type === "STRUCT" && !isRepeated ? partsOf(field, column) : [],
  };
}

function checkInsideLeaf(field: SchemaField, leaf: SchemaField, problems: ProblemList): void {
  if (field.defaultsToNow) refuseDefault(field, problems);
  if (field.merge !== undefined) {
    const why = leaf.mode === "REPEATED" ? "REPEATED" : "atomic";
    problems.add(
      `${field.path}.merge`,
      `${show(leaf.name)} is ${why} and moves as one value`,
      "leave merge out inside it",
    );
  }
  for (const inner of field.fields) checkInsideLeaf(inner, leaf, problems);
}

function policyOf(field: SchemaField, problems: ProblemList): LeafNode["policy"] {
  const policy = field.merge ?? "latest";
  const fault = (wrong: string, right: string) => problems.add(`${field.path}.merge`, wrong, right);
  if (policy === "atomic") {
    if (field.type !== "STRUCT")
      fault(`"atomic" on ${field.type}`, "it is for a RECORD; every other field moves as one value anyway");
    return "latest";
  }
  if (field.type === "STRUCT" && field.mode !== "REPEATED") {
    fault(`"${policy}" on a RECORD`, 'a RECORD may be "atomic"; put other policies on its fields');
  } else if (policy === "union" && field.mode !== "REPEATED") {
    fault(`"union" on a field that is not REPEATED`, "make the field REPEATED or use another policy");
  } else if (policy === "max" || policy === "min") {
    const order = field.mode === "REPEATED" ? "json" : orderOf(field.type);
    const type = field.mode === "REPEATED" ? `REPEATED ${field.type}` : field.type;
    if (order === "json" || order === "geography")
      fault(`"${policy}" on ${type}, which has no order`, "use latest or first");
  }
  return policy;
}

function orderOf(type: FieldType): ValueOrder {
  if (type === "FLOAT64") return "float";
  if (type === "INTERVAL") return "interval";
  if (type === "GEOGRAPHY") return "geography";
  return type === "JSON" || type === "STRUCT" ? "json" : "plain";
}

function partsOf(record: SchemaField, column: string): { column: string; isRepeated: boolean }[] {
  return record.fields.flatMap((field) => {
    const part = `${column}.${sqlxIdentifier(field.name)}`;
    const isRepeated = field.mode === "REPEATED";
    return field.type === "STRUCT" && !isRepeated ? partsOf(field, part) : [{ column: part, isRepeated }];
  });
}

/** The leaves of a node, in the schema's order. */
export function leavesOf(node: TreeNode): readonly LeafNode[] {
  return node.kind === "leaf" ? [node] : node.leaves;
}

/** BigQuery's limits hold for the user's fields and for `_versions`, which mirrors them one level deeper. */
export function checkSize(
  columns: readonly Column[],
  tree: readonly TreeNode[],
  problems: ProblemList,
): void {
  const nesting = Math.max(0, ...tree.map((node) => nestingOf(node)));
  if (nesting + 1 > MAX_NESTED_RECORDS) {
    problems.add(
      "",
      `RECORDs nested ${nesting} deep, and _versions repeats them one level deeper`,
      `BigQuery allows ${MAX_NESTED_RECORDS} RECORDs one inside the other; flatten it or make a RECORD atomic`,
    );
  }
  const own = columns.reduce((sum, column) => sum + fieldCount(column.field), 0);
  const versions = 1 + tree.reduce((sum, node) => sum + nodeCount(node), 0);
  if (own + versions > MAX_COLUMNS) {
    problems.add(
      "",
      `final would have ${own + versions} columns: ${own} of the schema and ${versions} in _versions`,
      `BigQuery allows ${MAX_COLUMNS}; split the entity`,
    );
  }
}

function nestingOf(node: TreeNode): number {
  return node.kind === "leaf" ? 0 : 1 + Math.max(0, ...node.children.map(nestingOf));
}

function nodeCount(node: TreeNode): number {
  return node.kind === "leaf" ? 1 : 1 + node.children.reduce((sum, child) => sum + nodeCount(child), 0);
}

function fieldCount(field: SchemaField): number {
  return 1 + field.fields.reduce((sum, inner) => sum + fieldCount(inner), 0);
}

/** Gives each leaf a column of its own in the inner queries, readable and never equal to another but for case. */
export class AliasNames {
  readonly #taken: Set<string>;

  constructor(topLevel: readonly string[]) {
    this.#taken = new Set([...OWN_NAMES, ...topLevel.map((name) => name.toLowerCase())]);
  }

  /** A top-level leaf keeps its name; a nested one joins its path. */
  take(path: readonly string[]): string {
    const [top = ""] = path;
    if (path.length === 1) return top;
    const joined = path.join("_");
    const base = joined.length > MAX_ALIAS_LENGTH ? "leaf" : joined;
    for (let count = 1; ; count++) {
      const alias = count === 1 ? base : `${base}_${count}`;
      if (this.#taken.has(alias.toLowerCase())) continue;
      this.#taken.add(alias.toLowerCase());
      return alias;
    }
  }
}
