import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildImage, type Image, listFiles } from "./dockerfile.ts";
import { REPOSITORY, runProgram, useEndpoint } from "./harness.ts";
import type { CommandResult } from "./in-process.ts";

/** deploy/Dockerfile without Docker: its steps in folders, and its entry point run there. */
const endpoint = useEndpoint();
let root = "";
let image: Image;
let files: ReadonlyMap<string, number>;

const run = (...flags: string[]): Promise<CommandResult> => {
  const [program = "", ...args] = image.entryPoint;
  return runProgram(program, [...args, ...flags], {
    cwd: image.folder,
    env: { BIGQUERY_EMULATOR_HOST: endpoint.url },
  });
};

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "image-"));
  image = await buildImage(await readFile(path.join(REPOSITORY, "deploy/Dockerfile"), "utf8"), root);
  files = await listFiles(image.folder);
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

/** The packages in the image, as `@scope/name` or `name`. */
const packages = (): Set<string> =>
  new Set([...files.keys()].flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []));

it("has the tool and Dataform, and neither the endpoint with its engines nor anything to build or test with", () => {
  const installed = packages();
  expect([...installed]).toEqual(
    expect.arrayContaining(["@dataform/cli", "@dataform/core", "user-info-updater"]),
  );
  const unwanted =
    /^(bigquery-local|@fivetrandevelopers|@duckdb|fastify|quickjs|@jitl|typescript|@typescript|esbuild|tsx|vitest|@biomejs|monaco-editor)/;
  expect([...installed].filter((name) => unwanted.test(name))).toEqual([]);
});

it("has the tool built, and the project's own files", () => {
  const own = [...files.keys()].filter((file) => !file.startsWith("node_modules/"));
  const folders = new Set(own.map((file) => file.split("/")[0]));
  expect([...folders].sort()).toEqual([
    "dataform.json",
    "definitions",
    "entities.json",
    "includes",
    "package.json",
    "schemas",
    "tool.js",
  ]);
  const tool = [...files.keys()].filter((file) => file.startsWith("node_modules/user-info-updater/dist/"));
  expect(tool).toContain("node_modules/user-info-updater/dist/cli/main.js");
  expect(tool.filter((file) => file.endsWith(".ts"))).toEqual([]);
});

it("stays small", () => {
  const megabytes = [...files.values()].reduce((sum, size) => sum + size, 0) / 1e6;
  console.log(`image: ${files.size} files, ${megabytes.toFixed(0)} MB on top of its base`);
  expect(megabytes).toBeLessThan(80);
});

it("holds all that an update needs, and takes its flags", async () => {
  const update = await run();
  expect(update.exitCode, update.stderr).toBe(0);
  expect(update.stdout).toContain("user_info_final");
  const wrong = await run("--tags", "no_such_tag");
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain("no action has this tag");
});

it("refuses a schema that its definitions do not follow", async () => {
  await writeFile(path.join(image.folder, "definitions/user_info/user_info.sqlx"), "");
  const { exitCode, stderr } = await run();
  expect(exitCode).toBe(1);
  expect(stderr).toContain("definitions/user_info/user_info.sqlx: changed; run `npm run generate`");
});
