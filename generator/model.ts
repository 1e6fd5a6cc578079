import type { EntityConfig, Lookback } from "./config.ts";
import { isOwnName, quoteIdentifier, sqlxIdentifier } from "./names.ts";
import { InputError, ProblemList, show } from "./problems.ts";
import type { FieldType, MergePolicy, SchemaField } from "./schema.ts";

/** How the values of a type are put in order (R3). */
export type ValueOrder = "plain" | "float" | "interval" | "json" | "geography";

/** What every node of the user's schema has. */
interface NodeBase {
  readonly name: string;
  /** The name as SQLX writes it. */
  readonly sql: string;
  /** The name as the SQL in a SQLX config's string writes it. */
  readonly quoted: string;
  readonly field: SchemaField;
  readonly description: string;
}

/** A field that moves as one value. */
export interface LeafNode extends NodeBase {
  readonly kind: "leaf";
  /** The path from the row, as SQLX writes it: `profile.address.city`. */
  readonly column: string;
  /** The path as people write it, for `clearedFields` and messages. */
  readonly dotted: string;
  /** The column of the inner queries that holds its value and version. */
  readonly alias: string;
  readonly policy: Exclude<MergePolicy, "atomic">;
  readonly order: ValueOrder;
  /** The order of a REPEATED leaf's elements. */
  readonly elementOrder: ValueOrder;
  readonly isRepeated: boolean;
  /** An atomic RECORD's primitives and arrays: it says nothing where all of them say nothing. */
  /** The paths by which `clearedFields` may name it, in lower case: its own, and those of the RECORDs around it. */
  readonly clearedBy: readonly string[];
  readonly parts: readonly { readonly column: string; readonly isRepeated: boolean }[];
}

/** A RECORD whose leaves merge one by one. */
export interface RecordNode extends NodeBase {
  readonly kind: "record";
  readonly children: readonly TreeNode[];
  /** All leaves below it, at any depth. */
  readonly leaves: readonly LeafNode[];
}

/** A node of the user's schema below the keys and timestamps. */
export type TreeNode = LeafNode | RecordNode;

/** A column that identifies the user or says when. */
export interface PlainColumn extends NodeBase {
  readonly kind: "key" | "ingest" | "event" | "cleared" | "deleted";
  readonly isFloat: boolean;
}

/** A top-level column of final, in the schema's order. */
export type Column = TreeNode | PlainColumn;

/** An entity as the templates need it. */
export interface EntityModel {
  readonly name: string;
  readonly schemaFile: string;
  readonly dataset: string;
  readonly lookback: Lookback;
  readonly tables: Readonly<Record<ActionRole, string> & Partial<Record<DeleteRole, string>>>;
  readonly columns: readonly Column[];
  readonly keys: readonly PlainColumn[];
  /** Key columns by which BigQuery can cluster, as they stand in SQL. */
  readonly clusterBy: readonly string[];
  readonly ingest: PlainColumn;
  /** The event timestamp's column, where it is another one than the ingest timestamp's. */
  readonly event?: PlainColumn;
  /** The column that versions values: the event timestamp's, else the ingest timestamp's. */
  readonly version: PlainColumn;
  readonly tree: readonly TreeNode[];
  readonly leaves: readonly LeafNode[];
  /** The column of updates that names cleared fields, where the entity has one. */
  readonly clears?: PlainColumn;
  /** The column of updates that deletes, where the entity has one. */
  readonly deletes?: PlainColumn;
  /** Both: columns of updates that are not the user's attributes. */
  readonly instructions: readonly PlainColumn[];
  /** Every path that `clearedFields` may name, in lower case. */
  readonly clearablePaths: readonly string[];
  /** What MERGE calls final: SET takes a column of that name for the whole row. */
  readonly mergeTarget: string;
  readonly config: EntityConfig;
}

/** The actions of an entity, by what they do. */
export type ActionRole =
  | "updates"
  | "tables"
  | "watermark"
  | "temp"
  | "final"
  | "view"
  | "runs"
  | "keyAssertion"
  | "badRows"
  | "audit"
  | "test";

/** The actions that only an entity with deletes has. */
export type DeleteRole = "tombstones" | "eraseGuard" | "erase";

/** https://cloud.google.com/bigquery/docs/clustered-tables#clustering_column_types */
const CLUSTERABLE = new Set<FieldType>([
  "BIGNUMERIC",
  "BOOL",
  "DATE",
  "DATETIME",
  "INT64",
  "NUMERIC",
  "STRING",
  "TIMESTAMP",
]);
const MAX_CLUSTERING_COLUMNS = 4;

/** Types that GROUP BY and JOIN take, so that they can be a key. */
const KEY_TYPES = new Set<FieldType>([...CLUSTERABLE, "BYTES", "FLOAT64", "TIME"]);

/** https://cloud.google.com/bigquery/quotas#standard_tables */
const MAX_COLUMNS = 10_000;
const MAX_NESTING = 15;
const MAX_ALIAS_LENGTH = 120;

/** Joins an entity's configuration and its schema; throws an InputError that lists all faults. */
export function buildModel(
  config: EntityConfig,
  fields: readonly SchemaField[],
  defaultDataset: string,
): EntityModel {
  const problems = new ProblemList(config.schema);
  const configProblems = new ProblemList(config.file);
  checkOwnNames(fields, problems);
  const keyNames = findKeys(config, fields, configProblems);
  const ingestName = findTimestamp("ingestTimestamp", config.ingestTimestamp, config, fields, configProblems);
  const eventName =
    config.eventTimestamp === undefined
      ? undefined
      : findTimestamp("eventTimestamp", config.eventTimestamp, config, fields, configProblems);
  if (keyNames.some((name) => name === ingestName || name === eventName)) {
    configProblems.add(
      `${config.path}.key`,
      "a timestamp is part of the key",
      "name the columns that identify the user only",
    );
  }
  const clears = findInstruction("clearedFields", config, fields, configProblems);
  const deletes = findInstruction("deleted", config, fields, configProblems);
  throwAll(configProblems, problems);

  const instructions = [clears, deletes].filter((column) => column !== undefined);
  const aliases = new AliasNames([...fields.map((field) => field.name), "_batch", "_row_is_newer", "_final"]);
  const columns: Column[] = [];
  for (const field of fields) {
    if (instructions.some((column) => column.name === field.name)) continue;
    const kind = keyNames.includes(field.name)
      ? "key"
      : field.name === ingestName
        ? "ingest"
        : field.name === eventName
          ? "event"
          : undefined;
    if (kind === undefined) columns.push(buildNode(field, [], aliases, problems));
    else columns.push(plainColumn(field, kind, problems));
  }
  const tree = columns.filter(
    (column): column is TreeNode => column.kind === "leaf" || column.kind === "record",
  );
  const leaves = tree.flatMap(leavesOf);
  if (leaves.length === 0) {
    problems.add("", "no attribute beside the key and the timestamps", "add at least one field to merge");
  }
  if (instructions.length > 0) refusePolicies(leaves, instructions, problems);
  checkSize(columns, tree, problems);
  throwAll(problems);

  const plain = columns.filter(
    (column): column is PlainColumn => column.kind !== "leaf" && column.kind !== "record",
  );
  const keys = keyNames.flatMap((name) => plain.filter((column) => column.name === name));
  const ingest = plain.find((column) => column.kind === "ingest");
  if (ingest === undefined) throw new Error("the ingest timestamp was checked above");
  const event = plain.find((column) => column.kind === "event");
  return {
    name: config.name,
    schemaFile: config.schema,
    dataset: config.dataset ?? defaultDataset,
    lookback: config.lookback,
    tables: {
      ...config.tables,
      tables: `${config.name}_tables`,
      watermark: `${config.name}_watermark`,
      view: config.name,
      runs: `${config.name}_runs`,
      keyAssertion: `${config.name}_key_is_unique`,
      badRows: `${config.name}_bad_rows`,
      audit: `${config.name}_audit`,
      test: `${config.name}_test`,
      ...(deletes === undefined
        ? {}
        : {
            tombstones: `${config.name}_tombstones`,
            eraseGuard: `${config.name}_erase_guard`,
            erase: `${config.name}_erase`,
          }),
    },
    columns,
    keys,
    clusterBy: keys
      .filter((key) => CLUSTERABLE.has(key.field.type))
      .slice(0, MAX_CLUSTERING_COLUMNS)
      .map((key) => key.quoted),
    ingest,
    event,
    version: event ?? ingest,
    tree,
    leaves,
    clears,
    deletes,
    instructions,
    clearablePaths: [...new Set(leaves.flatMap((leaf) => leaf.clearedBy))],
    mergeTarget: findField("final", fields) === undefined ? "final" : "_final",
    config,
  };
}

function throwAll(...lists: readonly ProblemList[]): void {
  const problems = lists.flatMap((list) => {
    try {
      list.throwIfAny();
      return [];
    } catch (error) {
      if (error instanceof InputError) return [...error.problems];
      throw error;
    }
  });
  if (problems.length > 0) throw new InputError(problems);
}

function checkOwnNames(fields: readonly SchemaField[], problems: ProblemList): void {
  for (const field of fields) {
    if (isOwnName(field.name)) {
      problems.add(
        `${field.path}.name`,
        `${show(field.name)} is a name the generated tables use`,
        "choose another name",
      );
    }
  }
}

function findField(name: string, fields: readonly SchemaField[]): SchemaField | undefined {
  return fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
}

function findKeys(
  config: EntityConfig,
  fields: readonly SchemaField[],
  problems: ProblemList,
): readonly string[] {
  const names: string[] = [];
  for (const [index, name] of config.key.entries()) {
    const path = `${config.path}.key[${index}]`;
    const field = findField(name, fields);
    if (field === undefined) {
      const nested = name.includes(".") ? "a key cannot be nested; " : "";
      problems.add(
        path,
        `${config.schema} has no field ${show(name)}`,
        `${nested}name a top-level field of the schema`,
      );
    } else if (names.includes(field.name)) {
      problems.add(path, `${show(name)} appears twice`, "name each key column once");
    } else if (field.mode === "REPEATED" || !KEY_TYPES.has(field.type)) {
      const type =
        field.mode === "REPEATED"
          ? "a REPEATED field"
          : `${field.type}, which BigQuery cannot compare for equality`;
      problems.add(path, `${show(name)} is ${type}`, `a key is one of ${[...KEY_TYPES].join(", ")}`);
    } else names.push(field.name);
  }
  return names;
}

function findTimestamp(
  option: "ingestTimestamp" | "eventTimestamp",
  name: string,
  config: EntityConfig,
  fields: readonly SchemaField[],
  problems: ProblemList,
): string | undefined {
  const path = `${config.path}.${option}`;
  const field = findField(name, fields);
  if (field === undefined) {
    problems.add(
      path,
      `${config.schema} has no field ${show(name)}`,
      "name a top-level TIMESTAMP field of the schema",
    );
    return undefined;
  }
  if (field.type !== "TIMESTAMP" || field.mode === "REPEATED") {
    const type = field.mode === "REPEATED" ? `REPEATED ${field.type}` : field.type;
    problems.add(path, `${show(name)} is ${type}`, "it must be a TIMESTAMP, NULLABLE or REQUIRED");
    return undefined;
  }
  if (option === "eventTimestamp" && field.name.toLowerCase() === config.ingestTimestamp.toLowerCase()) {
    problems.add(path, "equals ingestTimestamp", "leave it out: the ingest timestamp is the default");
    return undefined;
  }
  return field.name;
}

/** The column of `clearedFields` or `deleted`: of the schema where it has it, else one more of the updates. */
function findInstruction(
  option: "clearedFields" | "deleted",
  config: EntityConfig,
  fields: readonly SchemaField[],
  problems: ProblemList,
): PlainColumn | undefined {
  const name = config[option];
  if (name === undefined) return undefined;
  const path = `${config.path}.${option}`;
  const kind = option === "deleted" ? "deleted" : "cleared";
  const [type, mode] =
    kind === "deleted" ? (["BOOL", "NULLABLE"] as const) : (["STRING", "REPEATED"] as const);
  const own: SchemaField = { name, type, mode, defaultsToNow: false, fields: [], path };
  const field = findField(name, fields) ?? own;
  const known = [...config.key, config.ingestTimestamp, config.eventTimestamp];
  if (known.some((other) => other?.toLowerCase() === name.toLowerCase()) || isOwnName(name)) {
    problems.add(path, `${show(name)} is already another column`, "name a column of its own");
  } else if (kind === "deleted" && config.clearedFields?.toLowerCase() === name.toLowerCase()) {
    problems.add(path, `${show(name)} is already clearedFields`, "name a column of its own");
  } else if (field.type !== type || (field.mode === "REPEATED") !== (mode === "REPEATED")) {
    problems.add(path, `${show(name)} is ${field.mode} ${field.type}`, `it must be ${mode} ${type}`);
  }
  return plainColumn(field, kind, problems);
}

/** A clear or a delete takes back what was; first, max, min and union have forgotten what was before. */
function refusePolicies(
  leaves: readonly LeafNode[],
  instructions: readonly PlainColumn[],
  problems: ProblemList,
): void {
  for (const leaf of leaves) {
    if (leaf.policy === "latest") continue;
    const options = instructions.map((column) => (column.kind === "deleted" ? "deleted" : "clearedFields"));
    problems.add(
      `${leaf.field.path}.merge`,
      `"${leaf.policy}" cannot be exact together with ${options.join(" and ")}: it would have to know what was said before`,
      `use "latest", or leave ${options.join(" and ")} out`,
    );
  }
}

function plainColumn(field: SchemaField, kind: PlainColumn["kind"], problems: ProblemList): PlainColumn {
  if (field.merge !== undefined) {
    problems.add(`${field.path}.merge`, "keys and timestamps are not merged", "leave merge out here");
  }
  if (field.defaultsToNow && kind !== "ingest") refuseDefault(field, problems);
  const descriptions = {
    cleared: "The fields that this update clears: paths such as record1.attribute1.",
    deleted: "True deletes everything the user had up to this update.",
    key: "Identifies the user.",
    ingest: "When an update came in; in final, the newest such time of the user.",
    event: "When the update's facts were true; in final, the newest such time of the user.",
  };
  return { ...nodeBase(field, descriptions[kind]), kind, isFloat: field.type === "FLOAT64" };
}

function nodeBase(field: SchemaField, description: string): NodeBase {
  return {
    name: field.name,
    sql: sqlxIdentifier(field.name),
    quoted: quoteIdentifier(field.name),
    field,
    description: field.description ?? description,
  };
}

function refuseDefault(field: SchemaField, problems: ProblemList): void {
  problems.add(
    `${field.path}.defaultValueExpression`,
    "an update that leaves the field out would author the default",
    "leave it out; only the ingest timestamp may have CURRENT_TIMESTAMP()",
  );
}

function buildNode(
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

function leavesOf(node: TreeNode): readonly LeafNode[] {
  return node.kind === "leaf" ? [node] : node.leaves;
}

/** BigQuery's limits hold for the user's fields and for `_versions`, which mirrors them one level deeper. */
function checkSize(columns: readonly Column[], tree: readonly TreeNode[], problems: ProblemList): void {
  const nesting = Math.max(0, ...tree.map((node) => nestingOf(node)));
  if (nesting + 1 > MAX_NESTING) {
    problems.add(
      "",
      `RECORDs nested ${nesting} deep, and _versions repeats them one level deeper`,
      `BigQuery allows ${MAX_NESTING} levels; flatten it or make a RECORD atomic`,
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
class AliasNames {
  readonly #taken: Set<string>;

  constructor(topLevel: readonly string[]) {
    this.#taken = new Set(topLevel.map((name) => name.toLowerCase()));
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
