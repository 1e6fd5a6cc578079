import type { FastifyInstance } from "fastify";
import { BigQueryError } from "../errors.ts";
import type { Job } from "../jobs/job.ts";
import type { JsonObject } from "../jobs/json.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import { checkedConstraints, constraintsOf, keptConstraints } from "../storage/constraints.ts";
import type { TableEntry } from "../storage/entries.ts";
import { checkTableRef, splitDecorator } from "../storage/names.ts";
import { clearPartition, inPartition } from "../storage/partitions.ts";
import { parseSchema } from "../storage/schema.ts";
import { evolveSchema, PATCH_RULES } from "../storage/schema-evolution.ts";
import {
  alreadyExists,
  alterEntry,
  changeSchema,
  createTable,
  createView,
  dropTable,
} from "../storage/tables.ts";
import type { FieldSchema, TableRef } from "../types.ts";
import { changedKept, changedLabels, changedMember } from "./dataset-resource.ts";
import { needDataset } from "./datasets.ts";
import { checkIfMatch, etagOf } from "./etag.ts";
import { readMaterializedView } from "./materialized-view.ts";
import type { DatasetParams, TableParams } from "./names.ts";
import { needTable } from "./need-table.ts";
import { pageOf } from "./paging.ts";
import { partitionsSummary } from "./partitions-summary.ts";
import { listParam, type RawQuery, readBody, textParam, uintParam } from "./request.ts";
import { selectFields } from "./selected-fields.ts";
import { baseUrl, type Services } from "./services.ts";
import {
  checkTableFeatures,
  KEPT_TABLE_MEMBERS,
  readConstraints,
  readExpiration,
  readPartitionFilter,
  readPartitioning,
  type TableBody,
  tableBody,
  tableEtag,
  tableListItem,
  tableResource,
} from "./table-resource.ts";
import { stateOf } from "./table-state.ts";

const TABLES = "/projects/:projectId/datasets/:datasetId/tables";

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables */
export function tableRoutes(app: FastifyInstance, services: Services): void {
  const { catalog } = services.storage;

  app.get<{ Params: DatasetParams; Querystring: RawQuery }>(TABLES, (request) => {
    const { projectId, datasetId } = request.params;
    needDataset(services, request.params);
    const tables = catalog.listTables(projectId, datasetId);
    const { page, nextPageToken } = pageOf(
      tables,
      `tables ${projectId} ${datasetId}`,
      textParam(request.query, "pageToken"),
      uintParam(request.query, "maxResults"),
    );
    return {
      kind: "bigquery#tableList",
      etag: etagOf(page.map((entry) => tableEtag(entry, catalog.lastModified(entry)))),
      ...(page.length === 0 ? {} : { tables: page.map(tableListItem) }),
      totalItems: tables.length,
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    };
  });

  app.post<{ Params: DatasetParams }>(TABLES, async (request) => {
    const body = readBody(tableBody, request.body);
    const ref = targetOf(request.params, body);
    checkTableFeatures(body);
    needDataset(services, ref);
    const viewSchema = await schemaOfView(services, ref, body);
    const entry = await catalog.change(async (change) => {
      change.needDataset(ref.projectId, ref.datasetId);
      if (change.getTable(ref) !== undefined) throw alreadyExists(ref);
      return insertTable(change, ref, body, viewSchema);
    });
    return tableResource(entry, await stateOf(services, entry), baseUrl(request));
  });

  app.get<{ Params: TableParams; Querystring: RawQuery }>(`${TABLES}/:tableId`, async (request) => {
    const view = tableView(textParam(request.query, "view"));
    const selected = listParam(request.query, "selectedFields");
    const anonymous = services.runner.anonymous(request.params);
    if (anonymous !== undefined) return anonymousResource(anonymous, request.params, baseUrl(request));
    const summary = partitionsSummary(services, request.params)?.entry;
    const { table, partition } = splitDecorator(request.params);
    const entry = summary ?? needTable(services, table);
    const { schema } = selectFields(entry.schema, selected);
    const part = summary === undefined ? partition : undefined;
    if (part !== undefined) inPartition(entry, part);
    const state =
      view === "BASIC" ? { lastModified: catalog.lastModified(entry) } : await stateOf(services, entry, part);
    const ref = { ...entry.ref, tableId: request.params.tableId };
    return tableResource({ ...entry, ref, schema }, state, baseUrl(request));
  });

  // No table has one: to create a policy is refused. https://cloud.google.com/bigquery/docs/reference/rest/v2/rowAccessPolicies/list
  app.get<{ Params: TableParams }>(`${TABLES}/:tableId/rowAccessPolicies`, (request) => {
    needTable(services, request.params);
    return {};
  });

  for (const [method, how] of [
    ["PATCH", "patch"],
    ["PUT", "update"],
  ] as const) {
    app.route<{ Params: TableParams }>({
      method,
      url: `${TABLES}/:tableId`,
      handler: async (request) => {
        const body = readBody(tableBody, request.body);
        const found = needTable(services, request.params);
        checkTableFeatures(body, found);
        const viewSchema = await schemaOfView(services, found.ref, body);
        const entry = await catalog.change(async (change) => {
          const before = change.needTable(found.ref);
          checkIfMatch(request, tableEtag(before, catalog.lastModified(before)));
          return changeTable(change, before, body, how, viewSchema);
        });
        return tableResource(entry, await stateOf(services, entry), baseUrl(request));
      },
    });
  }

  app.delete<{ Params: TableParams }>(`${TABLES}/:tableId`, async (request, reply) => {
    const { table, partition } = splitDecorator(request.params);
    const { ref } = needTable(services, table);
    await catalog.change(async (change) => {
      const entry = change.needTable(ref);
      const shown = { ...entry, ref: { ...ref, tableId: request.params.tableId } };
      checkIfMatch(request, tableEtag(shown, catalog.lastModified(entry)));
      if (partition === undefined) return dropTable(change, entry);
      // https://cloud.google.com/bigquery/docs/managing-partitioned-tables#delete_a_partition
      await clearPartition(change, entry, partition, "WRITE_TRUNCATE");
      change.touch(entry);
    });
    return reply.code(204).send();
  });
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/get#TableMetadataView */
function tableView(view = "STORAGE_STATS"): string {
  if (/^(TABLE_METADATA_VIEW_UNSPECIFIED|BASIC|STORAGE_STATS|FULL)$/.test(view)) return view;
  throw new BigQueryError("invalid", `Invalid value for view: ${view.slice(0, 100)}`, "view");
}

/** The table that a query without a destination left its rows in. */
function anonymousResource(job: Job, ref: TableRef, base: string): JsonObject {
  const time = job.endTime ?? job.creationTime;
  const entry: TableEntry = {
    ref: { projectId: ref.projectId, datasetId: ref.datasetId, tableId: ref.tableId },
    kind: "TABLE",
    version: "1.1",
    schema: job.outcome?.rows?.schema ?? [],
    partitioning: {},
    clustering: [],
    location: job.location,
    creationTime: time,
    lastModifiedTime: time,
    expirationTime: time + 86_400_000,
    kept: {},
  };
  return tableResource(
    entry,
    { lastModified: time, size: { rows: job.outcome?.rows?.totalRows ?? 0, bytes: 0 } },
    base,
  );
}

function targetOf(params: DatasetParams, body: TableBody): TableRef {
  const given = body.tableReference;
  if (given == null) {
    throw new BigQueryError("required", "Required parameter is missing: tableReference", "tableReference");
  }
  const { projectId, datasetId } = params;
  if ((given.projectId ?? projectId) !== projectId || (given.datasetId ?? datasetId) !== datasetId) {
    throw new BigQueryError("invalid", "The table's dataset differs from the request's.", "tableReference");
  }
  return checkTableRef({ projectId, datasetId, tableId: given.tableId });
}

/** A view's columns come from its query alone; a view whose query is wrong is not made. */
async function schemaOfView(
  services: Services,
  ref: TableRef,
  body: TableBody,
): Promise<FieldSchema[] | undefined> {
  const query = body.view?.query ?? body.materializedView?.query;
  if (query == null) return undefined;
  return services.runner.schemaOfQuery(query, ref.projectId);
}

async function insertTable(
  change: CatalogChange,
  ref: TableRef,
  body: TableBody,
  viewSchema: FieldSchema[] | undefined,
): Promise<TableEntry> {
  const shared = {
    ref,
    partitioning: readPartitioning(body),
    requirePartitionFilter: readPartitionFilter(body),
    clustering: body.clustering?.fields ?? [],
    friendlyName: body.friendlyName ?? undefined,
    description: body.description ?? undefined,
    labels: changedLabels(undefined, body.labels, "update"),
    expirationTime: readExpiration(body.expirationTime),
    kept: keptMembers({}, body, "update"),
  };
  if (viewSchema === undefined) {
    const schema = parseSchema(body.schema?.fields ?? []);
    const constraints = checkedConstraints(ref, schema, constraintsOf(shared));
    return createTable(change, { ...shared, schema, kept: keptConstraints(shared.kept, constraints) });
  }
  const materialized = body.materializedView?.query;
  return createView(change, {
    ...shared,
    kind: materialized == null ? "VIEW" : "MATERIALIZED_VIEW",
    query: materialized ?? body.view?.query ?? "",
    schema: withDescriptions(viewSchema, body.schema?.fields),
  });
}

/** Members that are kept and shown; keys in the form in which the rest of the endpoint reads them. */
function keptMembers(
  before: TableEntry["kept"],
  body: TableBody,
  how: "patch" | "update",
): TableEntry["kept"] {
  const kept = {
    ...changedKept(before, body, KEPT_TABLE_MEMBERS, how),
    ...readMaterializedView(before, body.materializedView),
  };
  return body.tableConstraints == null ? kept : keptConstraints(kept, readConstraints(body.tableConstraints));
}

async function changeTable(
  change: CatalogChange,
  before: TableEntry,
  body: TableBody,
  how: "patch" | "update",
  viewSchema: FieldSchema[] | undefined,
): Promise<TableEntry> {
  let entry = before;
  const fields = body.schema?.fields;
  if (before.kind === "TABLE") {
    if (viewSchema !== undefined) {
      throw new BigQueryError("invalid", "Cannot convert a table to a view.", "view");
    }
    if (fields != null) {
      const schema = evolveSchema(before.ref, before.schema, parseSchema(fields, true), PATCH_RULES);
      entry = await changeSchema(change, before, schema);
    }
  } else {
    const schema = withDescriptions(viewSchema ?? before.schema, fields);
    const query = body.view?.query ?? body.materializedView?.query ?? before.viewQuery;
    entry = { ...before, schema, viewQuery: query };
  }
  const kept = keptMembers(before.kept, body, how);
  const constraints = checkedConstraints(entry.ref, entry.schema, constraintsOf({ kept }));
  return alterEntry(change, entry, {
    schema: entry.schema,
    viewQuery: entry.viewQuery,
    friendlyName: changedMember(before.friendlyName, body.friendlyName, how),
    description: changedMember(before.description, body.description, how),
    labels: changedLabels(before.labels, body.labels, how),
    expirationTime:
      body.expirationTime === undefined && how === "patch"
        ? before.expirationTime
        : readExpiration(body.expirationTime),
    requirePartitionFilter: readPartitionFilter(body) ?? before.requirePartitionFilter,
    partitioning: changedPartitioning(before, body),
    clustering: body.clustering === undefined ? before.clustering : (body.clustering?.fields ?? []),
    kept: keptConstraints(kept, constraints),
  });
}

/** Partitioning itself cannot change, only how long partitions live (https://cloud.google.com/bigquery/docs/managing-partitioned-tables). */
function changedPartitioning(before: TableEntry, body: TableBody): TableEntry["partitioning"] {
  const given = readPartitioning(body);
  const old = before.partitioning.timePartitioning;
  const time = given.timePartitioning;
  if (time === undefined && given.rangePartitioning === undefined) return before.partitioning;
  const sameTime =
    time === undefined || (old !== undefined && old.type === time.type && old.field === time.field);
  const sameRange =
    given.rangePartitioning === undefined ||
    JSON.stringify(given.rangePartitioning) === JSON.stringify(before.partitioning.rangePartitioning);
  if (!sameTime || !sameRange) {
    throw new BigQueryError("invalid", "Cannot change partitioning spec for a table.");
  }
  return { ...before.partitioning, ...given };
}

/** A view's columns are its query's; a given schema can only describe them. */
function withDescriptions(
  schema: readonly FieldSchema[],
  given: readonly unknown[] | null | undefined,
): FieldSchema[] {
  if (given == null || given.length === 0) return [...schema];
  const described = parseSchema(given);
  return schema.map((field) => {
    const match = described.find((other) => other.name.toLowerCase() === field.name.toLowerCase());
    if (match === undefined) return field;
    return {
      ...field,
      ...(match.description === undefined ? {} : { description: match.description }),
      ...(field.fields === undefined ? {} : { fields: withDescriptions(field.fields, match.fields) }),
    };
  });
}
