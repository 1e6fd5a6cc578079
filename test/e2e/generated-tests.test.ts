/** The `type: "test"` that every entity gets, run by Dataform itself: the golden cases' worked examples. */
import { cp, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createProject, GOLDEN, listCases, removeProject } from "../golden/golden-case.ts";
import { runProgram, useEndpoint } from "./harness.ts";

const DATAFORM = createRequire(import.meta.url).resolve("@dataform/cli/bundle.js");
const endpoint = useEndpoint();

let root: string | undefined;
afterEach(async () => {
  if (root !== undefined) await removeProject(root);
});

test.each(await listCases())("dataform test: %s", async (name) => {
  root = await createProject(name);
  await cp(join(GOLDEN, name, "expected", "definitions"), join(root, "definitions"), { recursive: true });
  await writeFile(
    join(root, ".df-credentials.json"),
    JSON.stringify({ projectId: "my-project", location: "US" }),
  );
  const env = { BIGQUERY_EMULATOR_HOST: endpoint.url };
  const { exitCode, stdout } = await runProgram(process.execPath, [DATAFORM, "test"], { cwd: root, env });
  expect(stdout.match(/: (.\[3[12]m)?(passed|failed)/g) ?? [], stdout).not.toHaveLength(0);
  expect(stdout).not.toContain("failed");
  expect(exitCode).toBe(0);
});
