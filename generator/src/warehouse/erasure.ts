import type { Key } from "../../scaffold/includes/merge.js";
import { describeEntity } from "../generate/describe.ts";
import { mergeSql } from "../generate/merge-sql.ts";
import { type EntityModel, type Place, placeOf, placeText } from "../generate/model.ts";
import { codeOf, messageOf, wrongUsage } from "../project/errors.ts";
import { findTable, sqlName, tableOf, type Warehouse } from "./client.ts";

/** What an entity's tables still hold of one user. */
export interface ErasureReport {
  readonly entity: string;
  readonly key: Readonly<Record<string, string>>;
  /** Rows of the user, by table. */
  readonly rows: readonly { readonly table: string; readonly rows: number }[];
  /** Everything up to this time is deleted; null where the user was never deleted. */
  readonly deletedUpTo: string | null;
  /** True when no table holds a row of the user; a tombstone holds no personal data. */
  readonly isErased: boolean;
  /** True where producers can delete users of the entity. */
  readonly canDelete: boolean;
  /** The updates' table where it is others', and is only read: nothing here removes its rows. */
  readonly source?: string;
}

/** Looks for a user in every table of the entity that can hold one. */
export async function readErasure(
  warehouse: Warehouse,
  entity: EntityModel,
  values: readonly string[],
): Promise<ErasureReport> {
  if (values.length !== entity.keys.length) {
    const names = entity.keys.map((key) => `<${key.name}>`).join(" ");
    throw wrongUsage(
      `erasure: ${entity.name} has ${entity.keys.length === 1 ? "1 key column" : `${entity.keys.length} key columns`}; write erasure ${entity.name} ${names}`,
    );
  }
  await checkKey(warehouse, entity, values);
  const rows = [];
  const partitions = mergeSql.anyPartition(`stored.${entity.ingest.quoted}`);
  for (const role of ["updates", "temp", "final"] as const) {
    const place = placeOf(entity, role);
    rows.push({ table: place.table, rows: await countRows(warehouse, entity, place, values, partitions) });
  }
  const findings = { dataset: entity.dataset, table: entity.tables.auditFindings };
  const found = await countRows(warehouse, entity, findings, values, "TRUE");
  if (found > 0) rows.push({ table: `${findings.table}, until the next audit`, rows: found });
  const listed = await countListed(warehouse, entity, values);
  if (listed > 0) rows.push({ table: `${entity.tables.watermark}, listed bad rows`, rows: listed });
  return {
    entity: entity.name,
    key: Object.fromEntries(entity.keys.map((key, index) => [key.name, values[index] ?? ""])),
    rows,
    deletedUpTo: await readTombstone(warehouse, entity, values),
    isErased: rows.every((found) => found.rows === 0),
    canDelete: entity.deletes !== undefined,
    ...(entity.source === undefined ? {} : { source: placeText(placeOf(entity, "updates")) }),
  };
}

/**
 * Reads the key alone first: in a condition BigQuery need not look at a value that cannot be read, and would find no row
 * of a user whom nobody named.
 */
async function checkKey(warehouse: Warehouse, entity: EntityModel, values: readonly string[]): Promise<void> {
  const parts = entity.keys.map((_, index) => keyValue(entity, index));
  await query(warehouse, entity, values, `SELECT ${parts.join(", ")}`).catch((error: unknown) => {
    if (codeOf(error) !== 400) throw error;
    throw wrongUsage(`erasure: not a key of ${entity.name}: ${messageOf(error)}`);
  });
}

async function countRows(
  warehouse: Warehouse,
  entity: EntityModel,
  place: Place,
  values: readonly string[],
  partitions: string,
): Promise<number> {
  if ((await findTable(tableOf(warehouse, place))) === undefined) return 0;
  const condition = mergeSql.keysMatch(sqlKeys(entity), "stored", (_, index) => keyValue(entity, index));
  const where = `${partitions} AND ${condition}`;
  const [found] = await query(
    warehouse,
    entity,
    values,
    `SELECT COUNT(*) AS row_count FROM ${sqlName(warehouse, place)} AS stored WHERE ${where}`,
  );
  return Number(found?.row_count ?? 0);
}

/** Bad rows of the user that runs have listed, with what the list says of them (R12): it keeps a key until it is settled or erased. */
async function countListed(
  warehouse: Warehouse,
  entity: EntityModel,
  values: readonly string[],
): Promise<number> {
  const place = placeOf(entity, "watermark");
  const live = await findTable(tableOf(warehouse, place));
  if (!(live?.schema?.fields ?? []).some(({ name }) => name === "known_bad_rows")) return 0;
  const hash = mergeSql.keyHash(sqlKeys(entity), (_, index) => keyValue(entity, index));
  const sql = `SELECT COUNT(*) AS row_count FROM ${sqlName(warehouse, place)} AS progress, UNNEST(progress.known_bad_rows) AS listed WHERE listed.key_hash = ${hash}`;
  const [found] = await query(warehouse, entity, values, sql);
  return Number(found?.row_count ?? 0);
}

async function readTombstone(
  warehouse: Warehouse,
  entity: EntityModel,
  values: readonly string[],
): Promise<string | null> {
  const table = entity.tables.tombstones;
  if (table === undefined) return null;
  if ((await findTable(tableOf(warehouse, { dataset: entity.dataset, table }))) === undefined) return null;
  const hash = mergeSql.keyHash(sqlKeys(entity), (_, index) => keyValue(entity, index));
  const sql = `SELECT CAST(MAX(version) AS STRING) AS version FROM ${sqlName(warehouse, { dataset: entity.dataset, table })} WHERE key_hash = ${hash}`;
  const [found] = await query(warehouse, entity, values, sql);
  return typeof found?.version === "string" ? found.version : null;
}

/** The key's columns, as the functions take them that the merge itself is made of: a copy that drifts would miss a user's rows. */
function sqlKeys(entity: EntityModel): readonly Key[] {
  return describeEntity(entity).keys;
}

/** The key as it stands in a file of updates: BYTES are base64 there. */
function keyValue(entity: EntityModel, index: number): string {
  if (entity.keys[index]?.field.type === "BYTES") return `FROM_BASE64(@key${index})`;
  return `CAST(@key${index} AS ${entity.keys[index]?.field.type ?? "STRING"})`;
}

async function query(
  warehouse: Warehouse,
  entity: EntityModel,
  values: readonly string[],
  sql: string,
): Promise<Record<string, unknown>[]> {
  const params = Object.fromEntries(entity.keys.map((_, index) => [`key${index}`, values[index] ?? ""]));
  const [rows] = await warehouse.client.query({ query: sql, params });
  return rows as Record<string, unknown>[];
}
