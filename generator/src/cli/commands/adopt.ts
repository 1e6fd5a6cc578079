import { resolveSelection } from "../../dataform/selection.ts";
import { placeOf, placeText } from "../../generate/model.ts";
import { findEntity, readEntities, refuseStale } from "../../generate/read-entities.ts";
import { onlyReadsUpdates } from "../../project/environments.ts";
import { CommandError, wrongUsage } from "../../project/errors.ts";
import { loadProject } from "../../project/load-project.ts";
import { keepMeaning } from "../../review/meaning.ts";
import { type Adoption, planAdoption, seedUpdates } from "../../warehouse/adopt.ts";
import { applyInit, planInit } from "../../warehouse/init/init.ts";
import { readRuns } from "../../warehouse/status.ts";
import { describeFailures, runUpdate } from "../../warehouse/update.ts";
import { defineCommand, ENVIRONMENT_OPTION, flag } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { countOf } from "../numbers.ts";
import { costOf, RunReport, summarize } from "../run-report.ts";
import { formatSteps } from "../steps.ts";
import { openTarget } from "../target.ts";

/** `npm run adopt`: another tool's tables become this project's. */
export const adopt = defineCommand({
  name: "adopt",
  summary: "take over the updates and the final of another tool",
  description:
    "Extends both tables, appends to the updates what only final still holds, as older than any update, and rebuilds final from them: with one row per user, and nothing lost. Drops nothing.",
  args: [{ term: "<entity>", meaning: "an entity of entities.json; its tables name the other tool's" }],
  options: {
    ...ENVIRONMENT_OPTION,
    plan: flag("--plan", "only print what would be done, and what cannot be known"),
    yes: flag("--yes", "do not ask before the first change of a real project"),
  },
  examples: [
    { term: "npm run adopt -- user_info --plan", meaning: "look first" },
    { term: "npm run adopt -- user_info", meaning: "do it, while the other tool stands still" },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  interrupted:
    "what was appended counts as older than any update, and final is as it was or done; run it again",
  async run(context, { options, args: [name = ""] }) {
    const { output, signal } = context;
    const change = options.plan ? undefined : "Adopt tables";
    const warehouse = await openTarget(context, { change, isSure: options.yes });
    const { project } = warehouse;
    if (onlyReadsUpdates(project.environment))
      throw wrongUsage(
        `adopt: environment ${project.environment?.name} only reads the updates; leave --env out`,
      );
    const entity = findEntity(await readEntities(project), name);
    if (entity.source !== undefined)
      throw wrongUsage(
        `adopt: ${name} reads ${placeText(placeOf(entity, "updates"))}, which is others' and only read here, so nothing can be appended there; copy it into tables.updates, or begin with an empty final`,
      );
    await refuseStale(project.root);
    const steps = await planInit(warehouse, [entity]);
    const adoption = await planAdoption(warehouse, entity);
    if (adoption === undefined) {
      output.line(
        `${name}: every row of ${entity.tables.final} is of this project's own runs; nothing to adopt`,
      );
      return EXIT.done;
    }
    for (const line of describeAdoption(adoption)) output.line(`${name}: ${line}`);
    output.line(formatSteps(steps, options.plan));
    if (options.plan) return EXIT.done;
    const selection = await resolveSelection(project, ["--tags", name, "--vars=rebuild=true,force=true"]);
    await applyInit(steps, () => signal.throwIfAborted());
    await seedUpdates(warehouse, entity);
    signal.throwIfAborted();
    const report = new RunReport(output, selection.actions);
    const result = await runUpdate(project, { selection, sink: report.sink, onRetry: output.note }).finally(
      () => report.stop(),
    );
    signal.throwIfAborted();
    if (result.failures.some(({ kind }) => kind === "action"))
      throw new CommandError(describeFailures(result));
    await keepMeaning(warehouse, await loadProject(project.root), entity);
    const { watermark, runs } = await readRuns(warehouse, entity);
    const [run] = runs;
    if (run !== undefined)
      output.line(`${summarize(name, run, watermark)}, ${costOf(report.milliseconds, report.bytesBilled)}`);
    return EXIT.done;
  },
});

function describeAdoption({ model, ...found }: Adoption): readonly string[] {
  const { updates, final } = model.tables;
  const { twins } = found;
  return [
    `${countOf(found.rows, "row")} of ${countOf(found.users, "user")} in ${final}`,
    ...(twins.users === 0
      ? []
      : [
          `${countOf(twins.users, "user")} with more than one row (${twins.keys.join(", ")}${twins.users > twins.keys.length ? ", …" : ""}): merged, the values of the newer row first`,
        ]),
    ...(found.rowsWithoutKey === 0
      ? []
      : [`${countOf(found.rowsWithoutKey, "row")} without a key: left out of final`]),
    ...(found.usersWithoutRow === 0
      ? []
      : [
          `${countOf(found.usersWithoutRow, "user")} with updates and without a row: they get one; whom the other tool deleted must be deleted in ${updates} first`,
        ]),
    ...found.attributes.flatMap(({ path, onlyInFinal, otherwise }) => [
      ...(onlyInFinal === 0
        ? []
        : [
            `${path}: ${countOf(onlyInFinal, "value")} that no update holds: appended to ${updates}, as older than any update`,
          ]),
      ...(otherwise === 0
        ? []
        : [
            `${path}: ${countOf(otherwise, "user")} whose updates say otherwise: what the updates say counts`,
          ]),
    ]),
    "not to be known: when the appended values were set, so any update is newer; and who was deleted, so a late update would bring them back",
  ];
}
