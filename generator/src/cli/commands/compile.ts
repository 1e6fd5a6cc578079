import { COMPILED_FOLDER, isCompiled, renderCompiled, SHOW_ALL } from "../../dataform/actions.ts";
import { compileProject } from "../../dataform/compiler.ts";
import { compareFiles } from "../../generate/write.ts";
import { defineCommand, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { writeOrCheck } from "../write-or-check.ts";

/** `npm run compile`: the SQL that BigQuery will get, as files to review. */
export const compile = defineCommand({
  name: "compile",
  summary: "the SQL of each action to compiled/",
  description:
    "Runs Dataform's own compiler and writes the SQL of each action as BigQuery gets it. Asks no BigQuery.",
  options: { check: flag("--check", "write nothing; print what differs and exit 1 if anything does") },
  examples: [
    { term: "npm run compile", meaning: "write compiled/<entity>/<action>.sql" },
    { term: "npm run compile -- --check", meaning: "in CI: is the committed SQL that of definitions/?" },
  ],
  exitCodes: [
    EXIT.done,
    { code: EXIT.failed, meaning: "it does not compile, or with --check: a file is stale" },
  ],
  async run(context, { options }) {
    const expected = renderCompiled(await compileProject(context.root, SHOW_ALL));
    const differences = await compareFiles(context.root, [COMPILED_FOLDER], expected, isCompiled);
    return writeOrCheck(context, "compile", options.check, expected.size, differences);
  },
});
