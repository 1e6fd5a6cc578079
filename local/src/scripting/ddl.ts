import type { CreateTable, CreateView, DropObject } from "../compiler/compiled.ts";
import { BigQueryError, unsupported } from "../errors.ts";
import type { QueryOutcome } from "../jobs/ports.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import { checkedConstraints, keptConstraints } from "../storage/constraints.ts";
import { type TableEntry, tableName } from "../storage/entries.ts";
import { schemaOfColumns } from "../storage/schema.ts";
import { alreadyExists, copyTable, createTable, createView, dropTable } from "../storage/tables.ts";
import type { TableRef } from "../types.ts";
import { alterObject } from "./ddl-alter.ts";
import { evaluateOptions } from "./ddl-expressions.ts";
import { readTableOptions } from "./ddl-options.ts";
import { createRoutine, createSchema, dropRoutine, dropSchema } from "./ddl-schemas.ts";
import type { Ddl, DdlResult } from "./ddl-statements.ts";
import { qualify, unqualified } from "./live-source.ts";
import type { PreparedStatement } from "./prepare.ts";
import type { Session } from "./session.ts";

/** Runs a DDL statement: in a transaction of its own, or, for temporary objects, in the script's. */
export async function runDdl(
  session: Session,
  prepared: PreparedStatement,
  compiled: Ddl,
): Promise<Partial<QueryOutcome>> {
  const ddl = await evaluateOptions(session, compiled);
  if (ddl.kind === "create-routine" && ddl.temporary) {
    await createRoutine(session, ddl, undefined);
    return { ddlOperation: "CREATE" };
  }
  const target = await targetOf(session, ddl);
  const temporary = target !== undefined && target.datasetId === session.tempDataset;
  if (target !== undefined && !temporary) checkPlace(session, ddl, target);
  const work = (change: CatalogChange): Promise<DdlResult> =>
    applyDdl(session, change, prepared, ddl, target);
  let result: DdlResult;
  if (session.transaction !== undefined) {
    // https://cloud.google.com/bigquery/docs/transactions#statements_supported_in_transactions
    if (!temporary) {
      const message =
        "DDL statements are not supported in a transaction, except for those creating or dropping temporary tables or temporary functions.";
      throw new BigQueryError("invalidQuery", message, "query");
    }
    result = await session.transaction.define(work);
  } else {
    result = await alone(session, lockName(ddl, target), work);
  }
  return { ddlOperation: result.operation, ddlTarget: result.target ?? target };
}

/** Waits for transactions that change the table, so that none of them loses its rows silently. */
async function alone(
  session: Session,
  name: string,
  work: (change: CatalogChange) => Promise<DdlResult>,
): Promise<DdlResult> {
  const { locks } = session.parts;
  const owner = {};
  let committed = false;
  try {
    await locks.lock(owner, name, session.request.signal);
    return await session.change(work, () => {
      committed = true;
    });
  } finally {
    locks.release(owner, committed);
  }
}

/** Statements on one object run one after another. */
function lockName(ddl: Ddl, target: TableRef | undefined): string {
  if (target !== undefined) return tableName(target);
  return "name" in ddl ? `object ${ddl.name.join(".").toLowerCase()}` : ddl.kind;
}

async function targetOf(session: Session, ddl: Ddl): Promise<TableRef | undefined> {
  switch (ddl.kind) {
    case "create-table":
      return ddl.temporary ? await session.temporaryTable(ddl.table.tableId) : needDataset(ddl.table);
    case "create-view":
      return needDataset(ddl.table);
    case "drop":
    case "alter":
      return ["TABLE", "SNAPSHOT TABLE", "VIEW", "MATERIALIZED VIEW"].includes(ddl.object)
        ? findTarget(session, ddl.name)
        : undefined;
    default:
      return undefined;
  }
}

function needDataset(ref: TableRef): TableRef {
  if (ref.datasetId === "") throw unqualified([ref.tableId]);
  return ref;
}

/** The table that a DROP or ALTER names: a temporary one first. */
function findTarget(session: Session, path: readonly string[]): TableRef {
  const { tempDataset, catalog } = session;
  const tableId = path.at(-1) ?? "";
  if (tempDataset !== undefined && (path.length === 1 || path[0]?.toUpperCase() === "_SESSION")) {
    const ref = { projectId: session.request.projectId, datasetId: tempDataset, tableId };
    if (catalog.getTable(ref) !== undefined) return ref;
  }
  const ref = qualify(path, { projectId: session.defaultProject, dataset: session.defaultDataset });
  if (ref === undefined) throw unqualified(path);
  return ref;
}

async function applyDdl(
  session: Session,
  change: CatalogChange,
  prepared: PreparedStatement,
  ddl: Ddl,
  target: TableRef | undefined,
): Promise<DdlResult> {
  switch (ddl.kind) {
    case "create-table":
      return await applyCreateTable(change, ddl, target ?? ddl.table);
    case "create-view":
      return await applyCreateView(change, ddl, prepared);
    case "drop":
      return await applyDrop(session, change, ddl, target);
    case "alter":
      return await alterObject(session, change, ddl, target);
    case "create-schema":
      return createSchema(session, change, ddl);
    case "create-routine":
      return await createRoutine(session, ddl, change);
  }
}

/** What stands in the way of a CREATE: nothing, an object that it keeps, or one that it replaces. */
function existing(
  change: CatalogChange,
  ref: TableRef,
  mode: CreateTable["mode"],
  kind: TableEntry["kind"],
): "none" | "keep" | "replace" {
  const entry = change.getTable(ref);
  if (entry === undefined) return "none";
  if (mode === "if-not-exists") return "keep";
  if (mode === "create") throw alreadyExists(ref);
  if (entry.kind !== kind) {
    const message = `${tableName(ref)} is not allowed for this operation because it is currently a ${entry.kind}.`;
    throw new BigQueryError("invalidQuery", message, "query");
  }
  return "replace";
}

async function applyCreateTable(change: CatalogChange, ddl: CreateTable, ref: TableRef): Promise<DdlResult> {
  const kind = ddl.from?.how === "snapshot" ? "SNAPSHOT" : "TABLE";
  const found = existing(change, ref, ddl.mode, kind);
  if (found === "keep") return { operation: "SKIP" };
  const operation = found === "replace" ? "REPLACE" : "CREATE";
  const options = readTableOptions(ddl.options, ddl.partitioning);
  if (ddl.from !== undefined) {
    const source = change.needTable(ddl.from.table);
    const { how } = ddl.from;
    if (source.physical === undefined)
      throw unsupported(`CREATE TABLE ${how.toUpperCase()} of a ${source.kind}`);
    const copy = await copyTable(change, source, ref, how !== "like");
    const base = { table: source.ref, time: change.catalog.now() };
    const isLinked = how === "clone" || how === "snapshot";
    change.putTable({ ...copy, ...options, kind, ...(isLinked ? { base } : {}) });
    return { operation };
  }
  const constraints = checkedConstraints(ref, ddl.schema, ddl.constraints ?? {});
  await createTable(change, {
    ref,
    schema: ddl.schema,
    clustering: ddl.clustering,
    requirePartitionFilter: ddl.requirePartitionFilter,
    ...options,
    kept: keptConstraints(options.kept ?? {}, constraints),
    partitioning: options.partitioning ?? ddl.partitioning,
    rows: ddl.asSelect?.sql,
  });
  return { operation };
}

async function applyCreateView(
  change: CatalogChange,
  ddl: CreateView,
  prepared: PreparedStatement,
): Promise<DdlResult> {
  const kind = ddl.materialized ? "MATERIALIZED_VIEW" : "VIEW";
  const found = existing(change, ddl.table, ddl.mode, kind);
  if (found === "keep") return { operation: "SKIP" };
  const schema = schemaOfColumns(ddl.columns).map((field) => {
    const description = ddl.columnOptions[field.name]?.description;
    return typeof description === "string" ? { ...field, description } : field;
  });
  const { partitioning: _, ...options } = readTableOptions(ddl.options, {});
  await createView(change, {
    ref: ddl.table,
    kind,
    query: prepared.analyzed.written(ddl.query),
    schema,
    ...options,
  });
  return { operation: found === "replace" ? "REPLACE" : "CREATE" };
}

async function applyDrop(
  session: Session,
  change: CatalogChange,
  ddl: DropObject,
  target: TableRef | undefined,
): Promise<DdlResult> {
  if (ddl.object === "SCHEMA") return await dropSchema(session, change, ddl);
  if (target === undefined) return dropRoutine(session, change, ddl);
  const entry = change.getTable(target);
  if (entry === undefined) {
    if (ddl.ifExists) return { operation: "SKIP" };
    throw new BigQueryError(
      "notFound",
      `Not found: Table ${tableName(target)} was not found in location ${session.location.name}`,
      "query",
    );
  }
  const kind = ddl.object === "SNAPSHOT TABLE" ? "SNAPSHOT" : ddl.object.replace(" ", "_");
  if (entry.kind !== kind) {
    const message = `Cannot drop ${tableName(target)} which has type ${entry.kind}. An object of type ${kind} was expected.`;
    throw new BigQueryError("invalidQuery", message, "query");
  }
  await dropTable(change, entry);
  return { operation: "DROP" };
}

/** The dataset must be where the job runs; one that does not exist matters only to a statement that must find something there. */
function checkPlace(session: Session, ddl: Ddl, { projectId, datasetId }: TableRef): void {
  const dataset = session.catalog.getDataset(projectId, datasetId);
  if (dataset === undefined && "ifExists" in ddl && ddl.ifExists) return;
  session.location.need(projectId, datasetId, dataset);
}
