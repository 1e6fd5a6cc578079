import { readEntities } from "../../generate/read-entities.ts";
import { wrongUsage } from "../../project/errors.ts";
import { listDrops } from "../../warehouse/uninstall.ts";
import { defineCommand, ENVIRONMENT_OPTION, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { openTarget } from "../target.ts";

/** `npm run uninstall`: what there would be to drop. */
export const uninstall = defineCommand({
  name: "uninstall",
  summary: "what the project has made in BigQuery, as statements that drop it; drops nothing",
  description:
    "Prints a DROP for each table and view of each entity that is there. It runs none of them; updates and deleted users, which cannot be made again, and a final that was another tool's stand in comments.",
  options: {
    ...ENVIRONMENT_OPTION,
    plan: flag("--plan", "print the statements; needed, since nothing else is done"),
    json: flag("--json", "print them as JSON"),
  },
  examples: [
    {
      term: "npm run --silent uninstall -- --plan --quiet > drop.sql",
      meaning: "a script to read, and to run by hand",
    },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { options }) {
    if (!options.plan)
      throw wrongUsage("uninstall: it drops nothing by itself; write npm run uninstall -- --plan");
    const { output } = context;
    const warehouse = await openTarget(context);
    const entities = await readEntities(warehouse.project);
    const drops = await Promise.all(entities.map((entity) => listDrops(warehouse, entity)));
    if (options.json) output.json(drops);
    else
      for (const { entity, made, kept, adopted } of drops) {
        const isNothing = made.length + kept.length + adopted.length === 0;
        output.line(`-- ${entity}${isNothing ? ": nothing is there" : ""}`);
        for (const statement of made) output.line(statement);
        if (kept.length > 0) output.line("-- cannot be made again: what producers sent, and who was deleted");
        for (const statement of kept) output.line(`-- ${statement}`);
        if (adopted.length > 0)
          output.line("-- not made by this project, but adopted: it was another tool's");
        for (const statement of adopted) output.line(`-- ${statement}`);
      }
    return EXIT.done;
  },
});
