// Builds the package: src/ as JavaScript in dist/, with the files beside it that are not TypeScript, and the worked example.
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

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
for (const part of ["package.json", "dataform.json", "entities.json", "includes", "schemas", "samples"]) {
  cpSync(path.join(here, "..", part), path.join(here, "dist/example", part), { recursive: true });
}
