import { readOwnVariables } from "../../dataform/run-variables.ts";
import { compileRun } from "../../dataform/selection.ts";
import { readProject, readSettings } from "../../project/dataform-json.ts";
import { explainDataformError, lacksCredentials } from "../../project/errors.ts";
import { readFolder } from "../../project/read-file.ts";
import { readSchedule } from "../../schedule/description.ts";
import { openDataform, planSchedule, standInAddress } from "../../schedule/managed-dataform.ts";
import { describeWanted } from "../../schedule/wanted.ts";
import { defineCommand, ENVIRONMENT_OPTION, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { agree } from "../target.ts";

/** `npm run schedule`: managed Dataform's repository, releases and workflows, as schedule.json describes them. */
export const schedule = defineCommand({
  name: "schedule",
  summary: "make or update managed Dataform's schedules",
  description:
    "Compares managed Dataform's repository, release and workflow configurations with schedule.json, and creates or updates what differs. It deletes nothing.",
  options: {
    ...ENVIRONMENT_OPTION,
    plan: flag("--plan", "only print what would be done"),
    yes: flag("--yes", "do not ask before the first change of a real project"),
  },
  examples: [
    { term: "npm run schedule -- --plan", meaning: "look first; without credentials, at all that is wanted" },
    { term: "npm run schedule", meaning: "do it" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { options }) {
    const { root, output } = context;
    const { environment } = await readProject(root, context.environment);
    const read = readFolder(root);
    const project = {
      variables: () => readOwnVariables(root),
      compile: (vars: Readonly<Record<string, string>>) => compileRun(root, vars),
    };
    const described = await readSchedule(read, project, environment?.name);
    const wanted = describeWanted(described, await readSettings(read), environment);
    const standIn = standInAddress();
    const target = [wanted.repository.name, ...(environment ? [`environment ${environment.name}`] : [])];
    output.say(`${target.join(", ")} at ${standIn ?? "managed Dataform"}`);
    if (!options.plan && standIn === undefined)
      await agree(context, `${target.join(", ")} of managed Dataform`, "Make schedules", options.yes);
    const client = openDataform(standIn);
    try {
      // A call of the client without credentials fails twice, once outside of every promise.
      const isOnPaper = await client.auth.getClient().then(
        () => false,
        (error: unknown) => {
          if (!options.plan || !lacksCredentials(error)) throw error;
          output.note(
            "no Google Cloud credentials, so this is compared with nothing: all that schedule.json wants",
          );
          return true;
        },
      );
      const steps = await planSchedule(client, wanted, isOnPaper);
      const rows = steps.map(({ kind, name, action, changes }) => [
        `${kind} ${name}`,
        action === "none" ? "as it should be" : action,
        changes.join("\n"),
      ]);
      output.line(formatTable(["what", options.plan ? "would do" : "does", "in detail"], rows));
      if (options.plan) return EXIT.done;
      for (const step of steps) if (step.action !== "none") await step.apply();
      const done = steps.filter(({ action }) => action !== "none").length;
      output.line(done === 0 ? "nothing to do" : `${done} of ${steps.length} created or updated`);
      return EXIT.done;
    } catch (error) {
      throw explainDataformError(error);
    } finally {
      await client.close();
    }
  },
});
