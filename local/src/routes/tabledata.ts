import type { FastifyInstance } from "fastify";
import { BigQueryError } from "../errors.ts";
import type { JobRows } from "../jobs/job.ts";
import type { JsonObject } from "../jobs/json.ts";
import { tableName } from "../storage/entries.ts";
import { splitDecorator } from "../storage/names.ts";
import { inPartition } from "../storage/partitions.ts";
import { parseRestFormat } from "../storage/rest-values.ts";
import { fieldType } from "../storage/schema.ts";
import { fromDuck, quoteName, type SqlValue } from "../values.ts";
import { etagOf } from "./etag.ts";
import type { TableParams } from "./names.ts";
import { needTable } from "./need-table.ts";
import { pageToken, readPageToken } from "./paging.ts";
import { partitionsSummary } from "./partitions-summary.ts";
import { boolParam, listParam, type RawQuery, textParam, uintParam } from "./request.ts";
import { readRows, sendWithRows } from "./rows.ts";
import { type Selection, selectFields } from "./selected-fields.ts";
import type { Services } from "./services.ts";

/** tabledata.list (https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/list). */
export function tabledataRoutes(app: FastifyInstance, services: Services): void {
  app.get<{ Params: TableParams; Querystring: RawQuery }>(
    "/projects/:projectId/datasets/:datasetId/tables/:tableId/data",
    async (request, reply) => {
      const { query, params } = request;
      const format = parseRestFormat({
        useInt64Timestamp: boolParam(query, "formatOptions.useInt64Timestamp"),
        timestampOutputFormat: textParam(query, "formatOptions.timestampOutputFormat"),
      });
      const selected = listParam(query, "selectedFields");
      const made =
        services.runner.anonymous(params)?.outcome?.rows ??
        (await partitionsSummary(services, params)?.rows());
      const rows =
        made === undefined
          ? await tableRows(services, params, selected)
          : selectedRows(made, selectFields(made.schema, selected));
      const scope = `data ${params.projectId} ${params.datasetId} ${params.tableId}`;
      const token = textParam(query, "pageToken");
      const start = token === undefined ? (uintParam(query, "startIndex") ?? 0) : readPageToken(scope, token);
      const text = await readRows(rows, start, uintParam(query, "maxResults"), format);
      const end = start + text.count;
      const answer: JsonObject = {
        kind: "bigquery#tableDataList",
        etag: etagOf(scope, rows.totalRows, end),
        totalRows: String(rows.totalRows),
        ...(end < rows.totalRows ? { pageToken: pageToken(scope, end) } : {}),
      };
      return sendWithRows(reply, answer, text);
    },
  );
}

type Rows = Pick<JobRows, "schema" | "totalRows" | "page">;

function selectedRows(rows: JobRows, selection: Selection): Rows {
  const columns = selection.columns.map((name) => rows.schema.findIndex((field) => field.name === name));
  return {
    schema: selection.schema,
    totalRows: rows.totalRows,
    page: async (start, count) => {
      const page = await rows.page(start, count);
      return page.map((row) => selection.cut(columns.map((column) => row[column] ?? null)));
    },
  };
}

/** The rows as they are at each page: rows added between two pages come last, so none is read twice. */
async function tableRows(
  services: Services,
  params: TableParams,
  selected: readonly string[],
): Promise<Rows> {
  const { storage } = services;
  const { table, partition } = splitDecorator(params);
  const entry = needTable(services, table);
  const { physical } = entry;
  if (physical === undefined) {
    throw new BigQueryError("invalid", `Cannot list a table of type ${entry.kind}: ${tableName(entry.ref)}.`);
  }
  const where = partition === undefined ? "" : ` WHERE ${inPartition(entry, partition)}`;
  const selection = selectFields(entry.schema, selected);
  const types = selection.columns.map((name) => {
    const field = entry.schema.find((other) => other.name === name);
    if (field === undefined) throw new Error("a selected column is in the schema");
    return fieldType(field);
  });
  const totalRows = await storage.database.use(async (connection) => {
    const reader = await connection.runAndReadAll(`SELECT count(*) FROM ${physical}${where}`);
    return Number(reader.getRows()[0]?.[0] ?? 0);
  });
  const columns = selection.columns.map(quoteName).join(", ");
  return {
    schema: selection.schema,
    totalRows: selection.columns.length === 0 ? 0 : totalRows,
    page: (start, count) =>
      storage.database.use(async (connection) => {
        const reader = await connection.runAndReadAll(
          `SELECT ${columns} FROM ${physical}${where} ORDER BY rowid LIMIT ${count} OFFSET ${start}`,
        );
        return reader
          .getRows()
          .map((row) => selection.cut(row.map((value, index): SqlValue => readCell(types[index], value))));
      }),
  };
}

function readCell(type: ReturnType<typeof fieldType> | undefined, value: unknown): SqlValue {
  return type === undefined ? null : fromDuck(type, value);
}
