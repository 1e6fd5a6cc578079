import type { AlterAction, AlterObject, ConstraintAction } from "../compiler/compiled.ts";
import { BigQueryError, unsupported } from "../errors.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import { constraintsOf, namedConstraints } from "../storage/constraints.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import { findField } from "../storage/schema.ts";
import { alterEntry, changeSchema, renameTable } from "../storage/tables.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import { alterConstraints } from "./ddl-constraints.ts";
import { readTableOptions, readText } from "./ddl-options.ts";
import { alterSchema } from "./ddl-schemas.ts";
import type { DdlResult } from "./ddl-statements.ts";
import type { Session } from "./session.ts";

/** Runs ALTER TABLE, ALTER VIEW, ALTER MATERIALIZED VIEW or ALTER SCHEMA. */
export async function alterObject(
  session: Session,
  change: CatalogChange,
  ddl: AlterObject,
  target: TableRef | undefined,
): Promise<DdlResult> {
  if (target === undefined) return alterSchema(session, change, ddl);
  let entry = change.getTable(target);
  if (entry === undefined) {
    if (ddl.ifExists) return { operation: "SKIP" };
    throw new BigQueryError(
      "notFound",
      `Not found: Table ${tableName(target)} was not found in location ${session.location.name}`,
      "query",
    );
  }
  const kind = ddl.object.replace(" ", "_");
  if (entry.kind !== kind) {
    const message = `${tableName(target)} is not allowed for this operation because it is currently a ${entry.kind}.`;
    throw new BigQueryError("invalidQuery", message, "query");
  }
  const columns = ddl.actions.filter(isColumnAction);
  if (columns.length > 0) entry = await alterColumns(change, entry, columns);
  for (const action of ddl.actions) {
    if (action.action === "set-options") {
      const { kept, ...fields } = readTableOptions(action.options, entry.partitioning);
      entry = alterEntry(change, entry, { ...fields, kept: { ...entry.kept, ...kept } });
    } else if (action.action === "rename-table") {
      entry = renameTable(change, entry, action.to);
    } else if (isConstraintAction(action)) {
      entry = alterEntry(change, entry, { kept: alterConstraints(entry, action) });
    }
  }
  return { operation: "ALTER", target: entry.ref };
}

type ColumnAction = Exclude<AlterAction, ConstraintAction | { action: "set-options" | "rename-table" }>;

const CONSTRAINT_ACTIONS = ["add-primary-key", "add-foreign-key", "drop-primary-key", "drop-constraint"];

function isConstraintAction(action: AlterAction): action is ConstraintAction {
  return CONSTRAINT_ACTIONS.includes(action.action);
}

function isColumnAction(action: AlterAction): action is ColumnAction {
  return action.action !== "set-options" && action.action !== "rename-table" && !isConstraintAction(action);
}

async function alterColumns(
  change: CatalogChange,
  entry: TableEntry,
  actions: readonly ColumnAction[],
): Promise<TableEntry> {
  let schema: readonly FieldSchema[] = entry.schema;
  const renames = new Map<string, string>();
  for (const action of actions) schema = alterColumn(entry, schema, action, renames);
  if (schema.length === 0) throw invalid(`ALTER TABLE would leave ${tableName(entry.ref)} without columns`);
  return entry.physical === undefined
    ? alterEntry(change, entry, { schema })
    : await changeSchema(change, entry, schema, renames);
}

function alterColumn(
  entry: TableEntry,
  schema: readonly FieldSchema[],
  action: ColumnAction,
  renames: Map<string, string>,
): readonly FieldSchema[] {
  if (action.action === "add-column") {
    if (findField(schema, action.field.name) === undefined) {
      if (action.field.mode === "REQUIRED") {
        throw invalid(`Cannot add REQUIRED column '${action.field.name}' to an existing table`);
      }
      // https://cloud.google.com/bigquery/docs/default-values#limitations
      if (action.field.defaultValueExpression !== undefined) {
        throw invalid(`Cannot add column '${action.field.name}' with a default value to an existing table`);
      }
      return [...schema, action.field];
    }
    if (action.ifNotExists) return schema;
    throw invalid(`Column already exists: ${action.field.name}`);
  }
  const field = findField(schema, action.column);
  if (field === undefined) {
    if ("ifExists" in action && action.ifExists) return schema;
    throw invalid(`Column not found: ${action.column}`);
  }
  switch (action.action) {
    case "drop-column":
      refuseLayoutColumn(entry, field.name, "drop");
      return schema.filter((other) => other !== field);
    case "rename-column":
      refuseLayoutColumn(entry, field.name, "rename");
      if (findField(schema, action.to) !== undefined) throw invalid(`Column already exists: ${action.to}`);
      renames.set(action.to, renames.get(field.name) ?? field.name);
      renames.delete(field.name);
      return replace(schema, field, { ...field, name: action.to });
    case "set-column-options":
      return replace(schema, field, withOptions(field, action.options));
    case "set-data-type":
      return replace(schema, field, {
        ...action.field,
        name: field.name,
        mode: field.mode,
        description: field.description,
        defaultValueExpression: field.defaultValueExpression,
      });
    case "drop-not-null":
      if (field.mode !== "REQUIRED") throw invalid(`Column ${field.name} does not have NOT NULL constraint`);
      return replace(schema, field, { ...field, mode: "NULLABLE" });
    case "set-default":
      return replace(schema, field, { ...field, defaultValueExpression: action.expression });
    case "drop-default": {
      const { defaultValueExpression: _, ...rest } = field;
      return replace(schema, field, rest);
    }
  }
}

function withOptions(field: FieldSchema, options: Readonly<Record<string, unknown>>): FieldSchema {
  const next = { ...field };
  for (const [name, value] of Object.entries(options)) {
    if (name === "description") next.description = readText(name, value);
    else if (name === "rounding_mode") next.roundingMode = readText(name, value);
    else throw unsupported(`column option ${name}`);
  }
  return next;
}

function replace(
  schema: readonly FieldSchema[],
  field: FieldSchema,
  next: FieldSchema,
): readonly FieldSchema[] {
  return schema.map((other) => (other === field ? next : other));
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_table_rename_column_statement */
function refuseLayoutColumn(entry: TableEntry, column: string, verb: string): void {
  const { timePartitioning, rangePartitioning } = entry.partitioning;
  const partitioning = timePartitioning?.field ?? rangePartitioning?.field;
  const used = [partitioning, ...entry.clustering].some(
    (name) => name?.toLowerCase() === column.toLowerCase(),
  );
  if (used) throw invalid(`Cannot ${verb} column '${column}': it is used for partitioning or clustering`);
  const keys = namedConstraints(constraintsOf(entry)).flatMap(({ columns }) => columns);
  if (keys.some((name) => name.toLowerCase() === column.toLowerCase())) {
    throw invalid(`Cannot ${verb} column '${column}': it is part of a primary or foreign key`);
  }
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}
