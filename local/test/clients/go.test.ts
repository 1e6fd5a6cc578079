import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { cachedFolder, describeProgram, namesIn, runTool } from "./cases.ts";

const FOLDER = path.join(import.meta.dirname, "go-client");
const SOURCE = readFileSync(path.join(FOLDER, "main.go"), "utf8");
const MODULE = readFileSync(path.join(FOLDER, "go.mod"), "utf8");
const BINARY = "client";
/** No other version of Go is fetched, and no C compiler is needed. */
const ENV = { GOTOOLCHAIN: "local", CGO_ENABLED: "0" };

/** Why the Go client cannot be tried here; undefined where it can. */
function missing(): string | undefined {
  const version = spawnSync("go", ["env", "GOVERSION"], {
    encoding: "utf8",
    env: { ...process.env, ...ENV },
  });
  if (version.error !== undefined || version.status !== 0) return "go is not installed";
  const needed = /^go 1\.(\d+)/m.exec(MODULE)?.[1];
  const found = /^go1\.(\d+)/.exec(version.stdout)?.[1];
  return Number(found) >= Number(needed) ? undefined : `go is older than 1.${needed}`;
}

/** Compiles the program, without the optimizations that would take longer than they save; the modules are in Go's own cache. */
async function install(): Promise<string> {
  const version = await runTool("go", ["version"], { env: ENV });
  return cachedFolder("go", [version, SOURCE, MODULE], async (folder) => {
    const output = path.join(folder, BINARY);
    await runTool("go", ["build", "-gcflags=all=-N -l", "-ldflags=-s -w", "-o", output, "."], {
      cwd: FOLDER,
      env: ENV,
    });
  });
}

describeProgram({
  name: "the Go client",
  missing: missing(),
  cases: namesIn(SOURCE, /^\t\t\{"([^"]+)", \w+\},$/gm),
  install,
  command: (folder) => ({ file: path.join(folder, BINARY), args: [] }),
});
