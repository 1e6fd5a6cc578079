import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const read = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");
const SCAFFOLD = "generator/scaffold";

/** A project has copies of these that `generate` checks, with a header that says whose. */
const isCopied = (file: string): boolean => file.startsWith("includes/");

interface PackageJson {
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly overrides: Record<string, string>;
  readonly allowScripts: Record<string, boolean>;
}
const packageJson = (file: string): PackageJson => JSON.parse(read(file)) as PackageJson;

describe("this repository's root and what `new` writes", () => {
  const root = packageJson("package.json");
  const scaffold = packageJson(`${SCAFFOLD}/package.json`);

  it("have the same files but for those that are about testing the tool", () => {
    const image = ["deploy/Dockerfile", "deploy/Dockerfile.dockerignore"];
    const DIFFERENT = ["README.md", "package.json", "_github/workflows/ci.yml", "_gitignore", ...image];
    const files = readdirSync(path.join(ROOT, SCAFFOLD), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(path.join(ROOT, SCAFFOLD), path.join(entry.parentPath, entry.name)));
    expect(files).toEqual(expect.arrayContaining([...DIFFERENT, "tool.js", "_npmrc"]));
    for (const file of files.filter((name) => !DIFFERENT.includes(name) && !isCopied(name)))
      expect(read(file.replace(/^_/, ".")), file).toBe(read(path.join(SCAFFOLD, file)));
    const ignored = read(".gitignore").split("\n");
    for (const line of read(`${SCAFFOLD}/_gitignore`).split("\n")) expect(ignored).toContain(line);
  });

  it("have the same scripts but for those of test tools", () => {
    const shared = Object.fromEntries(
      Object.entries(root.scripts).filter(([, script]) => /^node tool\.js \S+$/.test(script)),
    );
    const { test: _, ...ofProject } = scaffold.scripts;
    expect(shared).toEqual(ofProject);
    for (const [name, script] of Object.entries(root.scripts))
      if (!(name in shared)) expect(script, name).toMatch(/^node tool\.js && /);
  });

  it("depend on Dataform's core alone, in the same version", () => {
    expect(Object.keys(root.dependencies)).toEqual(["@dataform/core"]);
    expect(root.dependencies).toEqual(scaffold.dependencies);
    expect(root.devDependencies).toMatchObject({
      "bigquery-local": "file:local",
      "user-info-updater": "file:generator",
    });
    expect(Object.keys(scaffold.devDependencies)).toEqual(["bigquery-local", "user-info-updater"]);
    expect(root.overrides).toEqual(scaffold.overrides);
    expect(root.allowScripts).toMatchObject(scaffold.allowScripts);
  });
});

describe("package-lock.json", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as {
    packages: Record<string, { version?: string; deprecated?: string; hasInstallScript?: boolean }>;
  };

  it("installs without a word about deprecated packages", () => {
    expect(Object.entries(packages).filter(([, { deprecated }]) => deprecated !== undefined)).toEqual([]);
    // Their authors deprecate all but the newest.
    for (const overridden of ["glob", "node-domexception"]) {
      const found = Object.entries(packages).filter(([name]) => name.endsWith(`node_modules/${overridden}`));
      const { overrides } = packageJson("package.json");
      expect(found.map(([, { version }]) => version)).toEqual([overrides[overridden]]);
    }
  });

  it("installs without a word about install scripts: each is allowed or refused", () => {
    const scripted = Object.entries(packages)
      .filter(([name, { hasInstallScript }]) => hasInstallScript === true && !name.endsWith("/fsevents"))
      .map(([name]) => name.replace(/^.*node_modules\//, ""));
    const { allowScripts } = packageJson("package.json");
    expect(Object.keys(allowScripts)).toEqual([...new Set(scripted)].sort());
  });
});

describe("a project that is not installed", () => {
  it("says how, also before there is a lock file", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "tool-"));
    const told = (): string => {
      const [program, args] = [process.execPath, ["tool.js", "update"]];
      const { stderr, status } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
      return `${status}: ${stderr}`;
    };
    copyFileSync(path.join(ROOT, SCAFFOLD, "tool.js"), path.join(folder, "tool.js"));
    expect(told()).toBe("1: user-info-updater is not installed: run `npm install --include=dev`\n");
    writeFileSync(path.join(folder, "package-lock.json"), "{}");
    expect(told()).toBe("1: user-info-updater is not installed: run `npm ci --include=dev`\n");
    rmSync(folder, { recursive: true });
  });
});
