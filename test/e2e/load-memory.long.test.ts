import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, it } from "vitest";
import { REPOSITORY, type TestProject, useEndpoint, useProjects } from "./harness.ts";

/** The bytes of the large file; a tenth of it is loaded first. */
const BYTES = Number(process.env.LOAD_BYTES ?? 5_000_000_000);
/** What `npm run load` may hold, whatever the size: megabytes. */
const LIMIT = 300;
const HOURS = 60 * 60 * 1000;
/**
 * Says at the end what the process held at most, in kilobytes, as Linux counts it for its own memory. The maxRSS of resourceUsage() is
 * that of the process that started it, where that was the greater: https://man7.org/linux/man-pages/man2/getrusage.2.html
 */
const TELL_PEAK = `data:text/javascript,import{readFileSync}from"node:fs";process.on("exit",()=>process.stderr.write("peak "+/VmHWM:\\s*(\\d+)/.exec(readFileSync("/proc/self/status","utf8"))[1]+"\\n"))`;
/** Of a file that a test writes: how many rows a piece has. */
const PIECE = 2_000;

const makeProject = useProjects(useEndpoint());
const SCHEMA = [
  { name: "userId", type: "STRING" },
  { name: "ingestTimestamp", type: "TIMESTAMP" },
  { name: "attribute1", type: "STRING" },
  { name: "tags", type: "STRING", mode: "REPEATED" },
];

/** A row's text: no two are alike, and none is short. */
const textOf = (number: number): string => `${number.toString(36)}-${"abcdefghij".repeat(30)}`;
const timeOf = (number: number): string => new Date(1_767_225_600_000 + number).toISOString();

/** Rows of a text format: those of CSV go over two lines each, which is the most that can be asked of whoever counts them. */
const TEXT = {
  ndjson: (number: number) =>
    `${JSON.stringify({ userId: `user${number % 1_000_003}`, ingestTimestamp: timeOf(number), attribute1: textOf(number) })}\n`,
  csv: (number: number) =>
    `user${number % 1_000_003},${timeOf(number)},"${textOf(number)}\n${number}, of ""two"" lines"\n`,
};

/** Writes so many bytes of updates, a piece at a time, and gives the number of its rows. */
async function writeText(file: string, bytes: number, format: keyof typeof TEXT): Promise<number> {
  const out = createWriteStream(file);
  if (format === "csv") out.write("userId,ingestTimestamp,attribute1\n");
  let rows = 0;
  let written = 0;
  while (written < bytes) {
    const lines = Array.from({ length: PIECE }, (_, index) => TEXT[format](rows + index)).join("");
    rows += PIECE;
    written += lines.length;
    if (!out.write(lines)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  return rows;
}

/** The same as Parquet with lists, in as large row groups as writers make by default; what is written unpacked takes about as many bytes. */
async function writeParquet(file: string, bytes: number): Promise<number> {
  const rows = Math.ceil(bytes / 350);
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    await connection.run("SET memory_limit = '1GB'; SET threads = 1");
    await connection.run(`COPY (
      SELECT
        'user' || number % 1000003 AS "userId",
        TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL 1 MILLISECOND * number AS "ingestTimestamp",
        number || '-' || repeat(md5(number::VARCHAR), 8) AS attribute1,
        CASE WHEN number % 3 > 0 THEN [md5(number::VARCHAR), 'b' || number % 9, 'c'] END AS tags
      FROM range(${rows}) AS numbers(number)
    ) TO '${file}' (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 1048576)`);
  } finally {
    connection.closeSync();
  }
  return rows;
}

/** Loads so many bytes and gives the megabytes that the command held at most. */
async function peakOf(project: TestProject, format: "ndjson" | "csv" | "parquet", bytes: number) {
  const file = path.join(project.root, `updates.${format}`);
  try {
    const rows =
      format === "parquet" ? await writeParquet(file, bytes) : await writeText(file, bytes, format);
    const started = Date.now();
    const bin = path.join(REPOSITORY, "generator/bin/user-info-updater.js");
    const ended = await project.node(["--import", TELL_PEAK, bin, "load", "user_info", file]);
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(ended.stdout).toContain(`${rows.toLocaleString("en")} rows of 1 file are now in`);
    const megabytes = Number(/peak (\d+)/.exec(ended.stderr)?.[1]) / 1024;
    const size = Math.round((await stat(file)).size / 1e6);
    const seconds = (Date.now() - started) / 1000;
    process.stdout.write(
      `${format}: ${size} MB, ${rows} rows: at most ${Math.round(megabytes)} MiB, ${seconds} s\n`,
    );
    return megabytes;
  } finally {
    await rm(file, { force: true });
    await project.query("TRUNCATE TABLE DATASET.user_info_updates");
  }
}

it.runIf(process.platform === "linux").each(["ndjson", "csv", "parquet"] as const)(
  `a %s file of ${BYTES / 1e9} GB is loaded in less than ${LIMIT} MiB, and takes little more than a tenth of it does`,
  async (format) => {
    const project = await makeProject({ files: { "schemas/user_info.json": JSON.stringify(SCHEMA) } });
    expect(await project.npm("init")).toMatchObject({ exitCode: 0 });
    const small = await peakOf(project, format, BYTES / 10);
    const large = await peakOf(project, format, BYTES);
    expect(large).toBeLessThan(LIMIT);
    expect(large).toBeLessThan(small * 1.25);
  },
  HOURS,
);
