import { parseArgs } from "node:util";
import { generateProject } from "../generate/project.ts";
import {
  compareFiles,
  type Difference,
  formatDifferences,
  GENERATED_FOLDERS,
  isGenerated,
  writeFiles,
} from "../generate/write.ts";
import { loadProject } from "../project/load-project.ts";
import { InputError } from "../project/problems.ts";

const USAGE = `usage: npm run generate [-- --check] [-- --project <folder>]
       npm run compile [-- --check] [-- --project <folder>]
  --check    write nothing; print what differs and exit 1 if anything does
  --project  the folder with entities.json and dataform.json (default: here)
  --verbose  print a stack trace with an error`;

/** Wrong usage of the command line: exit code 2. */
class UsageError extends Error {}

async function main(): Promise<number> {
  const { command, options } = readArguments();
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const root = options.project ?? process.cwd();
  if (command === "generate") return generate(root, options.check ?? false);
  const { compileProject, COMPILED_FOLDER, isCompiled } = await import("../dataform/compile.ts");
  const expected = await compileProject(root);
  const differences = await compareFiles(root, [COMPILED_FOLDER], expected, isCompiled);
  return finish(root, differences, options.check ?? false, expected.size, "compile");
}

async function generate(root: string, isCheck: boolean): Promise<number> {
  const { config, schemas, defaultDataset } = await loadProject(root);
  const expected = generateProject(config, schemas, { defaultDataset });
  const differences = await compareFiles(root, GENERATED_FOLDERS, expected, isGenerated);
  return finish(root, differences, isCheck, expected.size, "generate");
}

async function finish(
  root: string,
  differences: readonly Difference[],
  isCheck: boolean,
  total: number,
  command: string,
): Promise<number> {
  if (!isCheck) {
    await writeFiles(root, differences);
    for (const { path, kind } of differences)
      console.log(`${kind === "orphaned" ? "removed" : "wrote"} ${path}`);
    console.log(`${total} files, ${differences.length} of them new or changed`);
    return 0;
  }
  if (differences.length === 0) {
    console.log(`${total} files are up to date`);
    return 0;
  }
  console.log(formatDifferences(differences));
  console.error(
    `${differences.length} files are stale; run \`npm run ${command}\` and commit what it writes`,
  );
  return 1;
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        check: { type: "boolean" },
        help: { type: "boolean", short: "h" },
        project: { type: "string" },
        verbose: { type: "boolean" },
      },
    });
    const [command, ...rest] = positionals;
    if ((command !== "generate" && command !== "compile") || rest.length > 0) {
      throw new UsageError(`unknown command: ${positionals.join(" ") || "none"}`);
    }
    return { command, options: values };
  } catch (error) {
    throw error instanceof UsageError
      ? error
      : new UsageError(error instanceof Error ? error.message : String(error));
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const isVerbose = process.argv.includes("--verbose");
  if (error instanceof UsageError) {
    console.error(`${error.message}\n${USAGE}`);
    process.exitCode = 2;
  } else {
    const message = error instanceof Error ? error.message : String(error);
    console.error(isVerbose && error instanceof Error ? error.stack : message);
    if (!(error instanceof InputError) && !isVerbose) console.error("(--verbose shows where)");
    process.exitCode = 1;
  }
}
