import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { useTarget } from "./target.ts";

const run = promisify(execFile);
const HERE = path.dirname(fileURLToPath(import.meta.url));
const SCRIPT = path.join(HERE, "python_client.py");
const REQUIREMENTS = path.join(HERE, "requirements.txt");
const CACHE = path.join(HERE, "..", "..", ".cache", "clients");

/** The cases in the script, by the names of their functions. */
const CASES = [...readFileSync(SCRIPT, "utf8").matchAll(/^def case_(\w+)/gm)].map((match) => match[1] ?? "");

/** Why the Python client cannot be tried here; undefined where it can. */
function missing(): string | undefined {
  const version = spawnSync("python3", ["-c", "import sys; print(sys.version_info >= (3, 10))"], {
    encoding: "utf8",
  });
  if (version.error !== undefined || version.status !== 0) return "python3 is not installed";
  if (version.stdout.trim() !== "True") return "python3 is older than 3.10";
  const pip = spawnSync("python3", ["-m", "pip", "--version"]);
  return pip.status === 0 ? undefined : "python3 has no pip";
}

/** Installs the client beside others of its requirements and version of Python; once, and kept. */
async function install(): Promise<string> {
  const { stdout } = await run("python3", ["-c", "import sys; print(sys.version, sys.platform)"]);
  const key = createHash("sha256")
    .update(stdout)
    .update(readFileSync(REQUIREMENTS))
    .digest("hex")
    .slice(0, 16);
  const target = path.join(CACHE, `python-${key}`);
  if (existsSync(target)) return target;
  // A folder of its own until it is whole: an install that was cut off is never taken for done.
  const building = `${target}.${process.pid}`;
  mkdirSync(building, { recursive: true });
  try {
    await run("python3", ["-m", "pip", "install", "--quiet", "--target", building, "-r", REQUIREMENTS], {
      maxBuffer: 64 * 1024 * 1024,
    });
    renameSync(building, target);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return target;
}

const reason = missing();

describe.skipIf(reason !== undefined)(
  `the Python client${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    const target = useTarget();
    const results = new Map<string, string | null>();

    beforeAll(async () => {
      const packages = await install();
      const { stdout } = await run(
        "python3",
        ["-W", "ignore", SCRIPT, target.url, target.projectId, target.dataset],
        {
          env: { ...process.env, PYTHONPATH: packages, METADATA_SERVER_DETECTION: "none" },
          maxBuffer: 64 * 1024 * 1024,
        },
      );
      for (const line of stdout.trim().split("\n")) {
        const result = JSON.parse(line) as { case: string; problem: string | null };
        results.set(result.case, result.problem);
      }
    }, 600_000);

    it.each(CASES)("%s", (name) => {
      expect(results.get(name)).toBeNull();
    });
  },
);
