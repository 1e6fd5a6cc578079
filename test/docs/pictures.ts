/** `npm run pictures`: makes the pictures of README and docs from the real thing: commands run, pages opened in a browser. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { BigQuery } from "@google-cloud/bigquery";
import { type Browser, chromium } from "playwright-core";
import { readProjectFiles, writeTemporaryProject } from "../../generator/src/dataform/project-copy.ts";
import { startServer } from "../../local/src/server.ts";
import { findChromium } from "../browser/chromium.ts";
import { ROOT } from "./render.ts";
import { drawTerminal, type TimedLine } from "./terminal-svg.ts";

const TO = path.join(ROOT, "docs/pictures");
const TOOL = path.join(ROOT, "generator/bin/user-info-updater.js");
/** How many runs the status page shows, and how many users they have. */
const RUNS = 12;
const USERS = 400;
const HOUR = 3_600_000;

const SCHEMA = [
  { name: "userId", type: "STRING", mode: "REQUIRED" },
  { name: "ingestTimestamp", type: "TIMESTAMP", mode: "REQUIRED" },
  { name: "email", type: "STRING" },
  { name: "plan", type: "STRING" },
  {
    name: "address",
    type: "RECORD",
    fields: [
      { name: "street", type: "STRING" },
      { name: "city", type: "STRING" },
    ],
  },
  { name: "tags", type: "STRING", mode: "REPEATED" },
];
/** What the pull request in the pictures changes. */
const CHANGED = [
  ...SCHEMA.map((field) => (field.name === "tags" ? { ...field, merge: "union" } : field)),
  { name: "phone", type: "STRING" },
];
const ENTITY = {
  name: "customer",
  schema: "schemas/customer.json",
  key: ["userId"],
  ingestTimestamp: "ingestTimestamp",
};
const SETTINGS = {
  warehouse: "bigquery",
  defaultDatabase: "acme-shop",
  defaultSchema: "crm",
  assertionSchema: "crm",
  defaultLocation: "EU",
};

await mkdir(TO, { recursive: true });
await recordDemo();
await picturePages();

async function recordDemo(): Promise<void> {
  const child = spawn(process.execPath, [TOOL, "demo"], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const started = Date.now();
  const lines: TimedLine[] = [];
  createInterface({ input: child.stdout }).on("line", (text) =>
    lines.push({ at: Date.now() - started, text }),
  );
  await once(child, "close");
  const kept = lines.map(({ at, text }) => ({ at, text: atUsualPort(text) }));
  await writeFile(path.join(TO, "demo.svg"), drawTerminal("npm run demo", kept));
}

/** The endpoint's address is another one each time; a picture has the one that `npm run local` says. */
function atUsualPort(text: string): string {
  return text.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:9050");
}

async function picturePages(): Promise<void> {
  const server = await startServer({ port: 0 });
  const root = await writeTemporaryProject(
    new Map([
      ...(await readProjectFiles(ROOT, ["package.json"])),
      ["dataform.json", JSON.stringify(SETTINGS)],
      ["entities.json", JSON.stringify({ entities: [ENTITY] })],
      ["schemas/customer.json", JSON.stringify(SCHEMA)],
    ]),
    ROOT,
  );
  const browser = await openBrowser();
  const tool = (...args: string[]) => run(process.execPath, [TOOL, ...args], root, server.url);
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], root);
  try {
    await tool("generate");
    await tool("compile");
    await git("init", "--quiet", "--initial-branch=main");
    await git("add", "--all", "--", ":!node_modules");
    await git("commit", "--quiet", "--message=customers");
    await tool("init");
    const start = Date.now() - RUNS * HOUR;
    for (let hour = 0; hour < RUNS; hour++) {
      await writeFile(path.join(root, "updates.ndjson"), updatesOf(hour, start));
      await tool("load", "customer", "updates.ndjson");
      await tool("update");
    }
    await spreadLog(server.url);
    await tool("status", "--html", "status.html");
    const page = path.join(root, "status.html");
    await writeFile(page, atUsualPort(await readFile(page, "utf8")));
    await shoot(browser, page, "status.png", 790);

    await writeFile(path.join(root, "schemas/customer.json"), JSON.stringify(CHANGED));
    await tool("generate");
    await tool("compile");
    await tool("review", "--base", "main", "--html", "review.html");
    await shoot(browser, path.join(root, "review.html"), "review.png", 900);
    await shoot(browser, path.join(root, "review.html"), "graph.png", 900, ".graph");
  } finally {
    await browser.close();
    await server.close();
    await rm(root, { recursive: true, force: true });
  }
}

async function openBrowser(): Promise<Browser> {
  const found = findChromium();
  if (found === undefined) throw new Error("no browser: install chromium, or name one by CHROMIUM");
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: found.program, args, env: { ...process.env, ...found.env } });
}

async function shoot(
  browser: Browser,
  file: string,
  name: string,
  height: number,
  part?: string,
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1200, height }, deviceScaleFactor: 1.5 });
  const page = await context.newPage();
  await page.goto(`file://${file}`);
  await page.waitForTimeout(500);
  const target = path.join(TO, name);
  if (part === undefined) await page.screenshot({ path: target });
  else await page.locator(part).screenshot({ path: target });
  await context.close();
}

async function run(program: string, args: readonly string[], cwd: string, endpoint?: string): Promise<void> {
  const env = endpoint === undefined ? {} : { BIGQUERY_EMULATOR_HOST: endpoint };
  const child = spawn(program, [...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}`);
}

/** An hour's updates: few at night, each with some of the attributes. */
function updatesOf(hour: number, start: number): string {
  const count = Math.round(USERS * (0.15 + 0.1 * Math.sin((hour / RUNS) * 2 * Math.PI)));
  const rows = Array.from({ length: hour === 0 ? USERS : count }, (_, index) => {
    const user = hour === 0 ? index : (index * 7 + hour * 31) % (USERS + hour * 9);
    return {
      userId: `user${user}`,
      ingestTimestamp: new Date(start + hour * HOUR + index * 1000).toISOString(),
      ...(index % 3 === 0 ? { email: `user${user}@example.com` } : {}),
      ...(index % 4 === 0 ? { plan: hour % 2 === 0 ? "basic" : "plus" } : {}),
      ...(index % 5 === 0 ? { address: { city: "Lyon", street: `${index} rue Haute` } } : {}),
    };
  });
  return rows.map((row) => JSON.stringify(row)).join("\n");
}

/** The runs are real, but came one after the other: their times are set apart as a schedule would have them. */
async function spreadLog(url: string): Promise<void> {
  const client = new BigQuery({ projectId: SETTINGS.defaultDatabase, apiEndpoint: url });
  client.baseUrl = url;
  await client.query({
    query: `UPDATE crm.customer_runs AS run
SET
  merged_at = TIMESTAMP_ADD(run.watermark_after, INTERVAL 7 + MOD(run.rows_read, 5) MINUTE),
  read_at = TIMESTAMP_ADD(run.watermark_after, INTERVAL 6 + MOD(run.rows_read, 5) MINUTE)
WHERE TRUE`,
    location: SETTINGS.defaultLocation,
  });
}
