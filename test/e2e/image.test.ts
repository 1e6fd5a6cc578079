import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CommandResult, linkPackages, REPOSITORY, runProgram, useEndpoint } from "./harness.ts";

/** deploy/Dockerfile without Docker: a folder with what it copies, in which its entry point runs. */
const endpoint = useEndpoint();
let root = "";
let entryPoint: readonly string[] = [];

const run = (...flags: string[]): Promise<CommandResult> => {
  const [program = "", ...args] = entryPoint;
  return runProgram(program, [...args, ...flags], {
    cwd: root,
    env: { BIGQUERY_EMULATOR_HOST: endpoint.url },
  });
};

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "image-"));
  const dockerfile = await readFile(path.join(REPOSITORY, "deploy/Dockerfile"), "utf8");
  for (const [, sources = "", target = ""] of dockerfile.matchAll(/^COPY (.+) (\S+)$/gm)) {
    for (const source of sources.split(" ")) {
      const place = target.endsWith("/") ? path.join(root, target, source) : path.join(root, target);
      await mkdir(path.dirname(place), { recursive: true });
      await cp(path.join(REPOSITORY, source), place, { recursive: true });
    }
  }
  await linkPackages(root);
  entryPoint = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? "[]") as string[];
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
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
  await writeFile(path.join(root, "definitions/user_info/user_info.sqlx"), "");
  const { exitCode, stderr } = await run();
  expect(exitCode).toBe(1);
  expect(stderr).toContain("definitions/user_info/user_info.sqlx: changed; run `npm run generate`");
});
