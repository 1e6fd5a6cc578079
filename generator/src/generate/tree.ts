import { OWN_NAMES, quoteIdentifier, sqlxIdentifier } from "../project/names.ts";
import { type ProblemList, show } from "../project/problems.ts";
import { MAX_NESTED_RECORDS, type SchemaField } from "../project/schema.ts";
import type { Column, LeafNode, NodeBase, TreeNode } from "./nodes.ts";
import { POLICIES } from "./policies.ts";
import { VALUE_TYPES } from "./value-types.ts";

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

/**
 * An attribute as updates have it: each may leave it out, so it is not REQUIRED, at any depth but within what moves as one value.
 */
export function asSparse(field: SchemaField): SchemaField {
  const mode = field.mode === "REQUIRED" ? "NULLABLE" : field.mode;
  return { ...field, mode, fields: isRecord(field) ? field.fields.map(asSparse) : field.fields };
}

/** The paths of the attributes that `asSparse` makes so. */
export function requiredPaths(field: SchemaField, parent = ""): readonly string[] {
  const path = `${parent}${field.name}`;
  const inner = isRecord(field) ? field.fields.flatMap((child) => requiredPaths(child, `${path}.`)) : [];
  return field.mode === "REQUIRED" ? [path, ...inner] : inner;
}

/** True for a RECORD whose leaves merge one by one. */
function isRecord(field: SchemaField): boolean {
  return field.type === "STRUCT" && field.mode !== "REPEATED" && field.merge === undefined;
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
  if (isRecord(field)) {
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
  const { order } = VALUE_TYPES[field.type];
  return {
    ...nodeBase(field, "The latest known value."),
    kind: "leaf",
    dotted: path.map((step) => step.name).join("."),
    alias: quoteIdentifier(aliases.take(path.map((step) => step.name))),
    policy: policyOf(field, problems),
    order: isRepeated ? "json" : order,
    elementOrder: isRepeated ? order : undefined,
    parts: field.type === "STRUCT" && !isRepeated ? partsOf(field) : [],
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
  const isRepeated = field.mode === "REPEATED";
  if (field.type === "STRUCT" && !isRepeated) {
    fault(`"${policy}" on a RECORD`, 'a RECORD may be "atomic"; put other policies on its fields');
    return policy;
  }
  const { order } = VALUE_TYPES[field.type];
  const isOrdered = order !== "json" && order !== "geography";
  const refusal = POLICIES[policy].refuse({ type: field.type, isRepeated, isOrdered });
  if (refusal !== undefined) fault(refusal.wrong, refusal.right);
  return policy;
}

/** What an atomic RECORD holds, as merge.js takes it: paths below it, `[]` behind a REPEATED one. */
function partsOf(record: SchemaField, prefix = ""): readonly string[] {
  return record.fields.flatMap((field) => {
    const part = `${prefix}${quoteIdentifier(field.name)}`;
    if (field.mode === "REPEATED") return [`${part}[]`];
    return field.type === "STRUCT" ? partsOf(field, `${part}.`) : [part];
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
