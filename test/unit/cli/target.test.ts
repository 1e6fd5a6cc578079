import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import type { Context } from "../../../generator/src/cli/command.ts";
import { environmentOf, speakIn } from "../../../generator/src/cli/environment-words.ts";
import { askOn, type Output, processOutput } from "../../../generator/src/cli/output.ts";
import { openTarget } from "../../../generator/src/cli/target.ts";

const root = await mkdtemp(path.join(tmpdir(), "target-"));
const settings = { defaultDatabase: "acme-crm", defaultSchema: "analytics", defaultLocation: "EU" };
await writeFile(path.join(root, "dataform.json"), JSON.stringify(settings));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(root, { recursive: true }));

/** Opens a real project, of which nobody here asks anything, and gives what was said and asked. */
async function open(state: string, answer: string | undefined, isSure = false): Promise<readonly string[]> {
  vi.stubEnv("BIGQUERY_EMULATOR_HOST", "");
  vi.stubEnv("XDG_STATE_HOME", path.join(root, state));
  const said: string[] = [];
  const ask = async (question: string): Promise<string> => {
    said.push(question);
    return answer ?? "";
  };
  const output: Output = {
    ...processOutput(),
    say: (text) => void said.push(text),
    ...(answer === undefined ? {} : { ask }),
  };
  const context: Context = { root, output, signal: new AbortController().signal, stands: () => undefined };
  await openTarget(context, { change: "Merge updates", isSure }).catch((error: Error) =>
    said.push(error.message),
  );
  return said;
}

const TARGET = "acme-crm.analytics (EU) at BigQuery";
const QUESTION =
  "Merge updates in acme-crm.analytics (EU) on BigQuery itself, for the first time from here? [y/N] ";
const REFUSAL = "nothing was changed; answer y, or give --yes, to go on";

it("a real project is changed for the first time only when somebody says so, and asked for once", async () => {
  expect(await open("one", "n")).toEqual([TARGET, QUESTION, REFUSAL]);
  expect(await open("one", "")).toEqual([TARGET, QUESTION, REFUSAL]);
  expect(await open("one", "y")).toEqual([TARGET, QUESTION]);
  expect(await open("one", "n")).toEqual([TARGET]);
});

it("with --yes, and where nobody can be asked, nothing is asked", async () => {
  expect(await open("two", "n", true)).toEqual([TARGET]);
  expect(await open("two", "n")).toEqual([TARGET]);
  expect(await open("three", undefined)).toEqual([TARGET]);
});

it.each([
  ["Ctrl+C", "\u0003"],
  ["Ctrl+D", "\u0004"],
])("%s at the question answers nothing, which is a no", async (_, key) => {
  const [input, shown] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY: true })];
  const answer = askOn(input, shown, QUESTION, new AbortController().signal);
  input.write(key);
  expect(await answer).toBe("");
});

it("what is to be run in an environment is told with its name, so that nobody changes production by it", () => {
  const said: string[] = [];
  const keep = (text: string) => void said.push(text);
  const output = speakIn({ ...processOutput(), line: keep, say: keep, note: keep }, "dev");
  output.line("final follows by npm run update -- --tags m --vars=rebuild=true,force=true");
  output.say("updates wait for the first run: npm run update; `npm run bad-rows`");
  output.note("m lacks a STRING; run `npm run init` without --env first, npm run init -- --env dev");
  output.note("run `npm run generate`; npm run update-all");
  expect(said).toEqual([
    "final follows by npm run update -- --env dev --tags m --vars=rebuild=true,force=true",
    "updates wait for the first run: npm run update -- --env dev; `npm run bad-rows -- --env dev`",
    "m lacks a STRING; run `npm run init` without --env first, npm run init -- --env dev",
    "run `npm run generate`; npm run update-all",
  ]);
  expect(environmentOf(["status", "--env", "dev"])).toBe("dev");
  expect(environmentOf(["status", "--env=dev", "--json"])).toBe("dev");
  expect(environmentOf(["status", "--", "--env", "dev"])).toBeUndefined();
});
