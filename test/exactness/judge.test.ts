/**
 * The second judge: every statement compiled from random schemas through Google's analyzer; and the compiled temp query on random
 * histories, evaluated by GoogleSQL's reference implementation, against the local endpoint and the oracle.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Analyzer } from "../../local/src/googlesql/analyzer.ts";
import { type Server, startServer } from "../../local/src/server.ts";
import { Reference } from "../reference/reference.ts";
import {
  analyzeScript,
  finalColumns,
  GrowingCatalog,
  PARTITIONS,
  TABLES,
  updateColumns,
} from "../reference/script-analysis.ts";
import { type EntityOptions, EPOCH, type Scenario, withKey } from "./arbitraries.ts";
import { differences, storedVersionFields, withPlainVersions } from "./compare.ts";
import { Endpoint } from "./endpoint.ts";
import { expectedFinal, START } from "./oracle.ts";
import { type CompiledEntity, PROJECT } from "./project.ts";
import { compileScenarios, SETTINGS, sampleScenarios } from "./property.ts";
import { updateFields } from "./runner.ts";
import { type Field, type Row, timestampText } from "./values.ts";
import { decodeRow } from "./wire.ts";

/** All is judged where the suites try as many histories; CI draws a share of both. */
const SHARE = Math.min(1, SETTINGS.histories / 400);
/** What kinds of entities are judged, on about how many histories each. */
const GROUPS: [EntityOptions, number][] = [
  [{}, 500 * SHARE],
  [{ clears: true, commits: true }, 120 * SHARE],
  [{ deletes: true, commits: true }, 80 * SHARE],
  [{ clears: true, deletes: true, commits: true }, 100 * SHARE],
];
const JUDGED_HISTORIES = 200 * SHARE;

let server: Server;
let analyzer: Analyzer;
const reference = new Reference();
let scenarios: Scenario[];
let compiled: CompiledEntity[];
beforeAll(async () => {
  analyzer = new Analyzer();
  await analyzer.start();
  server = await startServer();
  scenarios = randomScenarios();
  compiled = await compileScenarios(scenarios);
});
afterAll(async () => {
  await analyzer?.close();
  await server?.close();
  await reference.close();
});

/** The groups' scenarios, and, where chance left the reference implementation too few of them, or none that reads by commit time, more of such. */
function randomScenarios(): Scenario[] {
  const chosen: Scenario[] = [];
  const spare: Scenario[] = [];
  for (const [options, count] of GROUPS) {
    const sampled = sampleScenarios(options, count, SETTINGS.seed);
    chosen.push(...sampled);
    spare.push(...sampleScenarios(options, count * 3, SETTINGS.seed).slice(sampled.length));
  }
  for (let seed = SETTINGS.seed; !chosen.some(({ entity }) => entity.byCommit); seed++)
    chosen.push(
      ...sampleScenarios({ deletes: true, commits: true }, 1, seed).filter(({ entity }) => entity.byCommit),
    );
  let judged = 0;
  for (const { histories } of chosen.filter(isJudged)) judged += histories.length;
  for (const scenario of spare.filter(isJudged)) {
    if (judged >= JUDGED_HISTORIES) break;
    chosen.push(scenario);
    judged += scenario.histories.length;
  }
  return chosen;
}

/** The reference implementation does not know GEOGRAPHY, nor the JSON of a RANGE, nor when rows were committed. */
function isJudged({ entity }: Scenario): boolean {
  return entity.byCommit !== true && !/"(GEOGRAPHY|RANGE<\w+>)"/.test(JSON.stringify(entity.fields));
}

/**
 * An entity that has all rules at once, with names that its statements use too: a final that is called like its key, and like an
 * attribute with a policy; and an attribute for every alias, with merges each time and by the day (R13).
 */
async function namesakes(): Promise<Scenario[]> {
  const options = { policies: true, clears: true, deletes: true, commits: true };
  for (let seed = SETTINGS.seed; ; seed++)
    for (const scenario of sampleScenarios(options, 1, seed)) {
      const { entity } = scenario;
      const attribute = entity.fields.find(({ merge }) => merge !== undefined && merge !== "latest");
      if (attribute === undefined) continue;
      const named = [attribute.name, entity.key[0]].map((final) => ({ ...entity, final }));
      const [latest] = sampleScenarios({ clears: true, deletes: true, daily: true }, 1, seed);
      const both = [entity, { ...(latest ?? scenario).entity, mergesDaily: true }];
      const aliases = await aliasesOf(both.map((one) => ({ ...scenario, entity: one })));
      const aliased = both.map((one) => {
        const known = new Set(updateColumns(one).map(({ name }) => name.toLowerCase()));
        const more = aliases
          .filter((name) => !known.has(name))
          .map((name): Field => ({ name, type: "STRING" }));
        return { ...one, fields: [...one.fields, ...more] };
      });
      return [...named, ...aliased].map((one) => ({ ...scenario, entity: one }));
    }
}

/** The names that statements give to tables, rows and columns, but those with an underscore, which no attribute can have. */
async function aliasesOf(scenarios: readonly Scenario[]): Promise<readonly string[]> {
  const jobs = (await compileScenarios(scenarios)).flatMap(({ actions }) =>
    Object.values(actions).flatMap((list) =>
      list.flatMap(({ jobs, incrementalJobs = [] }) => [...jobs, ...incrementalJobs]),
    ),
  );
  const found = jobs.flatMap((job) =>
    [...job.matchAll(/\bAS ([a-z][a-z_]*)\b/g)].map(([, name = ""]) => name),
  );
  return [...new Set(found)]
    .filter((name) => !/^(struct|select|of|string|int64|timestamp)$/.test(name))
    .sort();
}

test(`every statement compiled from random schemas analyzes (EXACTNESS_SEED=${SETTINGS.seed})`, async () => {
  const refused: string[] = [];
  for (const { entity, name, final, actions } of [
    ...compiled,
    ...(await compileScenarios(await namesakes())),
  ]) {
    for (const [kind, list] of Object.entries(actions)) {
      const catalog = new GrowingCatalog(PROJECT);
      catalog.add([name, `${name}_updates`], updateColumns(entity));
      catalog.add([name, final], finalColumns(entity));
      catalog.add([PROJECT, name, "INFORMATION_SCHEMA", "PARTITIONS"], PARTITIONS);
      catalog.add([PROJECT, name, "INFORMATION_SCHEMA", "TABLES"], TABLES);
      for (const { target, jobs, incrementalJobs = [] } of list) {
        for (const job of [...jobs, ...incrementalJobs]) {
          const refuse = (error: unknown): unknown =>
            refused.push(
              `${kind} ${target.name}: ${error}\n${JSON.stringify(entity, (_, v) => (typeof v === "bigint" ? `${v}` : v))}`,
            );
          await analyzeScript(analyzer, catalog, job).catch(refuse);
        }
      }
    }
  }
  expect(refused.slice(0, 3)).toEqual([]);
  expect(compiled.length).toBeGreaterThanOrEqual(Math.max(GROUPS.length, Math.ceil(11 * SHARE)));
  expect(compiled.some(({ entity }) => entity.byCommit)).toBe(true);
}, 300_000);

/** Reads from the middle of the histories, so that the query's filter has something to leave out. */
const READ_FROM = EPOCH + 9n * 60_000_000n;

const READ_AT = BigInt(Date.UTC(2026, 0, 1)) * 1000n;

/** What the script declares stands in the tables as columns: columns win over variables. */
const STAMPS: Field[] = ["_read_from", "_read_at"].map((name) => ({ name, type: "TIMESTAMP" }));
const PROGRESS: Field[] = [{ name: "watermark", type: "TIMESTAMP" }, ...STAMPS];

/** The batch that both judges make of these updates, deleted users left out. */
async function batches(
  { entity, name, actions }: CompiledEntity,
  rows: readonly Row[],
  readFrom: bigint,
): Promise<{ byReference: Row[]; byEndpoint: Row[] }> {
  const query = actions.plain.find(({ target }) => target.name === `temp_${name}_updates`)?.query ?? "";
  const fields = [...updateFields(entity), ...STAMPS];
  const ends: Field[] = ["_deleted_at", "_alive_at"].map((end) => ({ name: end, type: "TIMESTAMP" }));
  const output = [
    ...entity.fields,
    ...storedVersionFields(entity),
    ...(entity.deleted === undefined ? [] : ends),
  ];
  const [updates, watermark] = [`${name}_updates`, `${name}_watermark`];
  const progress = [{ watermark: START, _read_from: readFrom, _read_at: READ_AT }];
  const stamped = rows.map((row) => ({ ...row, _read_from: readFrom, _read_at: READ_AT }));
  const byReference = await reference.evaluate(
    query,
    [
      { name: `${PROJECT}.${name}.${updates}`, fields, rows: stamped },
      { name: `${PROJECT}.${name}.${watermark}`, fields: PROGRESS, rows: progress },
    ],
    output,
  );
  const endpoint = new Endpoint(server.url, PROJECT);
  await endpoint.createDataset(name);
  await endpoint.createTable(name, updates, fields, entity.ingestTimestamp);
  await endpoint.createTable(name, watermark, PROGRESS, "watermark");
  await endpoint.load(name, updates, fields, stamped);
  await endpoint.load(name, watermark, PROGRESS, progress);
  const result = await endpoint.query(query);
  await endpoint.dropDataset(name);
  const isUser = (row: Row): boolean => entity.key.some((column) => row[column] !== null);
  const isAlive = ({ _deleted_at: deleted = null, _alive_at: alive = null }: Row): boolean =>
    deleted === null || (alive !== null && alive > deleted);
  return {
    byReference: byReference
      .filter(isUser)
      .map((row) => withPlainVersions(entity, row))
      .filter(isAlive),
    byEndpoint: result.rows
      .map((cells) => decodeRow(output, cells))
      .filter(isUser)
      .map((row) => withPlainVersions(entity, row))
      .filter(isAlive),
  };
}

test.each([
  ["all history", START],
  ["what came since", READ_FROM],
])(
  `the temp query over %s: reference implementation, endpoint and oracle agree (EXACTNESS_SEED=${SETTINGS.seed})`,
  async (_, readFrom) => {
    let judged = 0;
    const wrong: string[] = [];
    for (const [index, scenario] of scenarios.entries()) {
      if (!isJudged(scenario)) continue;
      const { entity, histories } = scenario;
      const rows: Row[] = histories.flatMap((history, user) =>
        history.map((update) => withKey(entity, user, update)),
      );
      const { byReference, byEndpoint } = await batches(compiled[index] as CompiledEntity, rows, readFrom);
      const expected = expectedFinal(
        entity,
        rows.filter((row) => ((row[entity.ingestTimestamp] ?? START - 1n) as bigint) >= readFrom),
      );
      for (const [judge, batch] of Object.entries({ byReference, byEndpoint })) {
        wrong.push(
          ...differences(entity, batch, expected).map((text) => `scenario ${index}, ${judge}: ${text}`),
        );
      }
      judged += histories.length;
    }
    expect(wrong.slice(0, 5), `from ${timestampText(readFrom)}`).toEqual([]);
    expect(judged).toBeGreaterThanOrEqual(JUDGED_HISTORIES);
  },
  300_000,
);
