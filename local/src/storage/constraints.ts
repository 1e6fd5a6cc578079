import { BigQueryError } from "../errors.ts";
import type { FieldSchema, ForeignKey, TableConstraints, TableRef } from "../types.ts";
import { type TableEntry, tableName } from "./entries.ts";
import { findField } from "./schema.ts";

const PRIMARY_KEY = "pk$";
const MOST_COLUMNS = 16;

/** The keys of a table. */
export function constraintsOf(entry: Pick<TableEntry, "kept">): TableConstraints {
  return (entry.kept.tableConstraints ?? {}) as TableConstraints;
}

/** What a table keeps when its keys are these. */
export function keptConstraints(
  kept: TableEntry["kept"],
  { primaryKey, foreignKeys = [] }: TableConstraints,
): TableEntry["kept"] {
  const { tableConstraints: _, ...rest } = kept;
  if (primaryKey === undefined && foreignKeys.length === 0) return rest;
  const tableConstraints: TableConstraints = {
    ...(primaryKey === undefined ? {} : { primaryKey }),
    ...(foreignKeys.length === 0 ? {} : { foreignKeys }),
  };
  return { ...rest, tableConstraints };
}

/** A key with the name that BigQuery shows, and takes without the table's, for it. */
export interface NamedConstraint {
  readonly name: string;
  readonly columns: readonly string[];
  readonly foreignKey?: ForeignKey;
}

/** The keys of a table with their names; one that was given none is called by its place. */
export function namedConstraints({ primaryKey, foreignKeys = [] }: TableConstraints): NamedConstraint[] {
  return [
    ...(primaryKey === undefined ? [] : [{ name: PRIMARY_KEY, columns: primaryKey.columns }]),
    ...foreignKeys.map((foreignKey, index) => ({
      name: foreignKey.name ?? `fk$${index + 1}`,
      columns: foreignKey.columnReferences.map(({ referencingColumn }) => referencingColumn),
      foreignKey,
    })),
  ];
}

/**
 * The keys with their columns spelled as the table's. Refuses columns that it does not have, too many of them, and a name
 * that is taken.
 */
export function checkedConstraints(
  ref: TableRef,
  schema: readonly FieldSchema[],
  keys: TableConstraints,
): TableConstraints {
  const named = namedConstraints(keys);
  if (named.some(({ columns }) => columns.length === 0 || columns.length > MOST_COLUMNS)) {
    throw invalid(`A key of ${tableName(ref)} must have between 1 and ${MOST_COLUMNS} columns.`);
  }
  const names = named.map(({ name }) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new BigQueryError("duplicate", `Already Exists: Constraint ${twice} of ${tableName(ref)}`, "query");
  }
  const spelled = (column: string): string => {
    const field = findField(schema, column);
    if (field === undefined) throw invalid(`Column ${column} of a key of ${tableName(ref)} does not exist.`);
    return field.name;
  };
  const { primaryKey, foreignKeys = [] } = keys;
  return {
    ...(primaryKey === undefined ? {} : { primaryKey: { columns: primaryKey.columns.map(spelled) } }),
    foreignKeys: foreignKeys.map((key) => ({
      ...key,
      columnReferences: key.columnReferences.map((each) => ({
        ...each,
        referencingColumn: spelled(each.referencingColumn),
      })),
    })),
  };
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalid", message);
}
