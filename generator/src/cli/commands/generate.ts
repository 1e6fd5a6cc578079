import { warnOfCompileCost } from "../../generate/compile-cost.ts";
import { buildModels, generateProject } from "../../generate/project.ts";
import { compareFiles, GENERATED_FOLDERS, isGenerated } from "../../generate/write.ts";
import { loadProject } from "../../project/load-project.ts";
import { defineCommand, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { writeOrCheck } from "../write-or-check.ts";

/** `npm run generate`: schemas to the files of the Dataform project. */
export const generate = defineCommand({
  name: "generate",
  summary: "schemas to definitions/",
  description:
    "Reads entities.json and the schemas that it names, and writes the Dataform project's files. Asks no BigQuery.",
  options: { check: flag("--check", "write nothing; print what differs and exit 1 if anything does") },
  examples: [
    { term: "npm run generate", meaning: "write what is new or changed, remove what is orphaned" },
    { term: "npm run generate -- --check", meaning: "in CI: are the committed files those of the schemas?" },
  ],
  exitCodes: [
    EXIT.done,
    { code: EXIT.failed, meaning: "an input is wrong, or with --check: a file is stale" },
  ],
  async run(context, { options }) {
    const { config, schemas, defaultDataset } = await loadProject(context.root);
    const expected = generateProject(config, schemas, { defaultDataset });
    const models = buildModels(config, schemas, { defaultDataset });
    const warning = warnOfCompileCost(models);
    if (warning !== undefined) context.output.note(warning);
    for (const { name, required, schemaFile, tables } of models)
      if (required.length > 0)
        context.output.note(
          `${name}: REQUIRED in ${schemaFile}: ${required.join(", ")}; an update has only what changed, so ${tables.updates} takes rows without`,
        );
    const differences = await compareFiles(context.root, GENERATED_FOLDERS, expected, isGenerated);
    return writeOrCheck(context, "generate", options.check, expected.size, differences);
  },
});
