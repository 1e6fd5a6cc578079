import type { CatalogView } from "../storage/catalog-view.ts";
import { constraintsOf, type NamedConstraint, namedConstraints } from "../storage/constraints.ts";
import type { TableEntry } from "../storage/entries.ts";
import type { TableRef } from "../types.ts";
import type { SqlValue } from "../values.ts";

function keysOf(entry: TableEntry): NamedConstraint[] {
  return namedConstraints(constraintsOf(entry));
}

/** A key's project, dataset and name: `orders.pk$`, `orders.fk$1`. */
function constraintName({ ref }: TableEntry, { name }: NamedConstraint): string[] {
  return [ref.projectId, ref.datasetId, `${ref.tableId}.${name}`];
}

function namesOf({ projectId, datasetId, tableId }: TableRef): string[] {
  return [projectId, datasetId, tableId];
}

/** https://cloud.google.com/bigquery/docs/information-schema-table-constraints */
export function tableConstraintRows(entry: TableEntry): SqlValue[][] {
  return keysOf(entry).map((key) => [
    ...constraintName(entry, key),
    ...namesOf(entry.ref),
    key.foreignKey === undefined ? "PRIMARY KEY" : "FOREIGN KEY",
    "NO",
    "NO",
    "NO",
  ]);
}

/** https://cloud.google.com/bigquery/docs/information-schema-key-column-usage */
export function keyColumnRows(catalog: CatalogView, entry: TableEntry): SqlValue[][] {
  return keysOf(entry).flatMap((key) => {
    const referenced = key.foreignKey && catalog.getTable(key.foreignKey.referencedTable);
    const primary = referenced && constraintsOf(referenced).primaryKey?.columns;
    return key.columns.map((column, index) => {
      const target = key.foreignKey?.columnReferences[index]?.referencedColumn.toLowerCase();
      const position = (primary ?? []).findIndex((name) => name.toLowerCase() === target);
      return [
        ...constraintName(entry, key),
        ...namesOf(entry.ref),
        column,
        BigInt(index + 1),
        position < 0 ? null : BigInt(position + 1),
      ];
    });
  });
}

/** https://cloud.google.com/bigquery/docs/information-schema-constraint-column-usage */
export function constraintColumnRows(entry: TableEntry): SqlValue[][] {
  return keysOf(entry).flatMap((key) => {
    const { foreignKey } = key;
    const table = foreignKey?.referencedTable ?? entry.ref;
    const columns = foreignKey?.columnReferences.map(({ referencedColumn }) => referencedColumn);
    return (columns ?? key.columns).map((column) => [
      ...namesOf(table),
      column,
      ...constraintName(entry, key),
    ]);
  });
}

/** The keys as CREATE TABLE has them, one to a line. */
export function constraintDdl(entry: TableEntry): string[] {
  return keysOf(entry).map(({ columns, foreignKey }) => {
    if (foreignKey === undefined) return `  PRIMARY KEY (${columns.join(", ")}) NOT ENFORCED`;
    const { name, referencedTable, columnReferences } = foreignKey;
    const target = columnReferences.map(({ referencedColumn }) => referencedColumn).join(", ");
    const constraint = name === undefined ? "" : `CONSTRAINT \`${name}\` `;
    return `  ${constraint}FOREIGN KEY (${columns.join(", ")}) REFERENCES \`${namesOf(referencedTable).join(".")}\`(${target}) NOT ENFORCED`;
  });
}
