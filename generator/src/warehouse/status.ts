import type { EntityModel } from "../generate/model.ts";
import { findTable, tableOf, type Warehouse } from "./client.ts";
import { plain } from "./plain.ts";

/** How one entity stands. */
export interface EntityStatus {
  readonly entity: string;
  /** Whether its tables exist and a run has been. */
  readonly state: "no tables" | "never run" | "up to date" | "behind";
  readonly watermark: string | null;
  /** Seconds between the watermark and now. */
  readonly lagSeconds: number | null;
  /** Updates that came after the watermark. */
  readonly waiting: number | null;
  readonly users: number | null;
  readonly runs: readonly RunStatus[];
}

/** One run of an entity, from its log. */
interface RunStatus {
  readonly kind: string;
  readonly mergedAt: string;
  readonly rowsRead: number;
  readonly rowsChanged: number;
  readonly badRows: number;
  readonly futureRows: number;
}

interface WatermarkRow {
  readonly watermark: string;
  readonly started: boolean;
  readonly lag_seconds: number;
  readonly recent_runs: readonly {
    kind: string;
    merged_at: string;
    rows_read: number;
    rows_changed: number;
    bad_rows: number;
    future_rows: number;
  }[];
}

/** Reads how an entity stands; reads no more of the updates than came after the watermark. */
export async function readStatus(warehouse: Warehouse, entity: EntityModel): Promise<EntityStatus> {
  const empty = {
    entity: entity.name,
    watermark: null,
    lagSeconds: null,
    waiting: null,
    users: null,
    runs: [],
  };
  const final = await findTable(tableOf(warehouse, { dataset: entity.dataset, table: entity.tables.final }));
  if (final === undefined) return { ...empty, state: "no tables" };
  const watermark = await findTable(
    tableOf(warehouse, { dataset: entity.dataset, table: entity.tables.watermark }),
  );
  const progress = watermark === undefined ? undefined : await readWatermark(warehouse, entity);
  if (progress === undefined) return { ...empty, state: "never run", users: 0 };
  const waiting = await count(
    warehouse,
    `FROM ${name(warehouse, entity, "updates")} WHERE ${entity.ingest.quoted} > TIMESTAMP '${progress.watermark}'`,
  );
  return {
    entity: entity.name,
    state: progress.recent_runs.length === 0 ? "never run" : waiting === 0 ? "up to date" : "behind",
    watermark: progress.started ? progress.watermark : null,
    lagSeconds: progress.started ? progress.lag_seconds : null,
    waiting,
    users: await count(warehouse, `FROM ${name(warehouse, entity, "final")}`),
    runs: progress.recent_runs.map((run) => ({
      kind: run.kind,
      mergedAt: run.merged_at,
      rowsRead: Number(run.rows_read),
      rowsChanged: Number(run.rows_changed),
      badRows: Number(run.bad_rows),
      futureRows: Number(run.future_rows),
    })),
  };
}

async function readWatermark(warehouse: Warehouse, entity: EntityModel): Promise<WatermarkRow | undefined> {
  const query = `SELECT
  CAST(watermark AS STRING) AS watermark,
  watermark > TIMESTAMP '1900-01-01 00:00:00+00' AS started,
  TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), watermark, SECOND) AS lag_seconds,
  recent_runs
FROM ${name(warehouse, entity, "watermark")}`;
  const [rows] = await warehouse.client.query({ query });
  return plain(rows[0]) as WatermarkRow | undefined;
}

async function count(warehouse: Warehouse, from: string): Promise<number> {
  const [rows] = await warehouse.client.query({ query: `SELECT COUNT(*) AS row_count ${from}` });
  return Number((rows[0] as { row_count: unknown }).row_count);
}

function name(warehouse: Warehouse, entity: EntityModel, table: "updates" | "watermark" | "final"): string {
  return `\`${warehouse.project.projectId}.${entity.dataset}.${entity.tables[table]}\``;
}
