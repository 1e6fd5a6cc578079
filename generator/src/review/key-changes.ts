import { mergeSql } from "../generate/merge-sql.ts";
import type { EntityModel } from "../generate/model.ts";
import { type Change, code, INIT, type Need } from "./changes.ts";
import { hasNewTable } from "./field-changes.ts";
import { byOwner, changeUpdates, type Pair, quoted, tableName } from "./pair.ts";

/** Another key: final is made anew by it, and its users are carried over where columns only have another name (R14). */
export function compareKey({ before, after }: Pair, projectId: string): readonly Change[] {
  const [old, now] = [before, after].map((model) =>
    model.keys.map(({ name }) => name.toLowerCase()).join(", "),
  );
  if (old === now) return [];
  const show = (model: EntityModel) => model.keys.map(({ name }) => code(name)).join(", ");
  const final = code(after.tables.final);
  const isNew = hasNewTable(before, after, "final");
  const needs: Need[] = isNew ? [INIT] : [INIT, { step: "rebuild", reason: "key" }];
  const carried = renamedKeys(before, after);
  if (carried.length > 0 && !hasNewTable(before, after, "updates")) {
    needs.push({
      step: "fill",
      text: `Carry the keys over, once the last updates by the old name are there and out of the streaming buffer: a rebuild stops where updates have only the old key.${byOwner(after)}`,
      sql: changeUpdates(after, projectId, (table) => carryKeys(table, after, carried)),
    });
  }
  const untold = newKeys(before, after).filter((name) => !carried.some(([, to]) => to === name));
  if (untold.length > 0 && !hasNewTable(before, after, "updates")) {
    const names = untold.map(code).join(", ");
    needs.push({
      step: "fill",
      text: `Say ${names} of the updates that lack it, by UPDATE statements of your own: nothing here knows whose they are, and a rebuild stops where updates have the old key and lack the new one. Or give the entity a new updates table.${byOwner(after)}`,
    });
  }
  if (before.deletes !== undefined) {
    needs.unshift({
      step: "before",
      text: `Drop ${code(tableName(before, "tombstones"))}: it keeps hashes of the old key. The deletes that the updates still hold are read again; a user whose updates were erased is remembered no more.`,
      sql: [`DROP TABLE IF EXISTS \`${projectId}.${tableName(before, "tombstones")}\`;`],
    });
  }
  return [
    {
      path: "key",
      kind: "changed",
      what: `${show(before)} -> ${show(after)}`,
      means: isNew
        ? `${final} is new, and filled from all history by the new key`
        : `${final} has one row per old key, and a run before the rebuild would mix both; it stays clustered by the old one`,
      needs,
    },
  ];
}

/** A REQUIRED column that the schema has no longer stays in the updates, and BigQuery goes on to refuse rows without it. */
export function compareRequired({ before, after }: Pair, projectId: string): readonly Change[] {
  if (hasNewTable(before, after, "updates")) return [];
  const kept = new Set(after.columns.map(({ name }) => name.toLowerCase()));
  const gone = before.columns.filter(
    ({ field, name }) => field.mode === "REQUIRED" && !kept.has(name.toLowerCase()),
  );
  return gone.map((column) => ({
    path: column.name,
    kind: "changed",
    what: "REQUIRED, and no longer in the schema",
    means: `${code(after.tables.updates)} keeps the column, and BigQuery refuses rows that leave it out`,
    needs: [
      {
        step: "fill",
        text: `Let producers leave ${code(column.name)} out.${byOwner(after)}`,
        sql: changeUpdates(
          after,
          projectId,
          (table) => `ALTER TABLE \`${table}\` ALTER COLUMN ${quoted(column)} DROP NOT NULL;`,
        ),
      },
    ],
  }));
}

/** The columns of the key that were none of it before, as SQL writes them. */
function newKeys(before: EntityModel, after: EntityModel): readonly string[] {
  const old = new Set(before.keys.map(({ name }) => name.toLowerCase()));
  return after.keys.filter(({ name }) => !old.has(name.toLowerCase())).map(quoted);
}

/** The key columns that have another name now, as [before, after]: of the same types, in the same places. */
function renamedKeys(before: EntityModel, after: EntityModel): readonly (readonly [string, string])[] {
  const has = ({ columns }: EntityModel, name: string) =>
    columns.some((column) => column.name.toLowerCase() === name.toLowerCase());
  const gone = before.keys.filter(({ name }) => !has(after, name));
  const come = after.keys.filter(({ name }) => !has(before, name));
  const isSame =
    gone.length === come.length && gone.every((key, at) => key.field.type === come[at]?.field.type);
  return isSame ? gone.map((key, at) => [quoted(key), quoted(come[at] ?? key)] as const) : [];
}

function carryKeys(
  table: string,
  { ingest }: EntityModel,
  carried: readonly (readonly [string, string])[],
): string {
  const sets = carried.map(([from, to]) => `${to} = ${from}`).join(", ");
  const lacks = carried.map(([from, to]) => `${to} IS NULL AND ${from} IS NOT NULL`).join(" AND ");
  return `UPDATE \`${table}\` SET ${sets} WHERE ${lacks} AND ${quoted(ingest)} >= ${mergeSql.START};`;
}
