import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { AlterAction, AlterObject, CompiledStatement, DropObject } from "./compiled.ts";
import type { CompileContext } from "./context.ts";
import { columnField, retypedField } from "./ddl-columns.ts";
import { compileAddConstraint } from "./ddl-constraints.ts";
import { compileCreateSchema, compileCreateTable, compileCreateView } from "./ddl-create.ts";
import { compileOptions } from "./ddl-options.ts";
import { compileCreateRoutine } from "./ddl-routines.ts";
import { childOf, flagOf, nodesOf, textOf, textsOf } from "./tree-access.ts";

type DdlCompiler = (node: TreeNode, context: CompileContext) => CompiledStatement;

/** A DDL statement as plain data. */
export function compileDdl(statement: TreeNode, context: CompileContext): CompiledStatement {
  const compile = STATEMENTS[statement.kind ?? ""];
  if (compile === undefined) throw unsupported(statementName(statement));
  return compile(statement, context);
}

/** `CreateExternalTableStmt` as `CREATE EXTERNAL TABLE`. */
function statementName(statement: TreeNode): string {
  const words = (statement.kind ?? "statement").replace(/Stmt$/, "").match(/[A-Z][a-z]*/g) ?? [];
  return words.join(" ").toUpperCase();
}

const DROPPED: readonly string[] = ["TABLE", "VIEW", "SCHEMA", "PROCEDURE"];

function compileDrop(node: TreeNode): DropObject {
  const object = textOf(node, "objectType");
  if (!DROPPED.includes(object)) throw unsupported(`DROP ${object}`);
  return drop(node, object as DropObject["object"]);
}

function drop(node: TreeNode, object: DropObject["object"]): DropObject {
  return {
    kind: "drop",
    object,
    name: textsOf(node, "namePath"),
    ifExists: flagOf(node, "isIfExists"),
    cascade: textOf(node, "dropMode") === "CASCADE",
  };
}

function alter(object: AlterObject["object"]): DdlCompiler {
  return (node, context) => ({
    kind: "alter",
    object,
    name: textsOf(node, "namePath"),
    ifExists: flagOf(node, "isIfExists"),
    actions: nodesOf(node, "alterActionList").map((action) => compileAction(action, context)),
  });
}

/** ALTER TABLE … SET OPTIONS has a node of its own beside the actions. */
function compileSetOptions(node: TreeNode, context: CompileContext): AlterObject {
  return {
    kind: "alter",
    object: "TABLE",
    name: textsOf(node, "namePath"),
    ifExists: flagOf(node, "isIfExists"),
    actions: [{ action: "set-options", options: compileOptions(nodesOf(node, "optionList"), context) }],
  };
}

function compileAction(action: TreeNode, context: CompileContext): AlterAction {
  const column = textOf(action, "column");
  switch (action.kind) {
    case "SetOptionsAction":
      return { action: "set-options", options: compileOptions(nodesOf(action, "optionList"), context) };
    case "AddColumnAction":
      return {
        action: "add-column",
        field: columnField(childOf(action, "columnDefinition"), context),
        ifNotExists: flagOf(action, "isIfNotExists"),
      };
    case "DropColumnAction":
      return {
        action: "drop-column",
        column: textOf(action, "name"),
        ifExists: flagOf(action, "isIfExists"),
      };
    case "RenameColumnAction":
      return {
        action: "rename-column",
        column: textOf(action, "name"),
        to: textOf(action, "newName"),
        ifExists: flagOf(action, "isIfExists"),
      };
    case "RenameToAction":
      return { action: "rename-table", to: textsOf(action, "newPath").at(-1) ?? "" };
    case "AlterColumnOptionsAction":
      return {
        action: "set-column-options",
        column,
        options: compileOptions(nodesOf(action, "optionList"), context),
      };
    case "AlterColumnSetDataTypeAction":
      return { action: "set-data-type", column, field: retypedField(action, context) };
    case "AlterColumnDropNotNullAction":
      return { action: "drop-not-null", column };
    case "AlterColumnSetDefaultAction":
      return { action: "set-default", column, expression: textOf(childOf(action, "defaultValue"), "sql") };
    case "AlterColumnDropDefaultAction":
      return { action: "drop-default", column };
    case "AddConstraintAction":
      return compileAddConstraint(action, context);
    case "DropPrimaryKeyAction":
      return { action: "drop-primary-key", ifExists: flagOf(action, "isIfExists") };
    case "DropConstraintAction":
      return {
        action: "drop-constraint",
        name: textOf(action, "name"),
        ifExists: flagOf(action, "isIfExists"),
      };
    default:
      throw unsupported(`ALTER … ${statementName(action).replace(/ ACTION$/, "")}`);
  }
}

const STATEMENTS: Readonly<Record<string, DdlCompiler>> = {
  CreateTableStmt: compileCreateTable,
  CreateTableAsSelectStmt: compileCreateTable,
  CreateSnapshotTableStmt: compileCreateTable,
  CreateViewStmt: compileCreateView,
  CreateMaterializedViewStmt: compileCreateView,
  CreateSchemaStmt: compileCreateSchema,
  CreateFunctionStmt: compileCreateRoutine,
  CreateTableFunctionStmt: compileCreateRoutine,
  CreateProcedureStmt: compileCreateRoutine,
  DropStmt: compileDrop,
  DropFunctionStmt: (node) => drop(node, "FUNCTION"),
  DropSnapshotTableStmt: (node) => drop(node, "SNAPSHOT TABLE"),
  DropTableFunctionStmt: (node) => drop(node, "TABLE FUNCTION"),
  DropMaterializedViewStmt: (node) => drop(node, "MATERIALIZED VIEW"),
  AlterTableStmt: alter("TABLE"),
  AlterTableSetOptionsStmt: compileSetOptions,
  AlterViewStmt: alter("VIEW"),
  AlterMaterializedViewStmt: alter("MATERIALIZED VIEW"),
  AlterSchemaStmt: alter("SCHEMA"),
};
