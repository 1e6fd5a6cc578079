import { existsSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { documentedCommands, ELSEWHERE, NOT_RUN, RUN, testOf } from "../../docs/commands.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

it("each command of README and docs is run by a test, or said not to be", () => {
  const here = new Set(RUN);
  const left = documentedCommands().filter(
    (command) => !here.delete(command) && testOf(command) === undefined,
  );
  const others = [...ELSEWHERE, ...NOT_RUN];
  expect(left.filter((command) => !others.some(([pattern]) => pattern.test(command)))).toEqual([]);
  expect([...here], "no page has it any more").toEqual([]);
});

it("no test is taken for one of a command or an option that it does not give", () => {
  expect(testOf("npm run init -- --env dev")).toBe("test/e2e/environments.test.ts");
  expect(testOf("npm run init -- --envs dev")).toBeUndefined();
  // Both are tested, and never in one call.
  expect(testOf("npm run init -- --env dev --json")).toBeUndefined();
  expect(testOf("npm run overview")).toBeUndefined();
});

it.each(ELSEWHERE)("%s is run by %s, which is there", (_, file) => {
  expect(existsSync(path.join(ROOT, file))).toBe(true);
});
