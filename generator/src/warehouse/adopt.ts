import type { TableField } from "@google-cloud/bigquery";
import type { Entity, Leaf } from "../../scaffold/includes/merge.js";
import { describeEntity } from "../generate/describe.ts";
import { mergeSql } from "../generate/merge-sql.ts";
import { type EntityModel, placeOf } from "../generate/model.ts";
import type { TreeNode } from "../generate/nodes.ts";
import { BASE_COLUMN } from "../generate/own-tables.ts";
import { CommandError } from "../project/errors.ts";
import { findTable, sqlName, tableOf, type Warehouse } from "./client.ts";
import { hasOldVersions } from "./old-versions.ts";
import { findStrangers } from "./schema-diff.ts";
import { tableSpecs } from "./tables.ts";

/** What another tool's tables hold, as far as it decides what this one's final becomes. */
export interface Adoption {
  readonly model: EntityModel;
  /** Rows of final that no run of ours has made, and their users. */
  readonly rows: number;
  readonly users: number;
  /** Users with more than one row: how many, and the keys of some. */
  readonly twins: { readonly users: number; readonly keys: readonly string[] };
  readonly rowsWithoutKey: number;
  /** Users with updates and without a row. */
  readonly usersWithoutRow: number;
  /** Per attribute with any: values that no update holds, and users whose updates say something else. */
  readonly attributes: readonly {
    readonly path: string;
    readonly onlyInFinal: number;
    readonly otherwise: number;
  }[];
}

/** An attribute with its column in both tables, and the name of the fact whether updates hold it. */
interface Seeded {
  readonly leaf: Leaf;
  readonly has: string;
  /** Whether its value in final is to be appended. */
  readonly isSeed: string;
}

/** The row of final, of which a user may have several: the newest stands last. */
const ROW = "adopted.final";
const SHOWN_KEYS = 5;

/**
 * Compares final with the updates, as the tables are. Undefined where no row of final is another tool's. Throws a CommandError where the
 * tables cannot be adopted, with what would make it possible.
 */
export async function planAdoption(warehouse: Warehouse, model: EntityModel): Promise<Adoption | undefined> {
  const [updates, final] = await Promise.all([
    read(warehouse, model, "updates"),
    read(warehouse, model, "final"),
  ]);
  for (const [table, { fields }] of [
    [model.tables.updates, updates],
    [model.tables.final, final],
  ] as const)
    for (const { name } of table === model.tables.updates
      ? [...model.keys, model.ingest, model.version]
      : model.keys)
      if (find(fields, name) === undefined)
        throw new CommandError(
          `${model.dataset}.${table} has no column ${name}; name the column that it has in entities.json and in the schema`,
        );
  if (updates.expires)
    throw new CommandError(
      `${model.dataset}.${model.tables.updates}: its partitions expire, and what is older than any update would go at once; copy it to a table without expiration first`,
    );
  await refuseLosses(warehouse, model, final.fields);
  const sql = new AdoptionSql(warehouse, model, updates.fields, final.fields);
  const [rows] = await warehouse.client.query({ query: sql.facts() });
  const [facts] = rows as Record<string, unknown>[];
  const count = (name: string): number => Number(facts?.[name] ?? 0);
  if (count("row_count") === 0) return undefined;
  const keys = facts?.twin_keys as readonly string[] | undefined;
  return {
    model,
    rows: count("row_count"),
    users: count("users"),
    twins: { users: count("twins"), keys: keys ?? [] },
    rowsWithoutKey: count("without_key"),
    usersWithoutRow: count("without_row"),
    attributes: sql.leaves
      .map(({ leaf, has }) => ({
        path: leaf.path,
        onlyInFinal: count(`only${has}`),
        otherwise: count(`other${has}`),
      }))
      .filter(({ onlyInFinal, otherwise }) => onlyInFinal + otherwise > 0),
  };
}

/** Throws where final has values that the schema has no place for: the rebuild from updates would empty them. */
async function refuseLosses(
  warehouse: Warehouse,
  model: EntityModel,
  final: readonly TableField[],
): Promise<void> {
  // What an earlier version of this tool has made, init converts.
  if (hasOldVersions(final)) return;
  const wanted = tableSpecs(model).find(({ role }) => role === "final")?.fields ?? [];
  const strangers = findStrangers(final, wanted, "final");
  if (strangers.length === 0) return;
  const counts = strangers.map(({ says }, index) => `COUNTIF(${says}) AS held_${index}`);
  const [rows] = await warehouse.client.query(
    `SELECT ${counts.join(", ")} FROM ${sqlName(warehouse, placeOf(model, "final"))} AS final`,
  );
  const [held = {}] = rows as Record<string, number>[];
  const lost = strangers.flatMap(({ path }, index) => {
    const count = Number(held[`held_${index}`]);
    return count === 0 ? [] : [`${path} (in ${count} ${count === 1 ? "row" : "rows"})`];
  });
  if (lost.length > 0)
    throw new CommandError(
      `${model.dataset}.${model.tables.final}: ${lost.join(", ")}: not in the schema, and the rebuild that adopting ends with would empty it; add it to the schema, or drop it there if nobody needs it`,
    );
}

/** Appends to the updates what only final holds: once the tables are extended, and before final is rebuilt from the updates. */
export async function seedUpdates(warehouse: Warehouse, model: EntityModel): Promise<void> {
  const [updates, final] = await Promise.all([
    read(warehouse, model, "updates"),
    read(warehouse, model, "final"),
  ]);
  await warehouse.client.query({
    query: new AdoptionSql(warehouse, model, updates.fields, final.fields).seed(),
  });
}

/** Throws where final has rows that no run of this project made: without their versions the first run could not tell what is newer. */
export async function refuseUnadopted(
  warehouse: Warehouse,
  { name, dataset, tables }: EntityModel,
): Promise<void> {
  const live = await findTable(tableOf(warehouse, { dataset, table: tables.final }));
  const fields = live?.schema?.fields ?? [];
  // Versions in an older form are a run's too, and init's to convert.
  if (Number(live?.numRows ?? 0) === 0 || hasOldVersions(fields)) return;
  const isUnmade = find(fields, BASE_COLUMN.name) === undefined ? "TRUE" : `${BASE_COLUMN.name} IS NULL`;
  const query = `SELECT COUNTIF(${isUnmade}) AS row_count FROM \`${warehouse.project.projectId}.${dataset}.${tables.final}\``;
  const [found] = await warehouse.client.query({ query });
  const rows = Number((found as { row_count: unknown }[])[0]?.row_count ?? 0);
  if (rows === 0) return;
  throw new CommandError(
    `${dataset}.${tables.final} has ${rows} ${rows === 1 ? "row" : "rows"} that no run of this project made; npm run adopt -- ${name} --plan says how they are taken over`,
  );
}

async function read(
  warehouse: Warehouse,
  { dataset, tables }: EntityModel,
  role: "updates" | "final",
): Promise<{ fields: readonly TableField[]; expires: boolean }> {
  const live = await findTable(tableOf(warehouse, { dataset, table: tables[role] }));
  if (live === undefined)
    throw new CommandError(
      `${dataset}.${tables[role]} is not there; name the table of the other tool under tables.${role} in entities.json`,
    );
  return { fields: live.schema?.fields ?? [], expires: live.timePartitioning?.expirationMs !== undefined };
}

/** The statements for one entity's tables: what of the schema they lack is left out. */
class AdoptionSql {
  readonly #model: EntityModel;
  readonly #entity: Entity;
  readonly #updates: readonly TableField[];
  readonly #final: readonly TableField[];
  readonly #table: (role: "updates" | "final") => string;
  /** The attributes that final has. */
  readonly leaves: readonly Seeded[];

  constructor(
    { project }: Warehouse,
    model: EntityModel,
    updates: readonly TableField[],
    final: readonly TableField[],
  ) {
    this.#model = model;
    this.#entity = describeEntity(model);
    this.#updates = updates;
    this.#final = final;
    this.#table = (role) => `\`${project.projectId}.${model.dataset}.${model.tables[role]}\``;
    const policies = new Map(model.leaves.map(({ dotted, policy }) => [dotted, policy]));
    this.leaves = [...mergeSql.leavesOf(this.#entity).values()]
      .filter(({ path }) => findPath(final, path) !== undefined)
      .map((leaf, index) => {
        const has = `_batch_has_${index}`;
        const value = `NOT (${mergeSql.isEmpty(leaf, `${ROW}.${leaf.column}`)})`;
        // What only the whole history says, such as the greatest value, final may know better than the updates that are left.
        const isSeed =
          policies.get(leaf.path) === "latest" ? `${value} AND NOT IFNULL(history.${has}, FALSE)` : value;
        return { leaf, has, isSeed: `(${isSeed})` };
      });
  }

  /** One row of counts. */
  facts(): string {
    const comparable = this.#entity.clears === undefined && this.#entity.deletes === undefined;
    const others = comparable ? this.leaves.filter((seeded) => this.#isCompared(seeded)) : [];
    const otherwise = others.map(({ leaf, has }) => {
      const [past, now] = [`history.${leaf.alias}.value`, `${ROW}.${leaf.column}`].map((value) =>
        mergeSql.comparable(leaf, value),
      );
      return `COUNTIF(history.${has} AND adopted.is_newest AND TO_JSON_STRING(${past}) != TO_JSON_STRING(${now})) AS other${has}`;
    });
    return `WITH history AS (${this.#history(others.map(({ leaf }) => mergeSql.gatherLatest(this.#entity, leaf)))}),
adopted AS (${this.#adopted()})
SELECT
  COUNT(*) AS row_count,
  COUNT(DISTINCT adopted.key_hash) AS users,
  COUNTIF(adopted.is_newest AND adopted.place > 1) AS twins,
  ARRAY_AGG(IF(adopted.is_newest AND adopted.place > 1, adopted.key_text, NULL) IGNORE NULLS LIMIT ${SHOWN_KEYS}) AS twin_keys,
  (SELECT COUNT(*) FROM ${this.#table("final")} AS final WHERE NOT (${this.#hasKey("final")})) AS without_key,
  (SELECT COUNT(*) FROM history WHERE history.key_hash NOT IN (SELECT adopted.key_hash FROM adopted)) AS without_row,
  ${[...this.leaves.map(({ has, isSeed }) => `COUNTIF(${isSeed}) AS only${has}`), ...otherwise].join(",\n  ")}
FROM adopted
LEFT JOIN history ON history.key_hash = adopted.key_hash`;
  }

  /**
   * What updates do not hold of final becomes updates: values as the oldest there can be, and where final knows of a later time than
   * they do, a row that says the time and nothing else.
   */
  seed(): string {
    const { keys, ingest, event } = this.#model;
    const times = [ingest, ...(event === undefined ? [] : [event])];
    const columns = this.#model.tree.flatMap((node) => {
      const value = this.#value(node, this.#updates);
      return value === undefined ? [] : [{ name: node.quoted, value }];
    });
    const names = [...keys.map(({ quoted }) => quoted), ...times.map(({ quoted }) => quoted)];
    const oldest = `TIMESTAMP_ADD(${mergeSql.START}, INTERVAL adopted.place - 1 MICROSECOND)`;
    const key = keys.map(({ quoted }) => `${ROW}.${quoted}`);
    const from = `FROM adopted LEFT JOIN history ON history.key_hash = adopted.key_hash`;
    const insert = (into: readonly string[], select: readonly string[], where: string): string =>
      `INSERT INTO ${this.#table("updates")} (${into.join(", ")})
WITH history AS (${this.#history([])}),
adopted AS (${this.#adopted()})
SELECT ${select.join(",\n  ")}
${from}
WHERE ${where};`;
    const known = find(this.#final, ingest.name) === undefined ? [] : [ingest];
    const timesOnly = known.map(() =>
      insert(
        names,
        [
          ...key,
          ...times.map(({ name, quoted }) =>
            find(this.#final, name) === undefined
              ? mergeSql.START
              : `IFNULL(${ROW}.${quoted}, ${mergeSql.START})`,
          ),
        ],
        `adopted.is_newest AND ${ROW}.${ingest.quoted} > IFNULL(history.newest, ${mergeSql.START})`,
      ),
    );
    return [
      "BEGIN TRANSACTION;",
      ...timesOnly,
      insert(
        [...names, ...columns.map(({ name }) => name)],
        [...key, ...times.map(() => oldest), ...columns.map(({ value }) => value)],
        this.leaves.map(({ isSeed }) => isSeed).join("\n  OR "),
      ),
      "COMMIT TRANSACTION;",
    ].join("\n\n");
  }

  /** A user's updates: what they hold. */
  #history(more: readonly string[]): string {
    const { keys } = this.#entity;
    const held = this.leaves.map(({ leaf, has }) => {
      const isThere = findPath(this.#updates, leaf.path) !== undefined;
      return `${isThere ? `LOGICAL_OR(NOT (${mergeSql.isEmpty(leaf, `updates.${leaf.column}`)}))` : "FALSE"} AS ${has}`;
    });
    const { ingest, version } = this.#model;
    return `
  SELECT
    ${mergeSql.keyHash(keys, "updates")} AS key_hash,
    ${[`MAX(updates.${ingest.quoted}) AS newest`, ...held, ...more].join(",\n    ")}
  FROM ${this.#table("updates")} AS updates
  WHERE updates.${ingest.quoted} >= ${mergeSql.START}
    AND updates.${version.quoted} IS NOT NULL AND ${this.#hasKey("updates")}
  GROUP BY key_hash
`;
  }

  /** The rows of final that are not ours, each user's newest last. */
  #adopted(): string {
    const { keys } = this.#entity;
    const hash = mergeSql.keyHash(keys, "final");
    const time =
      find(this.#final, this.#model.ingest.name) === undefined ? "" : `final.${this.#model.ingest.quoted}, `;
    const order = `${time}TO_JSON_STRING(final)`;
    const isOurs = find(this.#final, BASE_COLUMN.name) !== undefined;
    return `
  SELECT
    final,
    ${hash} AS key_hash,
    TO_JSON_STRING(STRUCT(${this.#model.keys.map(({ quoted }) => `final.${quoted}`).join(", ")})) AS key_text,
    ROW_NUMBER() OVER (PARTITION BY ${hash} ORDER BY ${order}) AS place,
    ROW_NUMBER() OVER (PARTITION BY ${hash} ORDER BY ${order}) = COUNT(*) OVER (PARTITION BY ${hash}) AS is_newest
  FROM ${this.#table("final")} AS final
  WHERE ${this.#hasKey("final")}${isOurs ? ` AND final.${BASE_COLUMN.name} IS NULL` : ""}
`;
  }

  #hasKey(row: string): string {
    return this.#model.keys.map(({ quoted }) => `${row}.${quoted} IS NOT NULL`).join(" AND ");
  }

  #isCompared({ leaf }: Seeded): boolean {
    const isThere = findPath(this.#updates, leaf.path) !== undefined;
    return (
      isThere && this.#model.leaves.some(({ dotted, policy }) => dotted === leaf.path && policy === "latest")
    );
  }

  /** A column as it is appended: a RECORD's fields in the order in which the updates list them; undefined where there is nothing. */
  #value(node: TreeNode, live: readonly TableField[]): string | undefined {
    if (node.kind === "leaf") {
      const seeded = this.leaves.find(({ leaf }) => leaf.path === node.dotted);
      if (seeded === undefined) return undefined;
      const none = seeded.leaf.elements === undefined ? "NULL" : "[]";
      return `IF(${seeded.isSeed}, ${ROW}.${seeded.leaf.column}, ${none})`;
    }
    const below = this.leaves.filter(({ leaf }) => node.leaves.some(({ dotted }) => dotted === leaf.path));
    if (below.length === 0) return undefined;
    const fields = find(live, node.name)?.fields ?? [];
    const parts = fields.map(({ name = "" }) => {
      const child = node.children.find((one) => one.name.toLowerCase() === name.toLowerCase());
      const value = child === undefined ? undefined : this.#value(child, fields);
      if (child === undefined)
        throw new CommandError(
          `${this.#model.dataset}.${this.#model.tables.updates}: ${node.name} has a field ${name} that the schema lacks; add it to the schema`,
        );
      return `${value ?? "NULL"} AS ${child.quoted}`;
    });
    return `IF(${below.map(({ isSeed }) => isSeed).join(" OR ")}, STRUCT(${parts.join(", ")}), NULL)`;
  }
}

function find(fields: readonly TableField[], name: string): TableField | undefined {
  return fields.find((field) => field.name?.toLowerCase() === name.toLowerCase());
}

/** A column, or a field within RECORDs, by its path, whatever the case. */
export function findPath(fields: readonly TableField[], path: string): TableField | undefined {
  const [name = "", ...rest] = path.split(".");
  const found = find(fields, name);
  return rest.length === 0 || found === undefined ? found : findPath(found.fields ?? [], rest.join("."));
}
