import type { TableField } from "@google-cloud/bigquery";
import { describeEntity } from "../generate/describe.ts";
import { mergeSql, PROGRESS, RUN } from "../generate/merge-sql.ts";
import { type EntityModel, type Place, placeOf } from "../generate/model.ts";
import type { TreeNode } from "../generate/nodes.ts";
import { BASE_COLUMN, DESCRIPTIONS, OWN_COLUMN, TOMBSTONE_COLUMNS } from "../generate/own-tables.ts";
import { VALUE_TYPES } from "../generate/value-types.ts";
import type { FieldType } from "../project/field-types.ts";
import type { SchemaField } from "../project/schema.ts";

/** A table as it should be. */
export interface TableSpec extends Place {
  readonly role: "updates" | "final" | "tombstones" | "log";
  readonly description: string;
  readonly fields: readonly TableField[];
  /** The TIMESTAMP column whose day partitions the table. */
  readonly partitionBy?: string;
  readonly clusterBy: readonly string[];
  /** The unions from which a late delete or clear takes what only trimmed updates said (R11). */
  readonly unions?: readonly string[];
}

/** The tables of an entity that hold what cannot be made again: `init` creates and extends these. */
export function tableSpecs(model: EntityModel): readonly TableSpec[] {
  const tombstones = model.tables.tombstones;
  return [
    updatesSpec(model),
    finalSpec(model),
    ...(tombstones === undefined ? [] : [tombstonesSpec(model, tombstones)]),
  ];
}

/** The tables that the first run makes, and that gain columns with a new version of the tool: `init` only extends them. */
export function logSpecs({ dataset, tables }: EntityModel): readonly TableSpec[] {
  const spec = (table: string, columns: readonly Column[]): TableSpec => ({
    role: "log",
    dataset,
    table,
    description: "",
    fields: columns.map(ownField),
    clusterBy: [],
  });
  return [spec(tables.watermark, PROGRESS), spec(tables.runs, RUN)];
}

type Column = (typeof PROGRESS)[number];

/** Types that the API of tables calls otherwise than SQL does. */
const REST_NAMES: Readonly<Record<string, string>> = { INT64: "INTEGER", BOOL: "BOOLEAN" };

/** A column of includes/progress.js; Dataform describes it. */
function ownField({ name, type }: Column): TableField {
  if (typeof type === "string") return { name, type: REST_NAMES[type] ?? type, mode: "NULLABLE" };
  return { name, type: "RECORD", mode: "REPEATED", fields: type.map(ownField) };
}

/** The append-only table that producers write to. */
function updatesSpec(model: EntityModel): TableSpec {
  const leaves = [...mergeSql.leavesOf(describeEntity(model)).values()];
  return {
    role: "updates",
    ...placeOf(model, "updates"),
    description: DESCRIPTIONS.updates(model.name),
    fields: [...model.columns, ...model.instructions].map((column) => ({
      ...restField(column.field, true),
      description: column.description,
    })),
    partitionBy: model.ingest.name,
    clusterBy: clusterNames(model.updatesClusterBy),
    unions: model.hasFloors ? leaves.filter(({ isSet }) => isSet).map(({ path }) => path) : [],
  };
}

function finalSpec(model: EntityModel): TableSpec {
  return {
    role: "final",
    dataset: model.dataset,
    table: model.tables.final,
    description: DESCRIPTIONS.final(model.name),
    fields: [
      ...model.columns.map((column) => ({
        ...restField(column.field, false),
        description: column.description,
      })),
      { ...BASE_COLUMN, type: "TIMESTAMP", mode: "NULLABLE" },
      { ...OWN_COLUMN, type: "RECORD", mode: "NULLABLE", fields: model.tree.map(versionField) },
    ],
    clusterBy: clusterNames(model.clusterBy),
  };
}

function tombstonesSpec(model: EntityModel, table: string): TableSpec {
  return {
    role: "tombstones",
    dataset: model.dataset,
    table,
    description: DESCRIPTIONS.tombstones(model.name),
    fields: TOMBSTONE_COLUMNS.map((column) => ({ ...column, mode: "NULLABLE" })),
    clusterBy: ["key_hash"],
  };
}

function versionField(node: TreeNode): TableField {
  if (node.kind === "leaf") return { name: node.name, type: "TIMESTAMP", mode: "NULLABLE" };
  return { name: node.name, type: "RECORD", mode: "NULLABLE", fields: node.children.map(versionField) };
}

function clusterNames(quoted: readonly string[]): readonly string[] {
  return quoted.map((name) => name.replaceAll("`", ""));
}

/** A field of the schema as BigQuery's API writes it; only the updates hold producers to REQUIRED. */
function restField(field: SchemaField, isStrict: boolean): TableField {
  const mode = field.mode === "REQUIRED" && !isStrict ? "NULLABLE" : field.mode;
  return {
    name: field.name,
    ...restType(field.type),
    mode,
    ...(field.description === undefined ? {} : { description: field.description }),
    ...(field.policyTag === undefined ? {} : { policyTags: { names: [field.policyTag] } }),
    ...(isStrict && field.roundingMode !== undefined
      ? { roundingMode: field.roundingMode as TableField["roundingMode"] }
      : {}),
    ...(isStrict && field.defaultsToNow ? { defaultValueExpression: "CURRENT_TIMESTAMP()" } : {}),
    ...parametersOf(field),
    ...(field.fields.length === 0 ? {} : { fields: field.fields.map((inner) => restField(inner, isStrict)) }),
  };
}

function restType(type: FieldType): TableField {
  const element = /^RANGE<(.*)>$/.exec(type)?.[1];
  if (element !== undefined) return { type: "RANGE", rangeElementType: { type: element } };
  return { type: VALUE_TYPES[type].restName ?? type };
}

function parametersOf(field: SchemaField): TableField {
  if (field.typeParameters === undefined) return {};
  const [first, second] = field.typeParameters.split(",").map((part) => part.trim());
  if (field.type === "STRING" || field.type === "BYTES") return { maxLength: first };
  return { precision: first, ...(second === undefined ? {} : { scale: second }) };
}
