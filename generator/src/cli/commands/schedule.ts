import { readProject } from "../../project/dataform-json.ts";
import { CommandError, messageOf } from "../../project/errors.ts";
import { readFolder } from "../../project/read-file.ts";
import { readSchedule } from "../../schedule/description.ts";
import { openDataform, planSchedule } from "../../schedule/managed-dataform.ts";
import { describeWanted } from "../../schedule/wanted.ts";
import { defineCommand, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";

/** `npm run schedule`: managed Dataform's repository, releases and workflows, as schedule.json describes them. */
export const schedule = defineCommand({
  name: "schedule",
  summary: "make or update managed Dataform's schedules",
  description:
    "Compares managed Dataform's repository, release and workflow configurations with schedule.json, and creates or updates what differs. It deletes nothing.",
  options: { plan: flag("--plan", "only print what would be done") },
  examples: [
    { term: "npm run schedule -- --plan", meaning: "look first" },
    { term: "npm run schedule", meaning: "do it" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run({ root, output }, { options }) {
    const project = await readProject(root);
    const wanted = describeWanted(await readSchedule(readFolder(root)), project);
    const client = openDataform();
    try {
      const steps = await planSchedule(client, wanted);
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
      throw new CommandError(`schedule: managed Dataform: ${messageOf(error)}`, { cause: error });
    } finally {
      await client.close();
    }
  },
});
