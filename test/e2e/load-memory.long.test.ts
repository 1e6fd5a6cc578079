import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { REPOSITORY, type TestProject, useEndpoint, useProjects } from "./harness.ts";

/** The bytes of the large file; a tenth of it is loaded first. */
const BYTES = Number(process.env.LOAD_BYTES ?? 5_000_000_000);
/** What `npm run load` may hold, whatever the size: megabytes. */
const LIMIT = 300;
const HOURS = 60 * 60 * 1000;
/** Says at the end what the process held at most, in kilobytes: https://nodejs.org/api/process.html#processresourceusage */
const TELL_PEAK = `data:text/javascript,process.on("exit",()=>process.stderr.write("peak "+process.resourceUsage().maxRSS+"\\n"))`;

const makeProject = useProjects(useEndpoint());

/** Writes so many bytes of updates, a piece at a time, and gives the number of its rows. */
async function writeUpdates(file: string, bytes: number): Promise<number> {
  const out = createWriteStream(file);
  let rows = 0;
  let written = 0;
  while (written < bytes) {
    const lines = Array.from({ length: 2_000 }, (_, index) => {
      const number = rows + index;
      const ingestTimestamp = new Date(1_767_225_600_000 + number).toISOString();
      const text = `${number.toString(36)}-${"abcdefghij".repeat(30)}`;
      return `${JSON.stringify({ userId: `user${number % 1_000_003}`, ingestTimestamp, attribute1: text })}\n`;
    }).join("");
    rows += 2_000;
    written += lines.length;
    if (!out.write(lines)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  return rows;
}

/** Loads so many bytes and gives the megabytes that the command held at most. */
async function peakOf(project: TestProject, bytes: number): Promise<number> {
  const file = path.join(project.root, "updates.ndjson");
  try {
    const rows = await writeUpdates(file, bytes);
    const started = Date.now();
    const bin = path.join(REPOSITORY, "generator/bin/user-info-updater.js");
    const ended = await project.node(["--import", TELL_PEAK, bin, "load", "user_info", file]);
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(ended.stdout).toContain(`${rows.toLocaleString("en")} rows of 1 file are now in`);
    const megabytes = Number(/peak (\d+)/.exec(ended.stderr)?.[1]) / 1024;
    const size = Math.round((await stat(file)).size / 1e6);
    const seconds = (Date.now() - started) / 1000;
    process.stdout.write(`${size} MB, ${rows} rows: at most ${Math.round(megabytes)} MiB, ${seconds} s\n`);
    return megabytes;
  } finally {
    await rm(file, { force: true });
  }
}

it(
  `a file of ${BYTES / 1e9} GB is loaded in less than ${LIMIT} MiB, and takes no more than a tenth of it does`,
  async () => {
    const project = await makeProject();
    expect(await project.npm("init")).toMatchObject({ exitCode: 0 });
    const small = await peakOf(project, BYTES / 10);
    const large = await peakOf(project, BYTES);
    expect(large).toBeLessThan(LIMIT);
    expect(large).toBeLessThan(small * 1.25);
  },
  HOURS,
);
