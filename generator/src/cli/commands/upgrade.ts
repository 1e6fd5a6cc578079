import { readEntities } from "../../generate/read-entities.ts";
import { type Difference, writeFiles } from "../../generate/write.ts";
import { TOOL } from "../../project/tool-version.ts";
import { renewPackages } from "../../scaffold/pack-tool.ts";
import { planUpgrade, type UpgradePlan } from "../../scaffold/upgrade.ts";
import { applyInit, planInit } from "../../warehouse/init/init.ts";
import type { Step } from "../../warehouse/init/step.ts";
import { type Context, defineCommand, ENVIRONMENT_OPTION, flag, text } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { formatSteps } from "../steps.ts";
import { openTarget } from "../target.ts";

/** `npm run upgrade`: a project and its tables as this version of the tool has them. */
export const upgrade = defineCommand({
  name: "upgrade",
  isForAnyVersion: true,
  summary: "bring a project and its tables from any earlier version to this one",
  description:
    "Rewrites the files that an earlier version of the tool wrote, and migrates the tables as `init` does. What people changed stays as it is, and is named; no table is dropped.",
  options: {
    ...ENVIRONMENT_OPTION,
    plan: flag("--plan", "only print what would become new"),
    // npm has an --only of its own and drops one without `--` in front without a trace.
    part: text("--part <part>", "only one part of it: files in a pull request, tables where they are", [
      "files",
      "tables",
    ]),
    yes: flag("--yes", "do not ask before the first change of a real project"),
  },
  examples: [
    { term: "npx user-info-updater upgrade --plan", meaning: "look first" },
    { term: "npx user-info-updater upgrade", meaning: "do it: the files, then the tables" },
    {
      term: "npm run upgrade -- --part files",
      meaning: "without BigQuery; the tables follow by npm run init",
    },
  ],
  exitCodes: [EXIT.done, EXIT.failed],
  interrupted: "each file and each table is changed whole or not at all; run it again to go on",
  async run(context, { options }) {
    const { root, output, signal } = context;
    const plan = await planUpgrade(root);
    const hasFiles = options.part !== "tables";
    const steps = options.part === "files" ? [] : await planTables(context, options);
    output.line(`from ${plan.from ?? "no version that its files name"} to ${TOOL.version}`);
    if (hasFiles) for (const line of describeFiles(plan)) output.line(line);
    if (steps.length > 0) output.line(formatSteps(steps, options.plan));
    if (options.plan) return EXIT.done;
    if (hasFiles) {
      await writeFiles(root, plan.differences);
      if (plan.needsPackages) await renewPackages(root);
    }
    await applyInit(steps, () => signal.throwIfAborted());
    if (hasFiles)
      output.say("next: npm install --include=dev, read the difference (git diff), and commit it");
    return EXIT.done;
  },
});

/** What `init` would do to the tables; the entities are read as they stand, since upgrading does not change what they say. */
async function planTables(
  context: Context,
  { plan, yes }: { readonly plan: boolean; readonly yes: boolean },
): Promise<readonly Step[]> {
  const change = plan ? undefined : "Migrate tables";
  const warehouse = await openTarget(context, { change, isSure: yes });
  return planInit(warehouse, await readEntities(warehouse.project));
}

function describeFiles({ differences, notes, needsPackages }: UpgradePlan): readonly string[] {
  const WORDS: Readonly<Record<Difference["kind"], string>> = {
    changed: "becomes new",
    missing: "is added",
    orphaned: "goes",
  };
  return [
    ...differences.map(({ path, kind }) => `${path}: ${WORDS[kind]}`),
    ...(needsPackages ? [`packages/: the tool and the endpoint of ${TOOL.version}`] : []),
    ...(differences.length === 0 && !needsPackages ? ["its files are as this version writes them"] : []),
    ...notes,
  ];
}
