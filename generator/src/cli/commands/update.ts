import { asksForTag, hasFlag } from "../../dataform/flags.ts";
import { readEntities, refuseStale } from "../../generate/read-entities.ts";
import { CommandError } from "../../project/errors.ts";
import { readLastErase } from "../../warehouse/erasure.ts";
import { refuseUnextended } from "../../warehouse/init.ts";
import { runUpdate } from "../../warehouse/update.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { openTarget } from "../target.ts";

/** `npm run update`: `dataform run` with its traps closed. */
export const update = defineCommand({
  name: "update",
  summary: "merge what is new: dataform run with its traps closed",
  description:
    "Runs `dataform run`: refuses stale SQLX and a selection of nothing, and runs an aborted transaction again. Flags that are not its own go to Dataform.",
  options: {},
  passesThrough: "dataform run",
  variables: [
    { term: "replayFrom", meaning: "a time, such as 2026-01-01T00:00:00Z: read again from there" },
    {
      term: "rebuild",
      meaning: "true: recompute final from all history, swapped in by the same transaction",
    },
    {
      term: "audit",
      meaning: "true: compile the audit, which compares final with a recompute over all history",
    },
    { term: "auditShare", meaning: "the share of users that the audit looks at, such as 0.01" },
  ],
  tags: [
    { term: "<entity>", meaning: "one entity's actions" },
    { term: "audit", meaning: "only the audit" },
    { term: "erase", meaning: "remove the older updates of deleted users" },
  ],
  examples: [
    { term: "npm run update", meaning: "everything" },
    { term: "npm run update -- --tags user_info", meaning: "one entity" },
    { term: "npm run update -- --vars=rebuild=true", meaning: "from all history" },
    { term: "npm run update -- --dry-run", meaning: "what would run, without running it" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  async run(context, { args }) {
    const warehouse = await openTarget(context);
    const { project } = warehouse;
    await refuseStale(project.root);
    const entities = await readEntities(project.root);
    await refuseUnextended(warehouse, entities);
    const erasing =
      asksForTag(args, "erase") && !hasFlag(args, "dry-run") ? entities.filter(({ deletes }) => deletes) : [];
    const earlier = await Promise.all(erasing.map((entity) => readLastErase(warehouse, entity)));
    await runUpdate(project, {
      flags: args,
      sink: { stdout: (text) => process.stdout.write(text), stderr: (text) => process.stderr.write(text) },
    });
    for (const [index, entity] of erasing.entries()) {
      const erased = await readLastErase(warehouse, entity);
      if (erased === undefined || erased.runId === earlier[index]?.runId) {
        throw new CommandError(
          `${entity.name}: nothing was erased, since a run of everything was under way; run it again`,
        );
      }
      context.output.line(
        `${entity.name}: ${erased.updates} updates of ${erased.users} deleted users erased`,
      );
    }
    return EXIT.done;
  },
});
