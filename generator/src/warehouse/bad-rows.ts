import { describeEntity } from "../generate/describe.ts";
import { mergeSql } from "../generate/merge-sql.ts";
import { type EntityModel, ownsUpdates, placeOf, placeText } from "../generate/model.ts";
import { findTable, sqlName, tableOf, type Warehouse } from "./client.ts";
import { plain } from "./plain.ts";

/** Updates of one reason with the same key and timestamps that runs kept out of final, or only report (R4, R5, R12). */
export interface BadRows {
  readonly reason: string;
  /** Their key, timestamps and cleared fields, as JSON. */
  readonly details: string;
  readonly rows: number;
  /** They never reach final; the others did. */
  readonly isBad: boolean;
  /** When a run first found one. */
  readonly firstSeen: string;
  /** How many of them the updates still hold. */
  readonly left: number;
  /** The statements that remove them from the updates, where those are the project's own, and the user's tombstone where that is of a time to come. */
  readonly removal: readonly string[];
  /** The updates' table where it is others', or another environment's, and is only read: its owner removes them. */
  readonly owner?: string;
}

interface Listed {
  readonly reason: string;
  readonly details: string;
  readonly row_count: number;
  readonly is_bad: boolean;
  readonly first_seen: string;
  readonly rows_left: number;
  readonly stamp: string | null;
  readonly key_hash: string;
}

/** What an entity's runs have listed, the newest first, beside what of it is still in the updates. */
export async function readBadRows(warehouse: Warehouse, entity: EntityModel): Promise<readonly BadRows[]> {
  const watermark = await findTable(tableOf(warehouse, placeOf(entity, "watermark")));
  if (!(watermark?.schema?.fields ?? []).some(({ name }) => name === "known_bad_rows")) return [];
  const place = (role: "watermark" | "updates") => sqlName(warehouse, placeOf(entity, role));
  const tombstones = entity.tables.tombstones;
  const [updates, ingest] = [place("updates"), `updates.${entity.ingest.quoted}`];
  const described = describeEntity(entity);
  const isOwn = ownsUpdates(entity, warehouse.project.environment);
  const owner = isOwn ? undefined : placeText(placeOf(entity, "updates"));
  const details = mergeSql.details(described);
  // The days are read in which listed updates are, and no other.
  const query = `DECLARE stamps ARRAY<TIMESTAMP> DEFAULT ARRAY(
  SELECT DISTINCT listed.ingest_timestamp FROM ${place("watermark")}, UNNEST(known_bad_rows) AS listed
  WHERE listed.ingest_timestamp IS NOT NULL
);
WITH left_over AS (
  SELECT ${details} AS details, COUNT(*) AS row_count
  FROM ${updates} AS updates
  WHERE ${ingest} IN UNNEST(stamps) OR ${ingest} IS NULL
  GROUP BY details
)
SELECT
  listed.reason, listed.details, listed.row_count, listed.is_bad, listed.key_hash, IFNULL(left_over.row_count, 0) AS rows_left,
  CAST(listed.first_seen AS STRING) AS first_seen,
  CAST(listed.ingest_timestamp AS STRING) AS stamp
FROM ${place("watermark")}
CROSS JOIN UNNEST(known_bad_rows) AS listed
LEFT JOIN left_over ON left_over.details = listed.details
ORDER BY listed.first_seen DESC, listed.details`;
  const [rows] = await warehouse.client.query({ query });
  return rows.map((row) => {
    const listed = plain(row) as Listed;
    const stamp = listed.stamp === null ? `${ingest} IS NULL` : `${ingest} = TIMESTAMP '${listed.stamp}'`;
    const countsFrom = versionsOf(entity, listed).map((version) => `TIMESTAMP '${version}'`);
    return {
      reason: listed.reason,
      details: listed.details,
      rows: Number(listed.row_count),
      isBad: listed.is_bad,
      firstSeen: listed.first_seen,
      left: Number(listed.rows_left),
      removal: [
        ...(isOwn
          ? [
              `DELETE FROM ${updates} AS updates WHERE ${stamp} AND ${details} = ${mergeSql.literal(listed.details)};`,
            ]
          : []),
        ...(listed.is_bad || tombstones === undefined
          ? []
          : [
              `DELETE FROM ${sqlName(warehouse, { dataset: entity.dataset, table: tombstones })} WHERE ${entity.hasClearFloors ? `STARTS_WITH(key_hash, '${listed.key_hash}')` : `key_hash = '${listed.key_hash}'`} AND (version > CURRENT_TIMESTAMP() OR version IN (${countsFrom.join(", ")}));`,
              `UPDATE ${place("watermark")} SET gone_users = (SELECT COUNT(*) FROM ${sqlName(warehouse, { dataset: entity.dataset, table: tombstones })}) WHERE TRUE;`,
            ]),
      ],
      ...(owner === undefined ? {} : { owner }),
    };
  });
}

/** The times from which a listed update may count, and so what it deleted or cleared: its ingest timestamp, and the event timestamp that it says (R4). */
function versionsOf({ event }: EntityModel, { stamp, details }: Listed): readonly string[] {
  const said = event === undefined ? undefined : parseDetails(details)[event.name];
  return [stamp, said].filter((version) => typeof version === "string");
}

/** Nothing where they are cut. */
function parseDetails(details: string): Record<string, unknown> {
  try {
    return JSON.parse(details) as Record<string, unknown>;
  } catch {
    return {};
  }
}
