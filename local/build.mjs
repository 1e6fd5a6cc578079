// Builds the package: src/ as JavaScript in dist/, with the files beside it that are not TypeScript.
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;
rmSync(path.join(here, "dist"), { recursive: true, force: true });
const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
execFileSync(process.execPath, [path.join(path.dirname(compiler), "bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: here,
  stdio: "inherit",
});
cpSync(path.join(here, "src"), path.join(here, "dist"), {
  recursive: true,
  filter: (source) => !source.endsWith(".ts"),
});
// Threads of their own, that may only require, so each is CommonJS in one file: see `startThread` in src/javascript/worker.ts.
await build({
  entryPoints: ["javascript/worker-thread.ts", "compiler/late/thread.ts"].map((file) =>
    path.join(here, "src", file),
  ),
  outdir: path.join(here, "dist"),
  outbase: path.join(here, "src"),
  outExtension: { ".js": ".cjs" },
  bundle: true,
  packages: "external",
  platform: "node",
  target: "node20",
  format: "cjs",
  define: { "import.meta.url": "ownUrl" },
  banner: { js: 'const ownUrl = require("node:url").pathToFileURL(__filename).href;' },
  logLevel: "warning",
});
