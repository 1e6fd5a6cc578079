import type { AlterObject, CreateRoutine, CreateSchema, DropObject, Options } from "../compiler/compiled.ts";
import { BigQueryError, unsupported } from "../errors.ts";
import type { CatalogChange } from "../storage/catalog-change.ts";
import type { DatasetEntry, RoutineEntry } from "../storage/entries.ts";
import { dropTable } from "../storage/tables.ts";
import { readDays, readLabels, readText } from "./ddl-options.ts";
import type { DdlResult } from "./ddl-statements.ts";
import { routineMembers } from "./routine-definition.ts";
import type { Session } from "./session.ts";

/** Runs CREATE SCHEMA. */
export function createSchema(session: Session, change: CatalogChange, ddl: CreateSchema): DdlResult {
  const { projectId, datasetId } = schemaName(session, ddl.name);
  if (change.getDataset(projectId, datasetId) !== undefined) {
    if (ddl.mode === "if-not-exists") return { operation: "SKIP" };
    throw new BigQueryError("duplicate", `Already Exists: Dataset ${projectId}:${datasetId}`, "query");
  }
  const now = change.catalog.now();
  const location = session.location.name;
  const created: DatasetEntry = {
    projectId,
    datasetId,
    location,
    creationTime: now,
    lastModifiedTime: now,
    kept: {},
  };
  change.putDataset({ ...created, ...readSchemaOptions(ddl.options, true) });
  return { operation: "CREATE" };
}

/** Runs DROP SCHEMA. */
export async function dropSchema(
  session: Session,
  change: CatalogChange,
  ddl: DropObject,
): Promise<DdlResult> {
  const { projectId, datasetId } = schemaName(session, ddl.name);
  if (change.getDataset(projectId, datasetId) === undefined) {
    if (ddl.ifExists) return { operation: "SKIP" };
    throw new BigQueryError(
      "notFound",
      `Not found: Dataset ${projectId}:${datasetId} was not found in location ${session.location.name}`,
      "query",
    );
  }
  const tables = change.listTables(projectId, datasetId);
  const routines = change.listRoutines(projectId, datasetId);
  if (!ddl.cascade && tables.length + routines.length > 0) {
    throw new BigQueryError("resourceInUse", `Dataset ${projectId}:${datasetId} is still in use`, "query");
  }
  for (const entry of tables) await dropTable(change, entry);
  for (const { routineId } of routines) change.removeRoutine(projectId, datasetId, routineId);
  change.removeDataset(projectId, datasetId);
  return { operation: "DROP" };
}

/** Runs ALTER SCHEMA … SET OPTIONS. */
export function alterSchema(session: Session, change: CatalogChange, ddl: AlterObject): DdlResult {
  const { projectId, datasetId } = schemaName(session, ddl.name);
  const entry = change.getDataset(projectId, datasetId);
  if (entry === undefined) {
    if (ddl.ifExists) return { operation: "SKIP" };
    throw new BigQueryError(
      "notFound",
      `Not found: Dataset ${projectId}:${datasetId} was not found in location ${session.location.name}`,
      "query",
    );
  }
  let next: DatasetEntry = { ...entry, lastModifiedTime: change.catalog.now() };
  for (const action of ddl.actions) {
    if (action.action !== "set-options") throw unsupported(`ALTER SCHEMA ${action.action}`);
    const options = readSchemaOptions(action.options, false);
    next = { ...next, ...options, kept: { ...next.kept, ...options.kept } };
  }
  change.putDataset(next);
  return { operation: "ALTER" };
}

/** Keeps the text of a function or procedure: for the script alone, or in its dataset. */
export async function createRoutine(
  session: Session,
  ddl: CreateRoutine,
  change: CatalogChange | undefined,
): Promise<DdlResult> {
  if (change === undefined) {
    const name = ddl.name.join(".").toLowerCase();
    if (session.temporaryRoutines.has(name) && ddl.mode === "create") {
      throw new BigQueryError("invalidQuery", `Already Exists: Routine ${ddl.name.join(".")}`, "query");
    }
    session.temporaryRoutines.set(name, { routine: ddl.routine, text: ddl.text, version: ddl.text });
    return { operation: "CREATE" };
  }
  const { projectId, datasetId, routineId } = routineName(session, ddl.name);
  if (change.getDataset(projectId, datasetId) === undefined) {
    throw new BigQueryError(
      "notFound",
      `Not found: Dataset ${projectId}:${datasetId} was not found in location ${session.location.name}`,
      "query",
    );
  }
  const found = change.getRoutine(projectId, datasetId, routineId);
  if (found !== undefined && ddl.mode === "if-not-exists") return { operation: "SKIP" };
  if (found !== undefined && ddl.mode === "create") {
    throw new BigQueryError(
      "duplicate",
      `Already Exists: Routine ${projectId}:${datasetId}.${routineId}`,
      "query",
    );
  }
  const now = change.catalog.now();
  change.putRoutine({
    projectId,
    datasetId,
    routineId,
    version: `${change.catalog.nextNumber()}.1`,
    routineType: ROUTINE_TYPES[ddl.routine],
    text: ddl.text,
    creationTime: found?.creationTime ?? now,
    lastModifiedTime: now,
    ...(ddl.javaScript?.description === undefined ? {} : { description: ddl.javaScript.description }),
    kept: routineMembers(ddl),
  });
  return { operation: found === undefined ? "CREATE" : "REPLACE" };
}

/** Runs DROP FUNCTION, DROP PROCEDURE or DROP TABLE FUNCTION. */
export function dropRoutine(session: Session, change: CatalogChange, ddl: DropObject): DdlResult {
  const name = ddl.name.join(".").toLowerCase();
  if (ddl.name.length === 1 && session.temporaryRoutines.delete(name)) return { operation: "DROP" };
  const { projectId, datasetId, routineId } = routineName(session, ddl.name);
  const found = change.getRoutine(projectId, datasetId, routineId);
  if (found === undefined) {
    if (ddl.ifExists) return { operation: "SKIP" };
    throw new BigQueryError(
      "notFound",
      `Not found: Routine ${projectId}:${datasetId}.${routineId} was not found in location ${session.location.name}`,
      "query",
    );
  }
  change.removeRoutine(projectId, datasetId, routineId);
  return { operation: "DROP" };
}

const ROUTINE_TYPES: Readonly<Record<CreateRoutine["routine"], RoutineEntry["routineType"]>> = {
  FUNCTION: "SCALAR_FUNCTION",
  "AGGREGATE FUNCTION": "AGGREGATE_FUNCTION",
  "TABLE FUNCTION": "TABLE_VALUED_FUNCTION",
  PROCEDURE: "PROCEDURE",
};

/** The full name for a routine's path as written. */
export function routineName(
  session: Session,
  path: readonly string[],
): { projectId: string; datasetId: string; routineId: string } {
  const routineId = path.at(-1) ?? "";
  const [datasetId, projectId = session.defaultProject] = [...path.slice(0, -1)].reverse();
  if (datasetId !== undefined) return { projectId, datasetId, routineId };
  if (session.defaultDataset !== undefined) return { ...session.defaultDataset, routineId };
  throw new BigQueryError(
    "invalidQuery",
    `Routine name "${routineId}" missing dataset while no default dataset is set in the request.`,
    "query",
  );
}

function schemaName(session: Session, path: readonly string[]): { projectId: string; datasetId: string } {
  const [datasetId = "", projectId = session.defaultProject] = [...path].reverse();
  return { projectId, datasetId };
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#schema_option_list */
function readSchemaOptions(options: Options, creating: boolean): Partial<DatasetEntry> {
  const fields: { -readonly [K in keyof DatasetEntry]?: DatasetEntry[K] } = {};
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (name === "description") fields.description = readText(name, value);
    else if (name === "friendly_name") fields.friendlyName = readText(name, value);
    else if (name === "labels") fields.labels = readLabels(value);
    else if (name === "location" && creating) fields.location = readText(name, value);
    else if (name === "default_table_expiration_days")
      fields.defaultTableExpirationMs = readDays(name, value);
    else if (name === "default_partition_expiration_days") {
      fields.defaultPartitionExpirationMs = readDays(name, value);
    } else if (name === "max_time_travel_hours") kept.maxTimeTravelHours = String(value);
    else if (name === "storage_billing_model") kept.storageBillingModel = value;
    else if (name === "is_case_insensitive" && value === false) kept.isCaseInsensitive = false;
    else throw unsupported(`schema option ${name}`);
  }
  return Object.keys(kept).length === 0 ? fields : { ...fields, kept };
}
