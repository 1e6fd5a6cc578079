import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { compileStoredQuery } from "./compile-query.ts";
import type { CreateMode, CreateSchema, CreateTable, CreateView, Options } from "./compiled.ts";
import type { CompileContext } from "./context.ts";
import { columnField } from "./ddl-columns.ts";
import { compileConstraints } from "./ddl-constraints.ts";
import { tableRef } from "./ddl-names.ts";
import { compileOptions } from "./ddl-options.ts";
import { compileClustering, compilePartitioning } from "./ddl-partitioning.ts";
import { tableName } from "./table-scans.ts";
import { childOf, flagOf, nodeOf, nodesOf, textOf, textsOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";

const MODES: Readonly<Record<string, CreateMode>> = {
  CREATE_OR_REPLACE: "or-replace",
  CREATE_IF_NOT_EXISTS: "if-not-exists",
};

/** What a CREATE does with what is there already. */
export function modeOf(node: TreeNode): CreateMode {
  return MODES[textOf(node, "createMode")] ?? "create";
}

/** Whether a CREATE makes something that goes with its session. */
export function isTemporary(node: TreeNode): boolean {
  return textOf(node, "createScope") === "CREATE_TEMP";
}

/** CREATE TABLE in all its forms, and CREATE SNAPSHOT TABLE. */
export function compileCreateTable(node: TreeNode, context: CompileContext): CreateTable {
  refuseFeatures(node);
  const schema = nodesOf(node, "columnDefinitionList").map((column) => columnField(column, context));
  const options = compileOptions(nodesOf(node, "optionList"), context);
  return {
    kind: "create-table",
    table: tableRef(textsOf(node, "namePath"), context),
    mode: modeOf(node),
    temporary: isTemporary(node),
    schema,
    ...(node.kind === "CreateTableAsSelectStmt"
      ? { asSelect: compileStoredQuery(node, context, schema) }
      : {}),
    ...copied(node, context),
    partitioning: compilePartitioning(nodesOf(node, "partitionByList")),
    ...(options.require_partition_filter === true ? { requirePartitionFilter: true } : {}),
    clustering: compileClustering(nodesOf(node, "clusterByList")),
    ...compileConstraints(node, context),
    options,
  };
}

function refuseFeatures(node: TreeNode): void {
  if (nodesOf(node, "checkConstraintList").length > 0) throw unsupported("CHECK");
  if (nodeOf(node, "collationName") !== undefined) throw unsupported("DEFAULT COLLATE");
  if (flagOf(node, "isValueTable")) throw unsupported("CREATE TABLE … AS SELECT AS STRUCT");
}

function copied(node: TreeNode, context: CompileContext): Pick<CreateTable, "from"> {
  const like = textOf(nodeOf(node, "likeTable") ?? {}, "name");
  if (like !== "") return { from: { how: "like", table: context.physicalTable(like).ref } };
  const scan = nodeOf(node, "copyFrom") ?? nodeOf(node, "cloneFrom");
  if (scan === undefined) return {};
  if (scan.kind !== "TableScan" || nodeOf(scan, "forSystemTimeExpr") !== undefined) {
    throw unsupported("COPY or CLONE of a table at a point in time");
  }
  const how =
    node.kind === "CreateSnapshotTableStmt" ? "snapshot" : nodeOf(node, "cloneFrom") ? "clone" : "copy";
  return { from: { how, table: context.physicalTable(tableName(scan)).ref } };
}

/** CREATE VIEW and CREATE MATERIALIZED VIEW. */
export function compileCreateView(node: TreeNode, context: CompileContext): CreateView {
  if (flagOf(node, "isValueTable")) throw unsupported("CREATE VIEW … AS SELECT AS STRUCT");
  if (flagOf(node, "recursive")) throw unsupported("CREATE RECURSIVE VIEW");
  if (nodeOf(node, "replicaSource") !== undefined)
    throw unsupported("CREATE MATERIALIZED VIEW … AS REPLICA OF");
  const columnOptions: Record<string, Options> = {};
  for (const definition of nodesOf(node, "columnDefinitionList")) {
    const given = nodesOf(nodeOf(definition, "annotations") ?? {}, "optionList");
    if (given.length > 0) columnOptions[textOf(definition, "name")] = compileOptions(given, context);
  }
  return {
    kind: "create-view",
    table: tableRef(textsOf(node, "namePath"), context),
    mode: modeOf(node),
    materialized: node.kind === "CreateMaterializedViewStmt",
    query: textOf(node, "sql"),
    columns: nodesOf(node, "outputColumnList").map((output) => ({
      name: textOf(output, "name"),
      type: typeOf(childOf(output, "column")),
    })),
    columnOptions,
    options: compileOptions(nodesOf(node, "optionList"), context),
  };
}

/** CREATE SCHEMA. */
export function compileCreateSchema(node: TreeNode, context: CompileContext): CreateSchema {
  if (nodeOf(node, "collationName") !== undefined) throw unsupported("DEFAULT COLLATE");
  return {
    kind: "create-schema",
    name: textsOf(node, "namePath"),
    mode: modeOf(node),
    options: compileOptions(nodesOf(node, "optionList"), context),
  };
}
