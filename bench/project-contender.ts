import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { writeTemporaryProject } from "../generator/src/dataform/project-copy.ts";
import { resolveSelection } from "../generator/src/dataform/selection.ts";
import { generateProject } from "../generator/src/generate/project.ts";
import { readEntities } from "../generator/src/generate/read-entities.ts";
import { compareFiles, GENERATED_FOLDERS, isGenerated, writeFiles } from "../generator/src/generate/write.ts";
import { readProject } from "../generator/src/project/dataform-json.ts";
import { loadProject } from "../generator/src/project/load-project.ts";
import { openWarehouse } from "../generator/src/warehouse/client.ts";
import { applyInit, planInit } from "../generator/src/warehouse/init/init.ts";
import { runUpdate } from "../generator/src/warehouse/update.ts";
import type { Contender, Ground } from "./contender.ts";
import { columnsOf } from "./data.ts";

const REPOSITORY = path.join(import.meta.dirname, "..");

/**
 * This project as people run it: a folder with an entity, `generate`, `init`, and then `update` for each run, with Dataform's own CLI.
 * `options` are further keys of the entity.
 */
export async function thisProject(
  ground: Ground,
  name: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<Contender> {
  const { client, dataset, size } = ground;
  const entity = {
    name: "user_info",
    schema: "schemas/user_info.json",
    key: ["userId"],
    ingestTimestamp: "ingestTimestamp",
    ...options,
  };
  const settings = {
    warehouse: "bigquery",
    defaultDatabase: client.projectId,
    defaultSchema: dataset,
    assertionSchema: dataset,
    defaultLocation: "US",
  };
  const files = new Map([
    ["entities.json", JSON.stringify({ entities: [entity] })],
    ["dataform.json", JSON.stringify(settings)],
    ["schemas/user_info.json", JSON.stringify({ fields: columnsOf(size.attributes) })],
  ]);
  files.set("package.json", await readFile(path.join(REPOSITORY, "package.json"), "utf8"));
  const root = await writeTemporaryProject(files, REPOSITORY);
  const warehouse = openWarehouse(await readProject(root));
  const sink = { stdout: () => undefined, stderr: () => undefined };
  return {
    name,
    updates: "user_info_updates",
    result: "user_info",
    final: "user_info_final",
    prepare: async () => {
      const { config, schemas, defaultDataset } = await loadProject(root);
      const generated = generateProject(config, schemas, { defaultDataset });
      await writeFiles(root, await compareFiles(root, GENERATED_FOLDERS, generated, isGenerated));
      await applyInit(await planInit(warehouse, await readEntities({ root })));
    },
    run: async (merge = false) => {
      const { project } = warehouse;
      const vars = merge ? ["--vars=merge=true"] : [];
      const selection = await resolveSelection(project, ["--tags", "user_info", ...vars]);
      const { failures } = await runUpdate(project, { selection, sink, onRetry: () => undefined });
      const [failure] = failures;
      if (failure !== undefined) throw new Error(`${failure.action}: ${failure.message}`);
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}
