import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { documentedCommands, ELSEWHERE, NOT_RUN, RUN } from "../../docs/commands.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

it("each command of README and docs is run by a test, or said not to be", () => {
  const here = new Set(RUN);
  const left = documentedCommands().filter((command) => !here.delete(command));
  const unknown = left.filter(
    (command) => ![...ELSEWHERE, ...NOT_RUN].some(([pattern]) => pattern.test(command)),
  );
  expect(unknown).toEqual([]);
  expect([...here], "no page has it any more").toEqual([]);
  const unused = [...ELSEWHERE, ...NOT_RUN].filter(
    ([pattern]) => !left.some((command) => pattern.test(command)),
  );
  expect(unused).toEqual([]);
});

it.each(ELSEWHERE.map(([, file, written]) => [file, written]))("%s runs %s", (file, written) => {
  expect(readFileSync(path.join(ROOT, file), "utf8").includes(written)).toBe(true);
});
