import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { CatalogChange } from "../../../src/storage/catalog-change.ts";
import { parseSchema } from "../../../src/storage/schema.ts";
import { openStorage, type Storage } from "../../../src/storage/storage.ts";
import { changeSchema, createTable, dropTable, renameTable } from "../../../src/storage/tables.ts";

const REF = { projectId: "p", datasetId: "d", tableId: "t" };
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function putDataset(change: CatalogChange): void {
  change.putDataset({
    projectId: "p",
    datasetId: "d",
    location: "US",
    creationTime: 1,
    lastModifiedTime: 1,
    kept: {},
  });
}

async function open(file?: string): Promise<Storage> {
  const storage = await openStorage({ file });
  cleanups.push(() => storage.close());
  return storage;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "storage-"));
  cleanups.push(() => rm(path, { recursive: true }));
  return path;
}

async function rows(storage: Storage, sql: string): Promise<unknown> {
  return storage.database.use(async (c) => (await c.runAndReadAll(sql)).getRowsJson());
}

const SCHEMA = parseSchema([
  { name: "id", type: "INT64", mode: "REQUIRED" },
  { name: "r", type: "RECORD", fields: [{ name: "x", type: "STRING" }] },
  { name: "list", type: "RECORD", mode: "REPEATED", fields: [{ name: "n", type: "NUMERIC" }] },
]);

describe("catalog", () => {
  test("a change shows when it commits, and not when it fails", async () => {
    const storage = await open();
    await storage.catalog.change(async (change) => {
      putDataset(change);
      await createTable(change, { ref: REF, schema: SCHEMA });
      expect(change.getTable(REF)?.kind).toBe("TABLE");
      expect(storage.catalog.getTable(REF)).toBeUndefined();
    });
    const entry = storage.catalog.getTable(REF);
    expect(entry?.schema).toEqual(SCHEMA);
    const failing = storage.catalog.change(async (change) => {
      await dropTable(change, change.needTable(REF));
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(storage.catalog.getTable(REF)).toBe(entry);
    expect(await rows(storage, `SELECT count(*) FROM ${entry?.physical}`)).toEqual([["0"]]);
  });

  test("of two changes of one table the second to commit is refused", async () => {
    const storage = await open();
    await storage.catalog.change(async (change) => putDataset(change));
    await storage.catalog.change((change) => createTable(change, { ref: REF, schema: SCHEMA }));
    await storage.database.use(async (connection) => {
      const late = await storage.catalog.begin(connection);
      renameTable(late, late.needTable(REF), "u");
      await storage.catalog.change(async (other) => renameTable(other, other.needTable(REF), "v"));
      await expect(late.commit()).rejects.toThrow(/concurrent update against table p:d\.t/);
    });
    expect(storage.catalog.listTables("p", "d").map((t) => t.ref.tableId)).toEqual(["v"]);
  });

  test("no row that was added while a table was rebuilt is lost", async () => {
    const storage = await open();
    const entry = await storage.catalog.change(async (change) => {
      putDataset(change);
      return createTable(change, { ref: REF, schema: parseSchema([{ name: "a", type: "INT64" }]) });
    });
    const wider = parseSchema([
      { name: "a", type: "INT64" },
      { name: "b", type: "INT64" },
    ]);
    let attempts = 0;
    const changed = await storage.catalog.change(async (change) => {
      attempts += 1;
      const next = await changeSchema(change, change.needTable(REF), wider);
      if (attempts > 1) return next;
      await storage.catalog.change(async (other) => {
        await other.run(`INSERT INTO ${entry.physical} (a) VALUES (7)`);
        other.touch(entry);
      });
      return next;
    });
    expect(attempts).toBe(2);
    expect(await rows(storage, `SELECT * EXCLUDE (_ROW_TIMESTAMP) FROM ${changed.physical}`)).toEqual([
      ["7", null],
    ]);
  });

  test("changes that get in each other's way are made one after the other", async () => {
    const storage = await open();
    await storage.catalog.change(async (change) => {
      putDataset(change);
      await createTable(change, { ref: REF, schema: parseSchema([{ name: "c0", type: "INT64" }]) });
    });
    const addColumn = (index: number): Promise<unknown> =>
      storage.catalog.change(async (change) => {
        const entry = change.needTable(REF);
        await changeSchema(change, entry, [
          ...entry.schema,
          { name: `c${index}`, type: "INTEGER", mode: "NULLABLE" },
        ]);
      });
    const addRow = (value: number): Promise<unknown> =>
      storage.catalog.change(async (change) => {
        const entry = change.needTable(REF);
        await change.run(`INSERT INTO ${entry.physical} (c0) VALUES (${value})`);
        change.touch(entry);
      });
    const values = [1, 2, 3, 4, 5, 6, 7, 8];
    await Promise.all([addColumn(1), ...values.map(addRow), addColumn(2)]);
    const entry = storage.catalog.getTable(REF);
    expect(entry?.schema.map((field) => field.name).sort()).toEqual(["c0", "c1", "c2"]);
    expect(await rows(storage, `SELECT c0 FROM ${entry?.physical} ORDER BY 1`)).toEqual(
      values.map((v) => [`${v}`]),
    );
  });

  test("a schema change keeps the rows, at every depth", async () => {
    const storage = await open();
    await storage.catalog.change(async (change) => {
      putDataset(change);
      const rows = "SELECT 1, {f0: 'a'}, [{f0: 1.5}, NULL] UNION ALL SELECT 2, NULL, []";
      await createTable(change, { ref: REF, schema: SCHEMA, rows });
    });
    const wider = parseSchema([
      { name: "id", type: "NUMERIC" },
      { name: "new", type: "STRING", mode: "REPEATED" },
      {
        name: "r",
        type: "RECORD",
        fields: [
          { name: "y", type: "DATE", mode: "REPEATED" },
          { name: "X", type: "STRING" },
        ],
      },
      {
        name: "list",
        type: "RECORD",
        mode: "REPEATED",
        fields: [
          { name: "n", type: "BIGNUMERIC" },
          { name: "m", type: "INTEGER" },
        ],
      },
    ]);
    const before = storage.catalog.getTable(REF);
    const entry = await storage.catalog.change((change) =>
      changeSchema(change, change.needTable(REF), wider),
    );
    expect(entry.version).not.toBe(before?.version);
    expect(await rows(storage, `SELECT * EXCLUDE (_ROW_TIMESTAMP) FROM ${entry.physical}`)).toEqual([
      ["1.000000000", [], { f0: [], f1: "a" }, [{ f0: `15${"0".repeat(37)}`, f1: null }, null]],
      ["2.000000000", [], null, []],
    ]);
  });

  test("REQUIRED is enforced with BigQuery's words", async () => {
    const storage = await open();
    const entry = await storage.catalog.change(async (change) => {
      putDataset(change);
      return createTable(change, {
        ref: REF,
        schema: parseSchema([
          { name: "r", type: "RECORD", fields: [{ name: "x", type: "STRING", mode: "REQUIRED" }] },
        ]),
      });
    });
    await rows(storage, `INSERT INTO ${entry.physical} (r) VALUES (NULL), ({f0: 'a'})`);
    await expect(rows(storage, `INSERT INTO ${entry.physical} (r) VALUES ({f0: NULL})`)).rejects.toThrow(
      "Required field r.x cannot be null",
    );
  });

  test("an expired table is gone, and its rows go", async () => {
    const file = join(await folder(), "data.duckdb");
    const storage = await open(file);
    const soon = { ref: REF, schema: SCHEMA, expirationTime: Date.now() + 60_000 };
    const [entry, other] = await storage.catalog.change(async (change) => {
      putDataset(change);
      return [
        await createTable(change, soon),
        await createTable(change, { ...soon, ref: { ...REF, tableId: "other" } }),
      ];
    });
    expect(storage.catalog.getTable(REF)).toBe(entry);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    cleanups.push(async () => vi.useRealTimers());
    expect(storage.catalog.getTable(REF)).toBeUndefined();
    expect(storage.catalog.listTables("p", "d")).toEqual([]);
    await storage.catalog.change((change) => createTable(change, { ref: REF, schema: SCHEMA }));
    const left = "SELECT 'bq.' || table_name FROM duckdb_tables() WHERE schema_name = 'bq' ORDER BY 1";
    const now = storage.catalog.getTable(REF);
    expect(await rows(storage, left)).toEqual([[other?.physical], [now?.physical]].sort());
    await storage.close();
    expect(await rows(await open(file), left)).toEqual([[now?.physical]]);
  });

  test("sizes are BigQuery's logical sizes, counted again when rows change", async () => {
    const storage = await open();
    const size = async () => {
      const contents = await storage.catalog.contents(entry);
      return { rows: contents.rows(), bytes: contents.bytes() };
    };
    const entry = await storage.catalog.change(async (change) => {
      putDataset(change);
      const rows = "SELECT 1, {f0: 'é'}, [{f0: 1.5}, {f0: NULL}] UNION ALL SELECT 2, NULL, []";
      return createTable(change, { ref: REF, schema: SCHEMA, rows });
    });
    // INT64 8 each, STRING 2 and its bytes, NUMERIC 16, NULL nothing.
    expect(await size()).toEqual({ rows: 2, bytes: 8 + 4 + 16 + 8 });
    await storage.catalog.change(async (change) => {
      await change.run(`INSERT INTO ${entry.physical} (id, r, list) VALUES (3, NULL, [])`);
      change.touch(entry);
    });
    expect(await size()).toEqual({ rows: 3, bytes: 8 + 4 + 16 + 8 + 8 });
  });

  test("a data file keeps catalog and rows, and has one owner", async () => {
    const file = join(await folder(), "data.duckdb");
    const first = await open(file);
    await expect(open(file)).rejects.toThrow(/is in use by this process/);
    const entry = await first.catalog.change(async (change) => {
      putDataset(change);
      return createTable(change, { ref: REF, schema: SCHEMA, rows: "SELECT 1, NULL, []" });
    });
    await first.catalog.change(async (change) => {
      await change.run(`INSERT INTO ${entry.physical} (id, r, list) VALUES (2, NULL, [])`);
      change.touch(entry);
    });
    const modified = first.catalog.lastModified(entry);
    await first.close();
    const second = await open(file);
    const again = second.catalog.getTable(REF);
    expect(again).toEqual(JSON.parse(JSON.stringify(entry)));
    expect(second.catalog.lastModified(entry)).toBe(modified);
    expect(modified).toBeGreaterThan(entry.lastModifiedTime);
    expect(await rows(second, `SELECT count(*) FROM ${again?.physical}`)).toEqual([["2"]]);
    const other = await second.catalog.change((change) =>
      createTable(change, { ref: { ...REF, tableId: "o" }, schema: SCHEMA }),
    );
    expect(other.physical).not.toBe(entry.physical);
  });
});
