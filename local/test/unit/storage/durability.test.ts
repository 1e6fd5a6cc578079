import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataFileError } from "../../../src/storage/database.ts";
import { openStorage } from "../../../src/storage/storage.ts";

const WRITER = fileURLToPath(new URL("durable-writer.ts", import.meta.url));
const TSX = pathToFileURL(
  join(dirname(createRequire(import.meta.url).resolve("tsx/package.json")), "dist/loader.mjs"),
).href;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "durable-"));
});
afterEach(() => rm(folder, { recursive: true }));

function startWriter(
  file: string,
  data: string,
): { writer: ChildProcessWithoutNullStreams; lines: AsyncIterable<string> } {
  const writer = spawn(process.execPath, ["--import", TSX, WRITER, file, data]);
  return { writer, lines: createInterface({ input: writer.stdout }) };
}

test("what was acknowledged survives SIGKILL, and no load is there by half", async () => {
  const file = join(folder, "data.duckdb");
  const data = join(folder, "rows.json");
  await writeFile(data, Array.from({ length: 2000 }, (_, index) => `{"a":${index}}\n`).join(""));
  const acknowledged = new Set<string>();
  for (const stopAfter of [3, 1, 7]) {
    const { writer, lines } = startWriter(file, data);
    let seen = 0;
    for await (const line of lines) {
      acknowledged.add(line);
      seen += 1;
      if (seen === stopAfter) setTimeout(() => writer.kill("SIGKILL"), 7);
    }
    expect(seen).toBeGreaterThanOrEqual(stopAfter);
  }
  const storage = await openStorage({ file });
  const tables = storage.catalog.listTables("p", "d");
  const names = tables.map((entry) => entry.ref.tableId);
  expect([...acknowledged].filter((name) => !names.includes(name))).toEqual([]);
  for (const entry of tables) {
    const rows = await storage.database.use(async (connection) =>
      (
        await connection.runAndReadAll(`SELECT count(*), count(DISTINCT a) FROM ${entry.physical}`)
      ).getRowsJson(),
    );
    expect(rows).toEqual([["2000", "2000"]]);
  }
  await storage.close();
});

test("a data file that another process has is refused in one plain line", async () => {
  const file = join(folder, "data.duckdb");
  const data = join(folder, "rows.json");
  await writeFile(data, '{"a":1}\n');
  const { writer, lines } = startWriter(file, data);
  try {
    for await (const _ of lines) break;
    const error: unknown = await openStorage({ file }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DataFileError);
    expect((error as Error).message).toBe(
      `The data file ${file} is in use by process ${writer.pid}: stop that server or name another file`,
    );
  } finally {
    writer.kill("SIGKILL");
  }
});

test("a file that is no database is refused in one plain line", async () => {
  const file = join(folder, "data.duckdb");
  await writeFile(file, "hello, world".repeat(1000));
  const error: unknown = await openStorage({ file }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataFileError);
  expect((error as Error).message).not.toContain("\n");
  await expect(openStorage({ file: join(folder, "no", "data.duckdb") })).rejects.toThrow(
    /its folder does not exist/,
  );
});
