import type { Contender, Ground } from "./contender.ts";
import { attributes, columnsOf } from "./data.ts";

/** The DDL of the updates as all contenders have them. */
function updatesDdl({ dataset, size }: Ground): string {
  const columns = columnsOf(size.attributes).map(({ name, type }) => `${name} ${sqlType(type)}`);
  return `CREATE TABLE ${dataset}.updates (${columns.join(", ")}) PARTITION BY DATE(ingestTimestamp) CLUSTER BY userId`;
}

function sqlType(type: string): string {
  return { INTEGER: "INT64", FLOAT: "FLOAT64", BOOLEAN: "BOOL" }[type] ?? type;
}

function finalDdl({ dataset, size }: Ground): string {
  const columns = columnsOf(size.attributes).map(({ name, type }) => `${name} ${sqlType(type)}`);
  return `CREATE TABLE ${dataset}.final (${columns.join(", ")}) CLUSTER BY userId`;
}

const TABLES = { updates: "updates", result: "final", final: "final" } as const;

function byStatements(ground: Ground, name: string, statements: () => readonly string[]): Contender {
  const { client } = ground;
  return {
    name,
    ...TABLES,
    prepare: async () => {
      await client.query(updatesDdl(ground));
      await client.query(finalDdl(ground));
    },
    run: async () => {
      for (const sql of statements()) await client.query(sql);
    },
  };
}

/** Each attribute's newest value by a window over the user's updates, one row a user. */
function windowGather({ size }: Ground, from: string): string {
  const newest = attributes(size.attributes).map(
    ({ name }) => `  LAST_VALUE(${name} IGNORE NULLS) OVER updates_of_user AS ${name}`,
  );
  return `SELECT DISTINCT
  userId,
  LAST_VALUE(ingestTimestamp) OVER updates_of_user AS ingestTimestamp,
${newest.join(",\n")}
FROM ${from}
WINDOW updates_of_user AS (
  PARTITION BY userId ORDER BY ingestTimestamp ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
)`;
}

/**
 * The tool that this project replaces, by the pattern of its SQL: a temp table gathered by windows from the updates since the newest
 * stamp in final, then a MERGE that takes each attribute by CASE. No versions: a late row overwrites what is newer.
 */
export function replacedTool(ground: Ground, name: string): Contender {
  const { dataset, size } = ground;
  const sets = attributes(size.attributes).map(
    ({ name: column }) =>
      `  ${column} = CASE WHEN temp.${column} IS NOT NULL THEN temp.${column} ELSE final.${column} END`,
  );
  return byStatements(ground, name, () => [
    `DECLARE newest TIMESTAMP DEFAULT (
  SELECT IFNULL(MAX(ingestTimestamp), TIMESTAMP '1900-01-01') FROM ${dataset}.final
);
CREATE OR REPLACE TABLE ${dataset}.temp AS
${windowGather(ground, `(SELECT * FROM ${dataset}.updates WHERE ingestTimestamp > newest)`)}`,
    `MERGE ${dataset}.final AS final
USING ${dataset}.temp AS temp
ON final.userId = temp.userId
WHEN MATCHED THEN UPDATE SET
  ingestTimestamp = temp.ingestTimestamp,
${sets.join(",\n")}
WHEN NOT MATCHED THEN INSERT ROW`,
  ]);
}

/** Dataform's own incremental table with a uniqueKey: its MERGE over a query that joins the table with itself and takes COALESCE. */
export function dataformIncremental(ground: Ground, name: string): Contender {
  const { dataset, size } = ground;
  const columns = columnsOf(size.attributes).map((column) => column.name);
  const merged = attributes(size.attributes).map(
    ({ name: column }) => `  COALESCE(batch.${column}, self.${column}) AS ${column}`,
  );
  return byStatements(ground, name, () => [
    `DECLARE newest TIMESTAMP DEFAULT (
  SELECT IFNULL(MAX(ingestTimestamp), TIMESTAMP '1900-01-01') FROM ${dataset}.final
);
MERGE ${dataset}.final AS T
USING (
SELECT
  userId,
  batch.ingestTimestamp,
${merged.join(",\n")}
FROM (
${windowGather(ground, `(SELECT * FROM ${dataset}.updates WHERE ingestTimestamp > newest)`)}
) AS batch
LEFT JOIN ${dataset}.final AS self USING (userId)
) AS S
ON T.userId = S.userId
WHEN MATCHED THEN UPDATE SET ${columns.map((column) => `${column} = S.${column}`).join(", ")}
WHEN NOT MATCHED THEN INSERT (${columns.join(", ")}) VALUES (${columns.join(", ")})`,
  ]);
}

/** Everything computed again from all updates, at every run. */
export function fullRecompute(ground: Ground, name: string): Contender {
  const { dataset, size } = ground;
  const newest = attributes(size.attributes).map(
    ({ name: column }) =>
      `  ARRAY_AGG(${column} IGNORE NULLS ORDER BY ingestTimestamp DESC LIMIT 1)[SAFE_OFFSET(0)] AS ${column}`,
  );
  return byStatements(ground, name, () => [
    `CREATE OR REPLACE TABLE ${dataset}.final CLUSTER BY userId AS
SELECT
  userId,
  MAX(ingestTimestamp) AS ingestTimestamp,
${newest.join(",\n")}
FROM ${dataset}.updates
GROUP BY userId`,
  ]);
}
