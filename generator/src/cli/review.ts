import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { readProject } from "../project/dataform-json.ts";
import { CommandError, codeOf, messageOf, wrongUsage } from "../project/errors.ts";
import { InputError } from "../project/problems.ts";
import { findBase } from "../review/git.ts";
import { formatMarkdown } from "../review/markdown.ts";
import { compareSides } from "../review/review.ts";
import { readBase, readHead } from "../review/sides.ts";
import { formatTerminal } from "../review/terminal.ts";
import { askWarehouse } from "../review/warehouse.ts";

const USAGE = `usage: npm run review -- --base <ref> [--format markdown|terminal] [--out FILE]
What the working tree changes since it left <ref>: schema, graph, compiled SQL, cost, and what to do about it.
  --base     a branch, tag or commit, such as origin/main
  --format   markdown for a pull request's comment (the default where the output is no terminal), or terminal
  --out      write to this file
  --project  the folder with entities.json and dataform.json (default: here)
  --verbose  print a stack trace with an error`;

async function main(): Promise<void> {
  const { base: ref, format, out, project: folder, help } = readArguments();
  if (help === true) return void process.stdout.write(`${USAGE}\n`);
  if (ref === undefined || ref === "")
    throw wrongUsage("review: name what to compare with, such as --base origin/main");
  const isTerminal = process.stdout.isTTY === true && out === undefined;
  const chosen = format ?? (isTerminal ? "terminal" : "markdown");
  if (chosen !== "markdown" && chosen !== "terminal")
    throw wrongUsage(`review: --format ${chosen}: expected markdown or terminal`);

  const root = path.resolve(folder ?? ".");
  const project = await readProject(root);
  const base = await findBase(root, ref);
  const [before, after] = await Promise.all([readBase(root, base.commit), readHead(root)]);
  const changes = compareSides(base, before, after, project.projectId);
  const review = { ...changes, ...(await askWarehouse(project, after.models, changes.graph.actions)) };
  const isColoured = isTerminal && process.env.NO_COLOR === undefined;
  const text = chosen === "markdown" ? formatMarkdown(review) : formatTerminal(review, isColoured);
  if (out === undefined) process.stdout.write(text);
  else {
    await writeFile(out, text).catch((error: unknown) => {
      throw wrongUsage(
        `review: --out ${out}: cannot be written (${codeOf(error)}); name a file in a folder that is there`,
      );
    });
  }
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        base: { type: "string" },
        format: { type: "string" },
        out: { type: "string" },
        project: { type: "string" },
        help: { type: "boolean", short: "h" },
        verbose: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw wrongUsage(`review: ${messageOf(error)}`);
  }
}

try {
  await main();
} catch (error) {
  const isExpected = error instanceof CommandError || error instanceof InputError;
  if (process.argv.includes("--verbose") && error instanceof Error) console.error(error.stack);
  else if (isExpected) console.error(error.message);
  else console.error(`${messageOf(error)} (--verbose shows where)`);
  process.exitCode = error instanceof CommandError ? error.exitCode : 1;
}
