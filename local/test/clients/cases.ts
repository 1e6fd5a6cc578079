import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { type Target, useTarget } from "./target.ts";

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL("../../../.cache/clients", import.meta.url));
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** A program that uses a client and prints `{"case": …, "problem": … or null}` for each thing it tries, a line each. */
export interface ClientProgram {
  /** As the suite is named: "the Go client". */
  readonly name: string;
  /** Why it cannot be run on this machine; undefined where it can. */
  readonly missing: string | undefined;
  /** The names of its cases, as its source has them. */
  readonly cases: readonly string[];
  /** Installs what it needs; what it gives is handed to `command`. */
  readonly install: () => Promise<string>;
  readonly command: (installed: string) => { file: string; args: string[]; env?: Record<string, string> };
}

/** Runs the program once against the endpoint, and tells each of its cases as a test. */
export function describeProgram(program: ClientProgram): void {
  const { missing, name } = program;
  describe.skipIf(missing !== undefined)(`${name}${missing === undefined ? "" : ` (${missing})`}`, () => {
    const target: Target = useTarget();
    const results = new Map<string, string | null>();

    beforeAll(async () => {
      const { file, args, env } = program.command(await program.install());
      const { stdout } = await run(file, [...args, target.url, target.projectId, target.dataset], {
        env: { ...process.env, METADATA_SERVER_DETECTION: "none", ...env },
        maxBuffer: MAX_OUTPUT_BYTES,
      });
      for (const line of stdout.trim().split("\n")) {
        const result = JSON.parse(line) as { case: string; problem: string | null };
        results.set(result.case, result.problem);
      }
    }, 600_000);

    it.each(program.cases)("%s", (each) => {
      expect(results.get(each)).toBeNull();
    });
  });
}

/** A folder of the cache that `build` fills, once for each key, beside those of other keys. */
export async function cachedFolder(
  name: string,
  key: readonly (string | Buffer)[],
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  for (const part of key) hash.update(part);
  const folder = path.join(CACHE, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  // A folder of its own until it is whole: an install that was cut off is never taken for done.
  const building = `${folder}.${process.pid}`;
  mkdirSync(building, { recursive: true });
  try {
    await build(building);
    renameSync(building, folder);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return folder;
}

/** Runs a tool that installs or compiles; fails with what it printed. */
export async function runTool(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { stdout } = await run(file, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return stdout;
}

/** The first groups of all matches: the names of cases in a program's source. */
export function namesIn(source: string, pattern: RegExp): string[] {
  return [...source.matchAll(pattern)].map((match) => match[1] ?? "");
}
