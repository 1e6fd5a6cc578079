import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const read = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");
const packageJson = (folder: string) =>
  JSON.parse(read(`${folder}/package.json`)) as {
    version: string;
    files: string[];
    peerDependencies?: Record<string, string>;
  };

it("releases both packages in one version, which both change logs begin with", () => {
  const tool = packageJson("generator");
  const endpoint = packageJson("local");
  expect(endpoint.version).toBe(tool.version);
  expect(tool.peerDependencies?.["bigquery-local"]).toBe(endpoint.version);
  for (const folder of ["generator", "local"]) {
    const [, latest] = /^## (\S+)$/m.exec(read(`${folder}/CHANGELOG.md`)) ?? [];
    expect(latest, folder).toBe(tool.version);
    expect(packageJson(folder).files).toContain("CHANGELOG.md");
    expect(read(`${folder}/LICENSE`)).toBe(read("LICENSE"));
  }
});

it("packs both in the workflow of a release, after the tests", () => {
  const workflow = parse(read(".github/workflows/release.yml")) as {
    jobs: { release: { steps: { run?: string }[] } };
  };
  const steps = workflow.jobs.release.steps.map(({ run = "" }) => run.trim());
  expect(steps).toContain("npm ci --include=dev");
  expect(steps).toContain("npm pack ./generator\nnpm pack ./local");
  expect(steps.indexOf("npm test")).toBeLessThan(steps.indexOf("npm pack ./generator\nnpm pack ./local"));
});
