import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Three suites, by folder and by file name:
 * - core, `npm test`: what a change must pass before it is sent. Units, golden cases, a smoke test of each way in, and of the random
 *   suites a slice with a fixed seed.
 * - deep, `npm run test:deep`: what CI runs besides: random seeds, many histories and kills, every command against a warehouse, every
 *   client, every probe.
 * - long, `npm run test:long`: soaks and sizes that take an hour, by hand.
 * A test is in one suite; only the random ones are in two, small and large.
 */
const DEEP = "**/*.deep.test.ts";
const LONG = "**/*.long.test.ts";
/** Of the folders of the deep suite, what is in the core one: smoke tests and the random suites' own tests; and what is in both. */
const CORE = ["e2e/demo", "e2e/examples", "exactness/oracle", "exactness/arbitraries"].map(inTest);
const SLICED = ["exactness/property", "exactness/failures"].map(inTest);

/** How large the random suites are where nobody says otherwise; a seed that is not given is random. */
const SLICE = { EXACTNESS_SEED: "1", EXACTNESS_HISTORIES: "20", EXACTNESS_KILLS: "2", EXACTNESS_EVERY: "24" };

/** The demo's test runs the Dataform CLI as it is; the others, which do so a hundred times more, have its parser's work done once. */
const PARSED_ONCE = {
  NODE_OPTIONS: `--require ${JSON.stringify(fileURLToPath(new URL("test/parsed-once.cjs", import.meta.url)))}`,
};

/** Whole runs first: where one of them came last, the other worker would have nothing left to do. */
class WholeRunsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isWholeRun = ({ moduleId }: TestSpecification) => /\/(e2e|exactness|clients)\//.test(moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(isWholeRun), ...sorted.filter((file) => !isWholeRun(file))];
  }
}

export default defineConfig({
  test: {
    // Many a test runs whole commands, up to a dozen one after another, on whatever machine CI has left.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "forks",
    sequence: { sequencer: WholeRunsFirst },
    // No module holds state that a test could leave behind, and each file would load the endpoint's 250 modules anew.
    isolate: false,
    // The tests wait for processes of their own much of the time: one file less than cores would leave half a machine idle.
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        test: {
          name: "core",
          include: ["test/unit/**/*.test.ts", "local/test/unit/**/*.test.ts", ...CORE, ...SLICED],
          exclude: [...configDefaults.exclude, DEEP, LONG],
          env: { ...SLICE, ...given(SLICE), ...PARSED_ONCE },
        },
      },
      {
        extends: true,
        test: {
          name: "deep",
          include: ["test/**/*.test.ts", "local/test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...CORE, "{test,local/test}/unit/**/!(*.deep).test.ts", LONG],
          env: PARSED_ONCE,
        },
      },
      { extends: true, test: { name: "long", include: [LONG] } },
    ],
  },
});

/** The same variables where the environment has them: what is asked for by hand goes before what is set here. */
function given(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.keys(variables).flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function inTest(name: string): string {
  return `test/${name}.test.ts`;
}
