import { BigQueryError } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { ForeignKey, TableConstraints } from "../types.ts";
import type { AlterAction } from "./compiled.ts";
import type { CompileContext } from "./context.ts";
import { childOf, flagOf, nodeOf, nodesOf, textOf, textsOf } from "./tree-access.ts";

/** The keys of CREATE TABLE (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#create_table_statement). */
export function compileConstraints(
  node: TreeNode,
  context: CompileContext,
): { constraints?: TableConstraints } {
  const primaryKey = nodeOf(node, "primaryKey");
  const foreignKeys = nodesOf(node, "foreignKeyList").map((key) => foreignKey(key, context));
  const constraints: TableConstraints = {
    ...(primaryKey === undefined ? {} : { primaryKey: primaryKeyOf(primaryKey) }),
    ...(foreignKeys.length === 0 ? {} : { foreignKeys }),
  };
  return Object.keys(constraints).length === 0 ? {} : { constraints };
}

/** ALTER TABLE … ADD PRIMARY KEY and ADD FOREIGN KEY. */
export function compileAddConstraint(action: TreeNode, context: CompileContext): AlterAction {
  const constraint = childOf(action, "constraint");
  return constraint.kind === "PrimaryKey"
    ? { action: "add-primary-key", columns: primaryKeyOf(constraint).columns }
    : {
        action: "add-foreign-key",
        key: foreignKey(constraint, context),
        ifNotExists: flagOf(action, "isIfNotExists"),
      };
}

function primaryKeyOf(node: TreeNode): { columns: readonly string[] } {
  if (!flagOf(node, "unenforced")) throw enforced("PRIMARY KEY");
  return { columns: textsOf(node, "columnNameList") };
}

function foreignKey(node: TreeNode, context: CompileContext): ForeignKey {
  if (flagOf(node, "enforced")) throw enforced("FOREIGN KEY");
  const name = textOf(node, "constraintName");
  const referenced = context.physicalTable(textOf(childOf(node, "referencedTable"), "name"));
  const columns = textsOf(node, "referencedColumnOffsetList").map(
    (offset) => referenced.columns[Number(offset)]?.name ?? "",
  );
  return {
    ...(name === "" ? {} : { name }),
    referencedTable: referenced.ref,
    columnReferences: textsOf(node, "referencingColumnList").map((referencingColumn, index) => ({
      referencingColumn,
      referencedColumn: columns[index] ?? "",
    })),
  };
}

function enforced(what: string): BigQueryError {
  return new BigQueryError("invalidQuery", `${what} must be NOT ENFORCED`, "query");
}
