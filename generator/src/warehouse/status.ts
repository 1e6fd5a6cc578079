import { mergeSql } from "../generate/merge-sql.ts";
import { type EntityModel, type Place, placeOf, placeText } from "../generate/model.ts";
import { codeOf } from "../project/errors.ts";
import { findTable, sqlName, type TableMetadataFound, tableOf, type Warehouse } from "./client.ts";
import { type ForgottenRuns, findForgottenRuns } from "./forgotten-runs.ts";
import { plain } from "./plain.ts";

/** How one entity stands. */
export interface EntityStatus {
  readonly entity: string;
  /** Whether its tables exist and a run has been. */
  readonly state: "no tables" | "never run" | "up to date" | "behind" | "rows missed" | "unknown";
  readonly watermark: string | null;
  /** Updates that came after the watermark; those stamped in the future wait for their time, not for a run. */
  readonly waiting: number | null;
  /** The lag: seconds that the oldest of them has waited to be read; 0 where none waits, however long nothing came. */
  readonly lagSeconds: number | null;
  readonly users: number | null;
  /** Updates that runs kept out and that are not settled, as far as they know. */
  readonly badRows: number;
  /** Updates that reached final and are reported all the same (R4, R5, R9), and not settled. */
  readonly reportedRows: number;
  /** Updates behind the window of all later runs, as far as that is known. */
  readonly missedRows: number;
  /** Where a replay must begin that reads them, as `replayFrom` takes it; null where there is none, or where that is not known. */
  readonly missedFrom: string | null;
  /** Deleted users whom the last erasing run left, since rows of theirs were streamed in lately. */
  readonly waitingUsers: number;
  /** What means something else since the last run, so that the next one stops (R14); absent where nothing does. */
  readonly changed?: string;
  /** Runs in the log that the watermark knows nothing of; absent where there are none. */
  readonly forgotten?: ForgottenRuns;
  /** The tables that will be gone one day and may not be, and when, as ISO 8601. */
  readonly expiring: readonly { readonly table: string; readonly at: string }[];
  readonly runs: readonly RunStatus[];
}

/** One run of an entity, from its log. */
export interface RunStatus {
  readonly runId: string;
  readonly kind: string;
  readonly mergedAt: string;
  readonly rowsRead: number;
  readonly usersRead: number;
  readonly rowsChanged: number;
  readonly badRows: number;
  /** Those of them that no earlier run had found; undefined where the log does not say. */
  readonly newBadRows?: number;
  readonly futureRows: number;
  /** Rows that became visible behind the window of the run; undefined where the log does not say. */
  readonly missedRows?: number;
  /** Rows of final after it; undefined, as what follows, in a log of an earlier version. */
  readonly users?: number;
  /** The BigQuery job that merged. */
  readonly jobId?: string;
  /** What the job that made the batch is billed for; undefined where it could not say. */
  readonly batchBytesBilled?: number;
  /** What the job that merged is billed for. */
  readonly mergeBytesBilled?: number;
  /** From the reading of the batch to the log. */
  readonly readToMergeMs?: number;
}

interface WatermarkRow {
  readonly watermark: string;
  readonly started: boolean;
  readonly bad_rows: number | null;
  readonly reported_rows: number | null;
  readonly missed_rows: number | null;
  readonly missed_from: string | null;
  readonly waiting_users: number | null;
  /** Up to when updates are merged by commit time; null where runs do not go by that. */
  readonly committed_until: string | null;
  readonly recent_runs: readonly {
    run_id: string;
    users_read: number;
    kind: string;
    merged_at: string;
    rows_read: number;
    rows_changed: number;
    bad_rows: number;
    new_bad_rows?: number | null;
    future_rows: number;
    missed_rows?: number | null;
    users?: number | null;
    job_id?: string | null;
    batch_bytes_billed?: number | null;
    merge_bytes_billed?: number | null;
    read_to_merge_ms?: number | null;
  }[];
}

/** Reads how an entity stands; reads no more of the updates than came after the watermark. */
export async function readStatus(warehouse: Warehouse, entity: EntityModel): Promise<EntityStatus> {
  const empty = {
    entity: entity.name,
    watermark: null,
    waiting: null,
    lagSeconds: null,
    users: null,
    badRows: 0,
    reportedRows: 0,
    missedRows: 0,
    missedFrom: null,
    waitingUsers: 0,
    runs: [],
  };
  const { tombstones } = entity.tables;
  const places = [
    placeOf(entity, "final"),
    placeOf(entity, "watermark"),
    ...(tombstones === undefined ? [] : [{ dataset: entity.dataset, table: tombstones }]),
  ];
  const tables = await Promise.all(
    places.map(async (place) => [place, await findTable(tableOf(warehouse, place))] as const),
  );
  const [final, watermark] = tables.map(([, live]) => live);
  const progress = await readWatermark(warehouse, entity, watermark);
  const isBegun = (progress?.recent_runs ?? []).length > 0;
  const known = {
    ...empty,
    forgotten: isBegun ? undefined : await findForgottenRuns(warehouse, entity),
    expiring: expiringOf(tables),
  };
  if (final === undefined) return { ...known, state: "no tables" };
  const users = await count(warehouse, `FROM ${name(warehouse, entity, "final")}`);
  if (progress === undefined) return { ...known, state: "never run", users };
  const shown = entity.mergeEvery === undefined ? progress : await readShown(warehouse, entity, progress);
  const { waiting, lagSeconds } = await readWaiting(warehouse, entity, shown);
  return {
    ...known,
    state: stateOf(progress, waiting),
    watermark: progress.started ? progress.watermark : null,
    waiting,
    lagSeconds,
    users,
    badRows: Number(progress.bad_rows ?? progress.recent_runs[0]?.bad_rows ?? 0),
    reportedRows: Number(progress.reported_rows ?? 0),
    missedRows: Number(progress.missed_rows ?? 0),
    missedFrom: progress.missed_from,
    waitingUsers: Number(progress.waiting_users ?? 0),
    runs: progress.recent_runs.map(runStatus),
  };
}

/** What is to be said of an entity that has run; that all is read only where that is known. */
function stateOf(
  { recent_runs: [last], missed_rows }: WatermarkRow,
  waiting: number | null,
): EntityStatus["state"] {
  if (last === undefined) return "never run";
  if ((missed_rows ?? 0) > 0) return "rows missed";
  if (waiting === null) return "unknown";
  if (waiting > 0) return "behind";
  return last.missed_rows === null ? "unknown" : "up to date";
}

/** The runs of an entity that are logged in its watermark, newest first, and where that stands; no table of rows is read. */
export async function readRuns(
  warehouse: Warehouse,
  entity: EntityModel,
): Promise<Pick<EntityStatus, "watermark" | "waitingUsers" | "runs">> {
  const live = await findTable(tableOf(warehouse, placeOf(entity, "watermark")));
  const progress = await readWatermark(warehouse, entity, live);
  if (progress === undefined) return { watermark: null, waitingUsers: 0, runs: [] };
  return {
    watermark: progress.started ? progress.watermark : null,
    waitingUsers: Number(progress.waiting_users ?? 0),
    runs: progress.recent_runs.map(runStatus),
  };
}

/** The entities that begin where they are: no run has been, and final has no rows. */
export async function findBeginning(
  warehouse: Warehouse,
  entities: readonly EntityModel[],
): Promise<readonly EntityModel[]> {
  const isBeginning = entities.map(async (entity) => {
    const { watermark } = await readRuns(warehouse, entity);
    return watermark === null && (await countFinal(warehouse, entity)) === 0;
  });
  const answers = await Promise.all(isBeginning);
  return entities.filter((_, index) => answers[index]);
}

/** The rows of final, as its metadata says; 0 where there is no such table. */
export async function countFinal(warehouse: Warehouse, { dataset, tables }: EntityModel): Promise<number> {
  const final = await findTable(tableOf(warehouse, { dataset, table: tables.final }));
  return Number(final?.numRows ?? 0);
}

/** Of the tables that may never expire those that will (R10): the dataset's default gives a table made by a run such a time. */
function expiringOf(
  tables: readonly (readonly [Place, TableMetadataFound | undefined])[],
): EntityStatus["expiring"] {
  return tables.flatMap(([place, live]) =>
    live?.expirationTime === undefined
      ? []
      : [{ table: placeText(place), at: new Date(Number(live.expirationTime)).toISOString() }],
  );
}

/** What is said of rows of final where no run is known that made them (R5). */
export function describeUnknownRows(rows: number, entity: string): string {
  return `final has ${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"} and no run is known that made them: the watermark was lost, and the next run reads all history, which has to be a rebuild where a key, clock or policy has changed since; or they are another tool's, see npm run adopt -- ${entity} --plan`;
}

function runStatus(run: WatermarkRow["recent_runs"][number]): RunStatus {
  return {
    runId: run.run_id,
    kind: run.kind,
    mergedAt: run.merged_at,
    rowsRead: Number(run.rows_read),
    usersRead: Number(run.users_read),
    rowsChanged: Number(run.rows_changed),
    badRows: Number(run.bad_rows),
    ...(run.new_bad_rows === undefined || run.new_bad_rows === null
      ? {}
      : { newBadRows: Number(run.new_bad_rows) }),
    futureRows: Number(run.future_rows),
    ...known("missedRows", run.missed_rows, Number),
    ...known("users", run.users, Number),
    ...known("jobId", run.job_id, String),
    ...known("batchBytesBilled", run.batch_bytes_billed, Number),
    ...known("mergeBytesBilled", run.merge_bytes_billed, Number),
    ...known("readToMergeMs", run.read_to_merge_ms, Number),
  };
}

/** A property where the log has a value for it. */
function known<Name extends string, Value>(
  name: Name,
  value: unknown,
  convert: (value: unknown) => Value,
): { readonly [name in Name]?: Value } {
  return value === null || value === undefined ? {} : ({ [name]: convert(value) } as Record<Name, Value>);
}

async function readWatermark(
  warehouse: Warehouse,
  entity: EntityModel,
  live: TableMetadataFound | undefined,
): Promise<WatermarkRow | undefined> {
  const has = (column: string) => (live?.schema?.fields ?? []).some(({ name }) => name === column);
  // A table of somebody else says nothing of runs.
  if (!has("recent_runs")) return undefined;
  const listed = (condition: string) =>
    has("known_bad_rows")
      ? `(SELECT IFNULL(SUM(bad_row.row_count), 0) FROM UNNEST(known_bad_rows) AS bad_row WHERE ${condition})`
      : "CAST(NULL AS INT64)";
  const missed = has("missed_from")
    ? "missed_rows, FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%E6SZ', missed_from) AS missed_from"
    : "CAST(NULL AS INT64) AS missed_rows, CAST(NULL AS STRING) AS missed_from";
  const committed = has("committed_until")
    ? "CAST(committed_until AS STRING) AS committed_until"
    : "CAST(NULL AS STRING) AS committed_until";
  const waiting = has("waiting_users") ? "waiting_users" : "CAST(NULL AS INT64) AS waiting_users";
  const query = `SELECT
  CAST(watermark AS STRING) AS watermark,
  watermark > TIMESTAMP '1900-01-01 00:00:00+00' AS started,
  ${listed("bad_row.is_bad")} AS bad_rows,
  ${listed("NOT bad_row.is_bad")} AS reported_rows,
  ${missed},
  ${waiting},
  ${committed},
  recent_runs
FROM ${name(warehouse, entity, "watermark")}`;
  const [rows] = await warehouse.client.query({ query });
  return plain(rows[0]) as WatermarkRow | undefined;
}

/** Up to where updates are in what people read. */
type Shown = Pick<WatermarkRow, "watermark" | "committed_until">;

/** Up to where the views show updates, between merges too (R13). */
async function readShown(warehouse: Warehouse, entity: EntityModel, progress: WatermarkRow): Promise<Shown> {
  const temp = await findTable(tableOf(warehouse, { dataset: entity.dataset, table: entity.tables.temp }));
  if (temp === undefined) return progress;
  const query = `SELECT CAST(stamp AS STRING) AS watermark, CAST(until AS STRING) AS committed_until
FROM (
  SELECT GREATEST(TIMESTAMP '${progress.watermark}', IFNULL(MAX(_batch.newest_ingest), TIMESTAMP '${progress.watermark}')) AS stamp, ${entity.readsCommits ? "MAX(_batch.committed_until)" : "NULL"} AS until
  FROM ${name(warehouse, entity, "temp")}
)`;
  const [rows] = await warehouse.client.query({ query });
  return plain(rows[0]) as Shown;
}

/** What waits in the updates: by commit time where runs go by that, of which BigQuery tells as much as they would read; not known where they may not be read so, as with a filter required for partitions of another column. */
async function readWaiting(
  warehouse: Warehouse,
  entity: EntityModel,
  { watermark, committed_until: until }: Shown,
): Promise<Pick<EntityStatus, "waiting" | "lagSeconds">> {
  const [updates, stamp] = [name(warehouse, entity, "updates"), `updates.${entity.ingest.quoted}`];
  const byCommit = entity.readsCommits && until !== null;
  const query = `SELECT
  COUNT(*) AS waiting,
  IFNULL(TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), MIN(${byCommit ? "updates._CHANGE_TIMESTAMP" : stamp}), SECOND), 0) AS lag_seconds
${
  byCommit
    ? `FROM APPENDS(TABLE ${updates}, TIMESTAMP '${until}') AS updates WHERE ${mergeSql.anyPartition(stamp)}`
    : `FROM ${updates} AS updates
WHERE ${stamp} > TIMESTAMP '${watermark}' AND ${stamp} <= CURRENT_TIMESTAMP()`
}`;
  const [rows] = await warehouse.client.query({ query }).catch((error: unknown) => {
    if ([400, 403, 404].includes(Number(codeOf(error)))) return [[undefined]];
    throw error;
  });
  const row = rows[0] as { waiting: unknown; lag_seconds: unknown } | undefined;
  if (row === undefined) return { waiting: null, lagSeconds: null };
  return { waiting: Number(row.waiting), lagSeconds: Number(row.lag_seconds) };
}

async function count(warehouse: Warehouse, from: string): Promise<number> {
  const [rows] = await warehouse.client.query({ query: `SELECT COUNT(*) AS row_count ${from}` });
  return Number((rows[0] as { row_count: unknown }).row_count);
}

function name(
  warehouse: Warehouse,
  entity: EntityModel,
  table: "updates" | "watermark" | "final" | "runs" | "temp",
): string {
  return sqlName(warehouse, placeOf(entity, table));
}

/** The entity's runs of the last days, oldest first, as the log has them: a column that it does not have yet is undefined. */
export async function readRunLog(
  warehouse: Warehouse,
  entity: EntityModel,
  days: number,
): Promise<readonly RunLogRow[]> {
  const runs = tableOf(warehouse, { dataset: entity.dataset, table: entity.tables.runs });
  if ((await findTable(runs)) === undefined) return [];
  const query = `SELECT * FROM ${name(warehouse, entity, "runs")}
WHERE merged_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL ${days} DAY)
ORDER BY merged_at`;
  const [rows] = await warehouse.client.query({ query });
  return rows.map((row) => plain(row) as RunLogRow);
}

/** One row of `<entity>_runs`, as far as pages show it. */
export interface RunLogRow {
  readonly kind: string;
  readonly read_at: string;
  readonly merged_at: string;
  readonly watermark_after: string;
  readonly rows_read: number;
  readonly rows_changed: number;
  readonly bad_rows: number;
  readonly future_rows: number;
  readonly missed_rows?: number | null;
  readonly users?: number | null;
  readonly batch_bytes_billed?: number | null;
  readonly merge_bytes_billed?: number | null;
  readonly read_to_merge_ms?: number | null;
}
