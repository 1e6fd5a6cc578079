import type { PhysicalTable } from "../compiler/context.ts";
import { BigQueryError } from "../errors.ts";
import type { CatalogView } from "../storage/catalog-view.ts";
import type { TableEntry } from "../storage/entries.ts";
import { fieldType, findField, schemaColumns } from "../storage/schema.ts";
import { missingValue } from "../storage/tables.ts";
import type { TableRef } from "../types.ts";
import { quoteName, quoteText } from "../values.ts";
import type { LiveTable } from "./live-table.ts";

const SUFFIX = "_TABLE_SUFFIX";

/** The tables that `prefix*` stands for. */
export function wildcardEntries(catalog: CatalogView, ref: TableRef): TableEntry[] {
  const prefix = ref.tableId.slice(0, -1);
  return catalog
    .listTables(ref.projectId, ref.datasetId)
    .filter((entry) => entry.kind === "TABLE" && entry.ref.tableId.startsWith(prefix));
}

/**
 * All tables whose names begin so, as one: with the columns of the newest, and the rest of the name as `_TABLE_SUFFIX`.
 * https://cloud.google.com/bigquery/docs/querying-wildcard-tables
 */
export function wildcardTable(catalog: CatalogView, ref: TableRef): LiveTable | undefined {
  const prefix = ref.tableId.slice(0, -1);
  const entries = wildcardEntries(catalog, ref);
  const newest = entries.toSorted((a, b) => b.creationTime - a.creationTime)[0];
  if (newest === undefined) return undefined;
  const parts = entries.map((entry) => {
    const columns = newest.schema.map((field) => {
      const own = findField(entry.schema, field.name);
      const type = fieldType(field);
      if (own === undefined) return `${missingValue(type)} AS ${quoteName(field.name)}`;
      if (JSON.stringify(fieldType(own)) !== JSON.stringify(type)) {
        const message = `Cannot read field of type ${own.type} as ${field.type} Field: ${field.name}`;
        throw new BigQueryError("invalidQuery", message, "query");
      }
      return `${quoteName(own.name)} AS ${quoteName(field.name)}`;
    });
    const suffix = `${quoteText(entry.ref.tableId.slice(prefix.length))} AS ${quoteName(SUFFIX)}`;
    return `SELECT ${[...columns, suffix].join(", ")} FROM ${entry.physical}`;
  });
  const columns = [
    ...schemaColumns(newest.schema),
    { name: SUFFIX, type: { kind: "STRING" } as const, pseudo: true },
  ];
  const physical: PhysicalTable = {
    sql: `(${parts.join(" UNION ALL ")})`,
    ref,
    columns: columns.map(({ name, type }) => ({ name, type })),
    schema: newest.schema,
    partitioning: {},
  };
  const version = entries.map((entry) => `${entry.ref.tableId} ${entry.version}`).join("\n");
  return { ref, columns, version, physical };
}
