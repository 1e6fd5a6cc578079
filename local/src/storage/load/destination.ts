import { BigQueryError } from "../../errors.ts";
import type { FieldSchema, TableRef } from "../../types.ts";
import type { Catalog } from "../catalog.ts";
import { type CatalogChange, datasetNotFound, tableNotFound } from "../catalog-change.ts";
import { type ColumnDefaults, omittedDefaults, withDefaults } from "../column-defaults.ts";
import { type TableEntry, tableName } from "../entries.ts";
import { withLimits } from "../field-limits.ts";
import { splitDecorator } from "../names.ts";
import { clearPartition, rowsInPartition, unknownPartitioning } from "../partitions.ts";
import { evolveSchema } from "../schema-evolution.ts";
import { checkSameLayout } from "../table-layout.ts";
import { changeSchema, createTable, insertRows, replaceRows } from "../tables.ts";
import type { LoadOptions } from "./options.ts";

/** The table that a load writes to, or the one partition of it that the job names. */
export class LoadDestination {
  /** The partition that the job names, if it loads into one. */
  readonly partition: string | undefined;
  readonly #catalog: Catalog;
  readonly #defaults: ColumnDefaults;
  readonly #ref: TableRef;
  readonly #options: LoadOptions;

  /** `destinationTable`: as the job names it, with the partition's decorator. */
  constructor(catalog: Catalog, defaults: ColumnDefaults, destinationTable: TableRef, options: LoadOptions) {
    const { table, partition } = splitDecorator(destinationTable);
    this.partition = partition;
    this.#catalog = catalog;
    this.#defaults = defaults;
    this.#ref = table;
    this.#options = options;
  }

  /** The table as it stands; undefined where the load makes it. */
  get table(): TableEntry | undefined {
    return this.#catalog.getTable(this.#ref);
  }

  /** Refuses a job whose table is missing, is no table, or is laid out otherwise. */
  check(): void {
    this.#checkTarget(this.table);
  }

  /** A table that is written anew takes the schema of what it gets; one of which a partition is keeps its own. */
  get replacesTable(): boolean {
    return this.#options.writeDisposition === "WRITE_TRUNCATE" && this.partition === undefined;
  }

  /** Rows that join a table obey its limits, whether or not the job's schema repeats them. */
  limited(schema: readonly FieldSchema[], table: TableEntry | undefined): readonly FieldSchema[] {
    const joins = table !== undefined && !this.replacesTable;
    return joins ? withLimits(schema, table.schema) : schema;
  }

  /** Puts a query's rows, which have this schema, in place, with the table where there was none; returns how many. */
  async place(change: CatalogChange, schema: readonly FieldSchema[], query: string): Promise<number> {
    const { writeDisposition } = this.#options;
    const entry = change.getTable(this.#ref);
    this.#checkTarget(entry);
    if (this.partition !== undefined) {
      if (entry === undefined && Object.keys(this.#options.partitioning ?? {}).length === 0)
        throw unknownPartitioning();
      const table = entry ?? (await this.#createTable(change, schema));
      await clearPartition(change, table, this.partition, writeDisposition);
      return this.#append(change, table, schema, query);
    }
    if (entry === undefined) {
      const created = await this.#createTable(change, schema);
      return insertRows(change, created.physical ?? "", schema, query);
    }
    if (writeDisposition === "WRITE_EMPTY" && (await hasRows(change, entry))) {
      throw new BigQueryError("duplicate", `Already Exists: Table ${tableName(entry.ref)}`);
    }
    if (writeDisposition === "WRITE_TRUNCATE") {
      const wanted = this.#truncatedSchema(entry, schema);
      return replaceRows(change, entry, wanted, schema, query);
    }
    return this.#append(change, entry, schema, query);
  }

  async #append(
    change: CatalogChange,
    entry: TableEntry,
    schema: readonly FieldSchema[],
    query: string,
  ): Promise<number> {
    const wanted = this.#appendedSchema(entry, schema);
    const target = wanted === entry.schema ? entry : await changeSchema(change, entry, wanted);
    // A column that the load does not have gets its default value; one that it has is NULL where a row leaves it out.
    const omitted = omittedDefaults(target.schema, schema);
    const rows = await withDefaults(this.#defaults, omitted, query);
    const fields = [...schema, ...omitted];
    const written =
      this.partition === undefined
        ? { fields, query: rows }
        : rowsInPartition(target, this.partition, fields, rows);
    const count = await insertRows(change, target.physical ?? "", written.fields, written.query);
    change.touch(target);
    return count;
  }

  async #createTable(change: CatalogChange, schema: readonly FieldSchema[]): Promise<TableEntry> {
    const { partitioning, requirePartitionFilter, clustering, description, friendlyName, labels } =
      this.#options;
    return createTable(change, {
      ref: this.#ref,
      schema,
      partitioning,
      requirePartitionFilter,
      clustering,
      description,
      friendlyName,
      labels,
    });
  }

  #truncatedSchema(entry: TableEntry, schema: readonly FieldSchema[]): readonly FieldSchema[] {
    return this.#options.schema !== undefined ||
      this.#options.autodetect ||
      this.#options.format === "PARQUET"
      ? schema
      : entry.schema;
  }

  /** The table's schema after an append: as it is, or with what the job may add and relax. */
  #appendedSchema(entry: TableEntry, schema: readonly FieldSchema[]): readonly FieldSchema[] {
    if (schema === entry.schema) return schema;
    const { addFields, relaxFields } = this.#options;
    const rules = { addFields, relaxFields, keepMissing: true };
    const evolved = evolveSchema(entry.ref, entry.schema, schema, rules);
    return JSON.stringify(evolved) === JSON.stringify(entry.schema) ? entry.schema : evolved;
  }

  #checkTarget(entry: TableEntry | undefined): void {
    const ref = this.#ref;
    if (this.#catalog.getDataset(ref.projectId, ref.datasetId) === undefined) {
      throw datasetNotFound(ref.projectId, ref.datasetId);
    }
    if (entry === undefined) {
      if (!this.#options.createIfNeeded) throw tableNotFound(ref);
      return;
    }
    if (entry.kind !== "TABLE")
      throw new BigQueryError("invalid", `Cannot load into ${tableName(ref)}: it is a ${entry.kind}.`);
    checkSameLayout(entry, this.#options);
  }
}

async function hasRows(change: CatalogChange, entry: TableEntry): Promise<boolean> {
  const reader = await change.connection.runAndReadAll(`SELECT 1 FROM ${entry.physical} LIMIT 1`);
  return reader.currentRowCount > 0;
}
