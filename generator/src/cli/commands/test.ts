import { COMPILED_FOLDER, isCompiled, renderCompiled, SHOW_ALL } from "../../dataform/actions.ts";
import { runDataform } from "../../dataform/cli.ts";
import { compileProject } from "../../dataform/compiler.ts";
import { withCredentials } from "../../dataform/credentials.ts";
import { refuseStale } from "../../generate/read-entities.ts";
import { compareFiles } from "../../generate/write.ts";
import { readProject } from "../../project/dataform-json.ts";
import { CommandError } from "../../project/errors.ts";
import { emulatorAddress } from "../../warehouse/endpoint.ts";
import { defineCommand } from "../command.ts";
import { findEndpoint } from "../endpoint-package.ts";
import { EXIT } from "../exit-codes.ts";

/** `npm test` of a project of one's own: is what is committed what the schemas say, and does the SQL pass its tests? */
export const test = defineCommand({
  name: "test",
  summary: "what checks a project: nothing is stale, and the SQL passes its tests",
  description:
    "Checks that definitions/ and compiled/ are those of the schemas, and runs `dataform test` on a local endpoint of its own, or on the one that BIGQUERY_EMULATOR_HOST names.",
  options: {},
  examples: [{ term: "npm test", meaning: "in CI, and before a commit" }],
  exitCodes: [EXIT.done, EXIT.failed],
  async run({ root, output }) {
    await refuseStale(root);
    const expected = renderCompiled(await compileProject(root, SHOW_ALL));
    const [stale] = await compareFiles(root, [COMPILED_FOLDER], expected, isCompiled);
    if (stale !== undefined) throw new CommandError(`${stale.path}: ${stale.kind}; run \`npm run compile\``);
    output.line("definitions/ and compiled/ are up to date");
    const project = await readProject(root);
    const server =
      emulatorAddress() === undefined ? await (await findEndpoint("npm test"))({ port: 0 }) : undefined;
    try {
      if (server !== undefined) process.env.BIGQUERY_EMULATOR_HOST = server.url;
      // There is none here to ask for credentials, and the client would look for it.
      process.env.METADATA_SERVER_DETECTION ??= "none";
      const { exitCode } = await withCredentials(project, (credentials) =>
        runDataform(project, ["test", ".", `--credentials=${credentials}`], {
          stdout: (text) => output.write(text),
          stderr: (text) => output.note(text.trimEnd()),
        }),
      );
      return exitCode === 0 ? EXIT.done : EXIT.failed;
    } finally {
      await server?.close();
    }
  },
});
