import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type Server, startServer } from "../../src/server.ts";

/** Where a suite's requests go. */
export interface Target {
  readonly url: string;
  readonly projectId: string;
  /** A dataset name that no other suite uses. */
  readonly dataset: string;
  /** A folder that goes with the suite. */
  readonly folder: string;
}

/** The endpoint that BIGQUERY_EMULATOR_HOST names, or one of the suite's own. */
export function useTarget(): Target {
  const folder = mkdtempSync(path.join(tmpdir(), "clients-"));
  const target = {
    url: "",
    projectId: "test-project",
    dataset: `clients_${randomUUID().slice(0, 8)}`,
    folder,
  };
  let server: Server | undefined;
  beforeAll(async () => {
    const given = process.env.BIGQUERY_EMULATOR_HOST;
    if (given === undefined) server = await startServer();
    target.url = server?.url ?? (given?.startsWith("http") ? given : `http://${given}`);
  });
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return target;
}
