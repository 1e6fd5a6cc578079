import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, it } from "vitest";
import { writeTemporaryProject } from "../../../generator/src/dataform/project-copy.ts";
import { projectOf, ROOT } from "../../golden/golden-case.ts";
import { useFolder } from "../warehouse/folder.ts";
import { PROJECT } from "./error-cases.ts";

const folder = useFolder();
const TOOL = path.resolve(import.meta.dirname, "../../../generator/bin/user-info-updater.js");

/**
 * Starts a command against a BigQuery that never answers, or to GET alone, sends signals once it has asked in vain, and gives how it ended.
 */
async function interrupt(argv: readonly string[], signals: readonly NodeJS.Signals[], answer?: object) {
  await folder.write("dataform.json", PROJECT["dataform.json"] ?? "");
  const server = createServer((request, response) => {
    if (request.method === "GET" && answer !== undefined) response.end(JSON.stringify(answer));
    else server.emit("asked in vain");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const asked = once(server, "asked in vain");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const child = spawn(process.execPath, [TOOL, ...argv], {
    cwd: folder.path("."),
    env: { ...process.env, BIGQUERY_EMULATOR_HOST: url, METADATA_SERVER_DETECTION: "none" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close");
  await Promise.race([asked, ended]);
  for (const signal of signals) {
    child.kill(signal);
    // Two signals at once are one to a process.
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 300))]);
  }
  const [exitCode] = (await ended) as [number | null];
  server.closeAllConnections();
  server.close();
  return { exitCode, stderr };
}

it.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends a command that only reads at once, and says so",
  async (signal) => {
    expect(await interrupt(["status"], [signal])).toEqual({
      exitCode: 1,
      stderr: "status: interrupted; nothing was changed\n",
    });
  },
);

it("ends an upload that has stalled", async () => {
  for (const [file, text] of Object.entries(PROJECT)) {
    await mkdir(path.dirname(folder.path(file)), { recursive: true });
    await folder.write(file, text);
  }
  const fields = JSON.parse(PROJECT["schemas/customer.json"] ?? "") as object;
  expect(await interrupt(["load", "customer", "good.ndjson"], ["SIGTERM"], { schema: { fields } })).toEqual({
    exitCode: 1,
    stderr:
      "load: interrupted; no row was appended, unless the load job had them all already: npm run status counts what waits\n",
  });
});

it("ends Dataform's compiler too, which would print a stack trace after its line", async () => {
  // It says when it is at it, and then takes its time.
  const slow = 'console.error("at it"); for (const end = Date.now() + 2000; Date.now() < end; );';
  const files = (await projectOf("flat")).set("includes/slow.js", slow);
  const root = await writeTemporaryProject(files, ROOT);
  try {
    const child = spawn(process.execPath, [TOOL, "compile"], {
      cwd: root,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (text === "at it\n") child.kill("SIGTERM");
    });
    await once(child, "close");
    expect(stderr).toBe("at it\ncompile: interrupted; nothing was changed\n");
  } finally {
    await rm(root, { recursive: true });
  }
});

it("a command that changes things ends what it is at; a second signal ends it at once, and it says where things stand", async () => {
  expect(await interrupt(["init"], ["SIGTERM", "SIGINT"])).toEqual({
    exitCode: 1,
    stderr: "init: interrupted; each table is made and extended whole or not at all; run it again to go on\n",
  });
});

it("a signal that comes before the command has begun ends it at once too, and says so", async () => {
  // Sends it as soon as anybody minds signals.
  const preload = await folder.write(
    "early.mjs",
    `process.once("newListener", function send(event) {
      if (event === "SIGTERM") setImmediate(() => process.kill(process.pid, event));
      else process.once("newListener", send);
    });`,
  );
  const child = spawn(process.execPath, ["--import", preload, TOOL, "load", "customer", "good.ndjson"], {
    cwd: folder.path("."),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: "load: interrupted; nothing was changed\n",
  });
});
