/**
 * Every statement that Dataform compiles from the sample schemas and the golden cases, through Google's analyzer with a catalog
 * made from the schemas alone; and the temp query on the worked examples, evaluated by GoogleSQL's reference implementation.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileProject } from "../../generator/src/dataform/compiler.ts";
import { Analyzer } from "../../local/src/googlesql/analyzer.ts";
import { differences, storedVersionFields, withPlainVersions } from "../exactness/compare.ts";
import { type Action, planActions } from "../exactness/dataform.ts";
import { expectedFinal, START } from "../exactness/oracle.ts";
import { type Field, parseTimestamp, type Row } from "../exactness/values.ts";
import { rowFromJson } from "../exactness/wire.ts";
import { compileCase, GOLDEN, listCases } from "../golden/golden-case.ts";
import { type LoadedEntity, loadEntities } from "./load.ts";
import { Reference } from "./reference.ts";
import {
  analyzeScript,
  finalColumns,
  GrowingCatalog,
  PARTITIONS,
  TABLES,
  updateColumns,
} from "./script-analysis.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SETTINGS = JSON.parse(readFileSync(join(ROOT, "dataform.json"), "utf8")) as Record<string, string>;
const DATASET = SETTINGS.defaultSchema ?? "";
const DATABASE = SETTINGS.defaultDatabase ?? "";
const RUNS = {
  plain: {},
  "replayFrom=…": { replayFrom: "2024-01-01T00:00:04Z" },
  "rebuild=true": { rebuild: "true" },
  "auditShare=0.5": { auditShare: "0.5" },
};

let analyzer: Analyzer;
beforeAll(async () => {
  analyzer = new Analyzer();
  await analyzer.start();
});
afterAll(() => analyzer.close());

/** Analyzes all jobs of all actions; gives what was refused, with the action's name. */
async function refusals(entities: readonly LoadedEntity[], actions: readonly Action[]): Promise<string[]> {
  const catalog = new GrowingCatalog(DATABASE);
  for (const { entity, dataset, updates, final } of entities) {
    catalog.add([dataset, updates], updateColumns(entity));
    catalog.add([dataset, final], finalColumns(entity));
    catalog.add([DATABASE, dataset, "INFORMATION_SCHEMA", "PARTITIONS"], PARTITIONS);
    catalog.add([DATABASE, dataset, "INFORMATION_SCHEMA", "TABLES"], TABLES);
  }
  const refused: string[] = [];
  for (const { target, jobs, incrementalJobs = [] } of actions) {
    for (const job of [...jobs, ...incrementalJobs]) {
      await analyzeScript(analyzer, catalog, job).catch((error: unknown) =>
        refused.push(`${target.name}: ${error}`),
      );
    }
  }
  return refused;
}

describe("the sample schemas", () => {
  const entities = loadEntities(join(ROOT, "entities.json"), DATASET);

  test.each(Object.entries(RUNS))("every compiled statement of a run with %s analyzes", async (_, vars) => {
    const actions = planActions(await compileProject(ROOT, { vars }));
    expect(actions.length).toBeGreaterThanOrEqual(entities.length * 7);
    expect(await refusals(entities, actions)).toEqual([]);
  });

  test("the analyzer refuses what is wrong", async () => {
    const [action] = planActions(await compileProject(ROOT)).filter(({ kind }) => kind === "view");
    const broken = action?.jobs.map((job) => job.replace("ingestTimestamp", "nope")) ?? [];
    expect(await refusals(entities, [{ ...(action as Action), jobs: broken }])).toEqual([
      expect.stringContaining("Unrecognized name: nope"),
    ]);
  });
});

describe("the golden cases", async () => {
  test.each(await listCases())("every compiled statement of %s analyzes", async (name) => {
    const vars = { audit: "true", replayFrom: "2024-01-01T00:00:04Z" };
    const actions = planActions(await compileCase(name, { vars }));
    expect(await refusals(loadEntities(join(GOLDEN, name, "entities.json"), DATASET), actions)).toEqual([]);
  });
});

describe("the worked examples on the reference implementation", () => {
  const reference = new Reference();
  afterAll(() => reference.close());

  async function evaluate(
    { entity, dataset, updates, watermark, temp }: LoadedEntity,
    rows: readonly Row[],
    readFrom: bigint,
  ): Promise<Row[]> {
    const actions = planActions(await compileProject(ROOT));
    const query = actions.find(({ target }) => target.name === temp)?.query ?? "";
    // What the script declares stands in the tables as columns: columns win over variables.
    const stamps: Field[] = ["_read_from", "_read_at"].map((name) => ({ name, type: "TIMESTAMP" }));
    const read = { _read_from: readFrom, _read_at: parseTimestamp("2024-01-02T00:00:00") };
    const stored = await reference.evaluate(
      query,
      [
        {
          name: `${DATABASE}.${dataset}.${updates}`,
          fields: [...entity.fields, ...stamps],
          rows: rows.map((row) => ({ ...row, ...read })),
        },
        {
          name: `${DATABASE}.${dataset}.${watermark}`,
          fields: [{ name: "watermark", type: "TIMESTAMP" }, ...stamps],
          rows: [{ watermark: START, ...read }],
        },
      ],
      [...entity.fields, ...storedVersionFields(entity)],
    );
    const users = stored.filter((row) => entity.key.some((column) => row[column] !== null));
    return users.map((row) => withPlainVersions(entity, row));
  }

  const loaded = loadEntities(join(ROOT, "entities.json"), DATASET).map(
    (entity) => [entity.updates, entity] as const,
  );

  test.each(loaded)("%s: all samples in one batch", async (_, entity) => {
    const rows = samplesOf(entity);
    const expected = expectedFinal(entity.entity, rows);
    expect(expected.size).toBeGreaterThanOrEqual(3);
    expect(differences(entity.entity, await evaluate(entity, rows, START), expected)).toEqual([]);
  });

  test.each(loaded)("%s: only what came since", async (_, entity) => {
    const from = parseTimestamp("2024-01-01T00:00:05");
    const rows = samplesOf(entity);
    const since = rows.filter((row) => (row[entity.entity.ingestTimestamp] as bigint) >= from);
    const batch = await evaluate(entity, rows, from);
    expect(batch.length).toBe(2);
    expect(differences(entity.entity, batch, expectedFinal(entity.entity, since))).toEqual([]);
  });

  test("user_info: the design's table", async () => {
    const entity = loaded[0]?.[1] as LoadedEntity;
    const rows = await evaluate(entity, samplesOf(entity), START);
    const table = rows.map(({ userId, ingestTimestamp, attribute1, attribute2, attribute3 }) =>
      [
        userId,
        (ingestTimestamp as bigint) / 1_000_000n - 1_704_067_200n,
        attribute1,
        attribute2,
        attribute3,
      ].join(" "),
    );
    expect(table.sort()).toEqual(["userA 7 xyz dat lot", "userB 6 cor mvp ytrewq", "userC 3 zyx pvm qywter"]);
  });

  function samplesOf({ entity, updates }: LoadedEntity): Row[] {
    const name = updates.replace(/_updates$/, "");
    const lines = [1, 2].flatMap((part) =>
      readFileSync(join(ROOT, "samples", `${name}_${part}.ndjson`), "utf8")
        .trim()
        .split("\n"),
    );
    return lines.map((line) => rowFromJson(entity.fields, JSON.parse(line) as Record<string, unknown>));
  }
});
