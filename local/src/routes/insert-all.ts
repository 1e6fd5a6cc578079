import type { FastifyInstance } from "fastify";
import { BigQueryError, type ErrorProto } from "../errors.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import { JsonNumber, JsonObject, type JsonValue, parseExactJson } from "../storage/json-text.ts";
import { JsonRowReader } from "../storage/json-values.ts";
import { checkTableRef } from "../storage/names.ts";
import { fieldType } from "../storage/schema.ts";
import type { Storage } from "../storage/storage.ts";
import { copyTable, insertRows } from "../storage/tables.ts";
import { ValueError } from "../storage/text-values.ts";
import type { FieldSchema } from "../types.ts";
import { literalSql, type SqlValue } from "../values.ts";
import type { TableParams } from "./names.ts";
import { needTable } from "./need-table.ts";
import type { Services } from "./services.ts";

/** https://cloud.google.com/bigquery/quotas#streaming_inserts */
const MAX_ROWS = 50_000;
/** How long an insertId is remembered; BigQuery says at least one minute. */
const INSERT_ID_MS = 60_000;
const MAX_INSERT_IDS = 500_000;
const ROWS_PER_STATEMENT = 500;

interface InsertBody {
  readonly templateSuffix: string;
  readonly rows: readonly { readonly insertId: string | undefined; readonly json: JsonValue }[];
  readonly skipInvalidRows: boolean;
  readonly ignoreUnknownValues: boolean;
}

interface InsertedRow {
  readonly values: readonly SqlValue[];
  /** Columns whose default value the row takes. */
  readonly omitted: ReadonlySet<FieldSchema>;
}

interface RowError {
  readonly index: number;
  readonly errors: readonly ErrorProto[];
}

/** tabledata.insertAll (https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll). */
export function insertAllRoutes(app: FastifyInstance, services: Services): void {
  const insertIds = new InsertIds();
  void app.register(async (scope) => {
    // Numbers in rows keep all their digits, which JSON.parse would lose.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, async (_request: unknown, body: Buffer) =>
      readJson(body),
    );
    scope.post<{ Params: TableParams }>(
      "/projects/:projectId/datasets/:datasetId/tables/:tableId/insertAll",
      async (request) => {
        const body = readInsertBody(request.body);
        const named = needTable(services, request.params);
        const entry =
          body.templateSuffix === "" ? named : await instanceOf(services.storage, named, body.templateSuffix);
        const errors = await insertAll(services, entry, body, insertIds);
        return {
          kind: "bigquery#tableDataInsertAllResponse",
          ...(errors.length === 0 ? {} : { insertErrors: errors }),
        };
      },
    );
  });
}

/**
 * The table `<template><suffix>`, made like the template where it is not there yet
 * (https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery#template-tables).
 */
async function instanceOf(storage: Storage, template: TableEntry, suffix: string): Promise<TableEntry> {
  const ref = checkTableRef({ ...template.ref, tableId: `${template.ref.tableId}${suffix}` });
  return (
    storage.catalog.getTable(ref) ??
    storage.catalog.change(
      async (change) => change.getTable(ref) ?? (await copyTable(change, template, ref, false)),
    )
  );
}

async function insertAll(
  { storage, columnDefaults }: Services,
  entry: TableEntry,
  body: InsertBody,
  insertIds: InsertIds,
): Promise<readonly RowError[]> {
  const { physical } = entry;
  if (physical === undefined || entry.kind !== "TABLE") {
    throw new BigQueryError(
      "invalid",
      `Cannot add rows to a table of type ${entry.kind}: ${tableName(entry.ref)}.`,
    );
  }
  if (entry.schema.length === 0) {
    throw new BigQueryError("invalid", "The destination table has no schema.");
  }
  const columns = new Set(entry.schema);
  let omitted = new Set<FieldSchema>();
  const reader = new JsonRowReader({
    ignoreUnknownValues: body.ignoreUnknownValues,
    words: "insert",
    // A column that a row leaves out gets its default value, which an explicit null does not.
    missing: (field) => {
      if (field.defaultValueExpression === undefined || !columns.has(field)) return undefined;
      omitted.add(field);
      return null;
    },
  });
  const good: { insertId: string | undefined; row: InsertedRow }[] = [];
  const errors: RowError[] = [];
  for (const [index, row] of body.rows.entries()) {
    try {
      omitted = new Set();
      const values = reader.row(entry.schema, row.json);
      good.push({ insertId: row.insertId, row: { values, omitted } });
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      errors.push({ index, errors: [{ reason: "invalid", location: error.path, message: error.message }] });
    }
  }
  if (errors.length > 0 && !body.skipInvalidRows) {
    // One bad row stops all others, which are told so.
    const bad = new Set(errors.map((error) => error.index));
    for (const index of body.rows.keys()) {
      if (!bad.has(index)) errors.push({ index, errors: [{ reason: "stopped", location: "", message: "" }] });
    }
    return errors.sort((left, right) => left.index - right.index);
  }
  const isNew = insertIds.reserve(
    physical,
    good.map((row) => row.insertId),
  );
  const rows = good.filter((_, index) => isNew[index]).map(({ row }) => row);
  try {
    if (rows.length > 0) await append(storage, entry, physical, rows, await columnDefaults(entry.schema));
  } catch (error) {
    insertIds.release(
      physical,
      good.filter((_, index) => isNew[index]).map((row) => row.insertId),
    );
    throw error;
  }
  return errors;
}

async function append(
  storage: Storage,
  entry: TableEntry,
  physical: string,
  rows: readonly InsertedRow[],
  defaults: ReadonlyMap<string, string>,
): Promise<void> {
  await storage.catalog.change(async (change) => {
    for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
      const tuples = rows.slice(start, start + ROWS_PER_STATEMENT).map(({ values, omitted }) => {
        const cells = entry.schema.map((field, index) => {
          const byDefault = omitted.has(field) ? defaults.get(field.name.toLowerCase()) : undefined;
          return byDefault ?? literalSql(fieldType(field), values[index] ?? null);
        });
        return `(${cells.join(", ")})`;
      });
      await insertRows(change, physical, entry.schema, `VALUES ${tuples.join(", ")}`);
    }
    change.touch(entry);
    storage.streaming.add(entry, change.number, rows.length);
  });
}

function readJson(body: Buffer): JsonValue {
  try {
    return parseExactJson(body.toString("utf8"));
  } catch {
    throw new BigQueryError("invalid", "Invalid JSON payload received. The body is not JSON.");
  }
}

function readInsertBody(value: unknown): InsertBody {
  if (!(value instanceof JsonObject)) {
    throw new BigQueryError("invalid", "Invalid JSON payload received. Root element must be a message.");
  }
  const members = new Map(value.members);
  const suffix = members.get("templateSuffix") ?? "";
  if (typeof suffix !== "string") {
    throw new BigQueryError("invalid", "Invalid value at 'templateSuffix': not a string.", "templateSuffix");
  }
  const rows = members.get("rows");
  if (!Array.isArray(rows) || rows.length === 0) {
    throw new BigQueryError("invalid", "No rows present in the request.", "rows");
  }
  if (rows.length > MAX_ROWS) {
    throw new BigQueryError("invalid", `Too many rows present in the request, limit: ${MAX_ROWS}`, "rows");
  }
  return {
    templateSuffix: suffix,
    rows: rows.map(readRow),
    skipInvalidRows: isTrue(members.get("skipInvalidRows")),
    ignoreUnknownValues: isTrue(members.get("ignoreUnknownValues")),
  };
}

function readRow(value: JsonValue, index: number): InsertBody["rows"][number] {
  const members = value instanceof JsonObject ? new Map(value.members) : undefined;
  const json = members?.get("json");
  if (members === undefined || json === undefined) {
    throw new BigQueryError("invalid", `Invalid value at 'rows[${index}]': a row needs its json.`, "rows");
  }
  const insertId = members.get("insertId");
  if (insertId === undefined || insertId === null || insertId === "") return { insertId: undefined, json };
  return {
    insertId:
      typeof insertId === "string"
        ? insertId
        : insertId instanceof JsonNumber
          ? insertId.text
          : String(insertId),
    json,
  };
}

function isTrue(value: JsonValue | undefined): boolean {
  return value === true || value === "true";
}

/** Ids of rows streamed lately: a row sent again after a lost answer is not stored twice. */
class InsertIds {
  /** In the order of their expiry. */
  readonly #expires = new Map<string, number>();

  /** Notes the ids; says of each row whether it is new. */
  reserve(physical: string, ids: readonly (string | undefined)[]): boolean[] {
    const now = Date.now();
    for (const [key, expires] of this.#expires) {
      if (expires > now && this.#expires.size < MAX_INSERT_IDS) break;
      this.#expires.delete(key);
    }
    return ids.map((id) => {
      if (id === undefined) return true;
      const key = `${physical} ${id}`;
      if ((this.#expires.get(key) ?? 0) > now) return false;
      this.#expires.delete(key);
      this.#expires.set(key, now + INSERT_ID_MS);
      return true;
    });
  }

  /** Forgets ids whose rows were not stored after all. */
  release(physical: string, ids: readonly (string | undefined)[]): void {
    for (const id of ids) if (id !== undefined) this.#expires.delete(`${physical} ${id}`);
  }
}
