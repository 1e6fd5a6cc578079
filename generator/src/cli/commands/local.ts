import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { CommandError } from "../../project/errors.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";

const PACKAGE = "bigquery-local";

/** `npm run local`: the local BigQuery endpoint, which is a package of its own. */
export const local = defineCommand({
  name: "local",
  isForAnyVersion: true,
  summary: "the local BigQuery endpoint",
  description: `Starts the BigQuery endpoint for this machine, package ${PACKAGE}; \`npx ${PACKAGE} --help\` lists its options.`,
  options: {},
  passesThrough: PACKAGE,
  examples: [
    { term: "npm run local", meaning: "in memory, on port 9050" },
    {
      term: "npm run local -- --port 0 --data tables.duckdb",
      meaning: "any free port, tables kept in a file",
    },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  interrupted: "the endpoint ends with it",
  async run(_, { args }) {
    const child = spawn(process.execPath, [await findProgram(), ...args], { stdio: "inherit" });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, forward);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return code === EXIT.done || code === EXIT.wrongUsage ? code : EXIT.failed;
  },
});

/** The endpoint's bin, by its package's name. */
async function findProgram(): Promise<string> {
  try {
    const description = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
    const { bin } = JSON.parse(await readFile(description, "utf8")) as { bin: Record<string, string> };
    return path.join(path.dirname(description), bin[PACKAGE] ?? "");
  } catch (error) {
    throw new CommandError(
      `${PACKAGE} is not installed; run \`npm install --save-dev ${PACKAGE}\`, or unset BIGQUERY_EMULATOR_HOST to use BigQuery itself`,
      { cause: error },
    );
  }
}
