import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { useFolder } from "../warehouse/folder.ts";

const folder = useFolder();
const script = fileURLToPath(new URL("../../../.ci/count-tests.mjs", import.meta.url));

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  testResults: {
    status: string;
    name?: string;
    message?: string;
    assertionResults: { status: string; fullName?: string; failureMessages?: string[] }[];
  }[];
}

const fine: Report = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  testResults: [{ status: "passed", assertionResults: [{ status: "passed" }] }],
};

/** What the script prints of these suites, each a report with the exit code of its command. */
async function count(...suites: [report: unknown, exitCode: number][]): Promise<[string, number | null]> {
  const places = suites.map(async ([report, exitCode], index) => {
    const file = await folder.write(`report${index}.json`, JSON.stringify(report) ?? "");
    return `${file}:${exitCode}`;
  });
  const { stdout, status } = spawnSync(process.execPath, [script, ...(await Promise.all(places))], {
    encoding: "utf8",
  });
  return [stdout.trim(), status];
}

describe(".ci/count-tests.mjs", () => {
  const cases: [string, unknown, number, string, number][] = [
    ["all passed", fine, 0, "3 passed, 0 failed", 0],
    ["some skipped", { ...fine, numPendingTests: 2 }, 0, "2 skipped\n3 passed, 0 failed", 0],
    ["some failed", { ...fine, numFailedTests: 2 }, 1, "3 passed, 2 failed", 1],
    [
      "a file that did not load",
      {
        ...fine,
        testResults: [
          ...fine.testResults,
          { status: "failed", assertionResults: [], name: "a.test.ts", message: "no such module" },
        ],
      },
      1,
      "FAILED a.test.ts: no such module\n3 passed, 1 failed",
      1,
    ],
    ["a check that failed before the tests", undefined, 2, "0 passed, 1 failed", 1],
    ["a runner that failed after its tests", fine, 1, "3 passed, 1 failed", 1],
    ["no test at all", { ...fine, numPassedTests: 0 }, 0, "0 passed, 1 failed", 1],
  ];
  for (const [name, report, exitCode, line, status] of cases) {
    it(`counts ${name}`, async () => expect(await count([report, exitCode])).toEqual([line, status]));
    it(`counts ${name} beside a suite that passed`, async () => {
      const passed = Number(/(\d+) passed/.exec(line)?.[1]);
      const both = await count([fine, 0], [report, exitCode]);
      expect(both).toEqual([line.replace(`${passed} passed`, `${passed + 3} passed`), status]);
    });
  }

  it("counts no suite at all as a failure", async () =>
    expect(await count()).toEqual(["0 passed, 0 failed", 1]));

  it("says what failed, and how its message begins, before it counts", async () => {
    const message = "EXACTNESS_SEED=7, scenario 0: the view\n  batch 0";
    const failure = { status: "failed", fullName: "random histories", failureMessages: [message] };
    const report = {
      ...fine,
      numFailedTests: 1,
      testResults: [{ status: "failed", assertionResults: [failure] }],
    };
    expect(await count([report, 1])).toEqual([
      "FAILED random histories: EXACTNESS_SEED=7, scenario 0: the view\n3 passed, 1 failed",
      1,
    ]);
  });
});
