import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cp, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { BigQuery } from "@google-cloud/bigquery";
import { afterAll, beforeAll } from "vitest";
import { startDataform } from "../../generator/src/dataform/cli.ts";
import { readProjectFiles, writeTemporaryProject } from "../../generator/src/dataform/project-copy.ts";
import { plain } from "../../generator/src/warehouse/plain.ts";
import { type Server, type ServerOptions, startServer } from "../../local/src/server.ts";
import { type CommandResult, runHere } from "./in-process.ts";

process.env.METADATA_SERVER_DETECTION = "none";

/** The repository under test. */
export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** Runs a program to its end, with nothing on its standard input. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<CommandResult> {
  const child = spawn(program, [...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { exitCode, stdout, stderr };
}

/** An endpoint under test. */
export interface Endpoint {
  readonly url: string;
  /** False where the second run of a project cannot pass: `CREATE TABLE IF NOT EXISTS` fails on a table that exists. */
  readonly runsTwice: boolean;
}

/** The local endpoint, for the tests of one file. */
export function useEndpoint(options: ServerOptions = {}): Endpoint {
  let server: Server | undefined;
  beforeAll(async () => {
    server = await startServer({ port: 0, ...options });
  });
  afterAll(async () => {
    await server?.close();
  });
  return {
    get url() {
      return server?.url ?? "";
    },
    runsTwice: true,
  };
}

/** The endpoint that BIGQUERY_EMULATOR_HOST names, whoever wrote it, or else the local one. */
export function useAnyEndpoint(): Endpoint {
  const given = process.env.BIGQUERY_EMULATOR_HOST;
  if (given === undefined) return useEndpoint();
  let runsTwice = false;
  beforeAll(async () => {
    runsTwice = await canCreateTwice(given);
  });
  return {
    url: given,
    get runsTwice() {
      return runsTwice;
    },
  };
}

async function canCreateTwice(url: string): Promise<boolean> {
  const client = clientOf(url);
  const dataset = `probe_${randomUUID().replaceAll("-", "")}`;
  await client.createDataset(dataset, { location: "US" });
  const query = `CREATE TABLE IF NOT EXISTS ${dataset}.probe AS SELECT 1 AS one`;
  try {
    await client.query({ query });
    await client.query({ query });
    return true;
  } catch {
    return false;
  } finally {
    await client.dataset(dataset).delete({ force: true });
  }
}

/** A client of the endpoint at `url`. */
export function clientOf(url: string, projectId = PROJECT): BigQuery {
  const client = new BigQuery({ projectId, apiEndpoint: url });
  client.baseUrl = url;
  return client;
}

/** What a test project is made of: files by their path, added to those that the repository's project has. */
export interface ProjectFiles {
  readonly entities?: readonly Record<string, unknown>[];
  readonly files?: Readonly<Record<string, string>>;
  /** A Google Cloud project of its own: a test whose entity must not be found in the datasets of others. */
  readonly projectId?: string;
}

/** A Dataform project in a temporary folder, with a dataset of its own. */
export class TestProject {
  readonly root: string;
  readonly url: string;
  readonly dataset: string;
  readonly client: BigQuery;

  constructor(root: string, url: string, dataset: string, projectId = PROJECT) {
    this.root = root;
    this.url = url;
    this.dataset = dataset;
    this.client = clientOf(url, projectId);
  }

  /** Runs one of the project's commands as its npm script does, but for the process of its own. */
  npm(command: string, ...args: string[]): Promise<CommandResult> {
    return runHere(this, command, ...args);
  }

  /** The same as a process, for commands that run beside each other. */
  start(command: string, ...args: string[]): Promise<CommandResult> {
    return this.node([path.join(REPOSITORY, "generator/bin/user-info-updater.js"), command, ...args]);
  }

  /** Runs the Dataform CLI itself, as npx does. */
  dataform(...args: string[]): Promise<CommandResult> {
    return startDataform(this.root, args, { env: { BIGQUERY_EMULATOR_HOST: this.url } }).ended;
  }

  node(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    return runProgram(process.execPath, args, {
      cwd: this.root,
      env: { BIGQUERY_EMULATOR_HOST: this.url, ...env },
    });
  }

  async write(file: string, text: string | Uint8Array): Promise<string> {
    const target = path.join(this.root, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
    return file;
  }

  /** Runs a query; `DATASET` in it stands for the project's own. */
  async query(sql: string): Promise<unknown[]> {
    const [rows] = await this.client.query({ query: sql.replaceAll("DATASET", this.dataset) });
    return rows.map(plain);
  }
}

/** The project's id in BigQuery, in every test that names no other. */
const PROJECT = "test-project";

/** What a test's project has of the repository's. */
const PARTS = ["package.json", "includes", "schemas", "entities.json", "definitions"];

/** Makes projects for the tests of one file, and removes them when the tests end. */
export function useProjects(endpoint: {
  readonly url: string;
}): (project?: ProjectFiles) => Promise<TestProject> {
  const roots: string[] = [];
  afterAll(async () => {
    for (const root of roots) await rm(root, { recursive: true, force: true });
  });
  return async ({ entities, files = {}, projectId = PROJECT } = {}) => {
    const dataset = `d_${randomUUID().replaceAll("-", "")}`;
    const settings = {
      warehouse: "bigquery",
      defaultDatabase: projectId,
      defaultSchema: dataset,
      assertionSchema: dataset,
      defaultLocation: "US",
    };
    const all = new Map([
      ...(await readProjectFiles(REPOSITORY, PARTS)),
      ["dataform.json", JSON.stringify(settings)],
      ...(entities === undefined ? [] : ([["entities.json", JSON.stringify({ entities })]] as const)),
      ...Object.entries(files),
    ]);
    const root = await writeTemporaryProject(all, REPOSITORY);
    roots.push(root);
    return new TestProject(root, endpoint.url, dataset, projectId);
  };
}

/** The repository's packages by links; only `@dataform/core` must really be there, its sandbox follows no link out. */
export async function linkPackages(root: string): Promise<void> {
  const from = path.join(REPOSITORY, "node_modules");
  const to = path.join(root, "node_modules");
  await mkdir(path.join(to, "@dataform"), { recursive: true });
  for (const name of await readdir(from)) {
    if (name !== "@dataform") await symlink(path.join(from, name), path.join(to, name));
  }
  await symlink(path.join(from, "@dataform", "cli"), path.join(to, "@dataform", "cli"));
  await cp(path.join(from, "@dataform", "core"), path.join(to, "@dataform", "core"), { recursive: true });
}
