import type { ConstraintAction } from "../compiler/compiled.ts";
import { BigQueryError } from "../errors.ts";
import {
  checkedConstraints,
  constraintsOf,
  keptConstraints,
  namedConstraints,
} from "../storage/constraints.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";

/**
 * What a table keeps after ALTER TABLE … ADD or DROP of a key
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_table_add_primary_key_statement).
 */
export function alterConstraints(entry: TableEntry, action: ConstraintAction): TableEntry["kept"] {
  const keys = constraintsOf(entry);
  const { foreignKeys = [] } = keys;
  const named = namedConstraints(keys);
  switch (action.action) {
    case "add-primary-key": {
      if (keys.primaryKey !== undefined) throw duplicate(`Primary key of ${tableName(entry.ref)}`);
      const next = { ...keys, primaryKey: { columns: action.columns } };
      return keptConstraints(entry.kept, checkedConstraints(entry.ref, entry.schema, next));
    }
    case "add-foreign-key": {
      const taken = named.some(({ name }) => name.toLowerCase() === action.key.name?.toLowerCase());
      if (taken && action.ifNotExists) return entry.kept;
      const next = { ...keys, foreignKeys: [...foreignKeys, action.key] };
      return keptConstraints(entry.kept, checkedConstraints(entry.ref, entry.schema, next));
    }
    case "drop-primary-key": {
      if (keys.primaryKey === undefined && !action.ifExists) throw missing("Primary key", entry);
      return keptConstraints(entry.kept, { foreignKeys });
    }
    case "drop-constraint": {
      // With or without the table's name before it.
      const own = `${entry.ref.tableId}.`.toLowerCase();
      const wanted = action.name.toLowerCase();
      const found = named.find(({ name }) => [name.toLowerCase(), own + name.toLowerCase()].includes(wanted));
      if (found === undefined && !action.ifExists) throw missing(`Constraint ${action.name}`, entry);
      return keptConstraints(entry.kept, {
        ...(found !== undefined && found.foreignKey === undefined ? {} : { primaryKey: keys.primaryKey }),
        foreignKeys: foreignKeys.filter((key) => key !== found?.foreignKey),
      });
    }
  }
}

function duplicate(what: string): BigQueryError {
  return new BigQueryError("duplicate", `Already Exists: ${what}`, "query");
}

function missing(what: string, entry: TableEntry): BigQueryError {
  return new BigQueryError("notFound", `Not found: ${what} of ${tableName(entry.ref)}`, "query");
}
