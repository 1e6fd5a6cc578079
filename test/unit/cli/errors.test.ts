import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { type Output, processOutput } from "../../../generator/src/cli/output.ts";
import { runCommandLine } from "../../../generator/src/cli/run.ts";
import { ERROR_CASES, type ErrorCase, PROJECT } from "./error-cases.ts";

const here = process.cwd();
const root = await mkdtemp(path.join(tmpdir(), "errors-"));
afterEach(() => {
  process.chdir(here);
  vi.unstubAllEnvs();
});
afterAll(() => rm(root, { recursive: true }));

/** The updates table as `init` makes it. */
const UPDATES = {
  type: "TABLE",
  schema: {
    fields: [
      { name: "customer_id", type: "STRING", mode: "REQUIRED" },
      { name: "loaded_at", type: "TIMESTAMP", mode: "REQUIRED" },
      { name: "email", type: "STRING" },
      { name: "score", type: "NUMERIC" },
      { name: "tags", type: "STRING", mode: "REPEATED" },
      { name: "address", type: "RECORD", fields: [{ name: "city", type: "STRING" }] },
    ],
  },
};

/** A BigQuery that is asked for little: the updates' table is there, everything else is not. It tells of any change. */
async function serve({ answers = [], env = {} }: ErrorCase, changes: string[]) {
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url?.replace("/bigquery/v2", "")}`;
    if (!line.startsWith("GET")) changes.push(line);
    const found = answers.find(([part]) => line.includes(part) && !line.includes(`${part}/`));
    const notFound = { error: { code: 404, message: "Not found", errors: [{ reason: "notFound" }] } };
    const usual: [number, object] = line.includes("/tables/customer_updates")
      ? [200, UPDATES]
      : line.includes("/datasets?") || /\/datasets\/analytics\??[^/]*$/.test(line)
        ? [200, { location: "EU" }]
        : [404, notFound];
    const [status, body] = found === undefined ? usual : [found[1], found[2]];
    response.writeHead(status, { "content-type": "application/json" });
    response.end(env.ANSWER_WITH_HTML === undefined ? JSON.stringify(body) : "<html></html>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Runs a case and gives its exit code and stderr; a change of anything would be one too many. */
async function meet(testCase: ErrorCase): Promise<string> {
  const folder = await mkdtemp(path.join(root, "project-"));
  for (const [file, text] of Object.entries({ ...PROJECT, ...testCase.files })) {
    if (text === undefined) continue;
    const edits = (testCase.edits ?? []).filter(([edited]) => edited === file);
    for (const [, from] of edits) expect(text, testCase.name).toContain(from);
    const target = path.join(folder, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(
      target,
      edits.reduce((edited, [, from, to]) => edited.replace(from, to), text),
    );
  }
  const changes: string[] = [];
  const { server, url } = await serve(testCase, changes);
  vi.stubEnv("BIGQUERY_EMULATOR_HOST", url);
  for (const name of Object.keys(process.env)) if (/^npm_/.test(name)) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(testCase.env ?? {})) vi.stubEnv(name, value);
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  process.chdir(folder);
  const lines: string[] = [];
  const output: Output = { ...processOutput(), note: (text) => void lines.push(text) };
  const exitCode = await runCommandLine(testCase.run, output).finally(() => {
    vi.restoreAllMocks();
    server.close();
  });
  expect(changes, testCase.name).toEqual([]);
  const told = lines.join("\n").replaceAll(url, "http://127.0.0.1:9050").replaceAll(folder, "/crm");
  return `exit ${exitCode}\n${told}`;
}

function describeInput({ edits = [], files = {}, run, env = {}, answers = [] }: ErrorCase): string {
  return [
    ...edits.map(([file, from, to]) => `${file}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}`),
    ...Object.entries(files).map(
      ([file, text]) => `${file}: ${text === undefined ? "gone" : JSON.stringify(text)}`,
    ),
    ...answers.map(([request, status, body]) => `${request} answers ${status} ${JSON.stringify(body)}`),
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    `$ ${run.join(" ")}`,
  ].join("\n");
}

describe("a mistake is told in lines that a person can act on, before anything was changed", () => {
  for (const [area, cases] of Object.entries(ERROR_CASES)) {
    it(area, async () => {
      const told = [];
      for (const testCase of cases) {
        const lines = await meet(testCase);
        expect(lines, testCase.name).toMatch(/^exit [12]\n.+/);
        expect(lines, testCase.name).not.toMatch(/\n +at /);
        told.push(`# ${testCase.name}\n${describeInput(testCase)}\n${lines}\n`);
      }
      await expect(told.join("\n")).toMatchFileSnapshot(
        path.join(import.meta.dirname, `../../golden/errors/${area}.txt`),
      );
    });
  }

  it("in at least 80 cases", () => {
    expect(Object.values(ERROR_CASES).flat().length).toBeGreaterThanOrEqual(80);
  });
});
