/**
 * The second judge, without the local endpoint: every statement compiled from random schemas through Google's analyzer, and the
 * compiled temp query on random histories, evaluated by GoogleSQL's reference implementation, against the oracle.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Analyzer } from "../../local/googlesql/analyzer.ts";
import { Reference } from "../reference/project/reference.ts";
import {
  analyzeScript,
  finalColumns,
  GrowingCatalog,
  updateColumns,
} from "../reference/project/script-analysis.ts";
import { EPOCH, type Scenario, withKey } from "./arbitraries.ts";
import { differences, versionsField } from "./compare.ts";
import { expectedFinal, START } from "./oracle.ts";
import { type CompiledEntity, PROJECT } from "./project.ts";
import { compileScenarios, SETTINGS, sampleScenarios } from "./property.ts";
import { updateFields } from "./runner.ts";
import { type Field, type Row, timestampText } from "./values.ts";

const SCHEMAS_HISTORIES = 700;
const JUDGED_HISTORIES = 200;

let analyzer: Analyzer;
const reference = new Reference();
let scenarios: Scenario[];
let compiled: CompiledEntity[];
beforeAll(async () => {
  analyzer = new Analyzer();
  await analyzer.start();
  scenarios = sampleScenarios({}, SCHEMAS_HISTORIES, SETTINGS.seed);
  compiled = await compileScenarios(scenarios);
});
afterAll(async () => {
  await analyzer?.close();
  await reference.close();
});

test(`every statement compiled from random schemas analyzes (EXACTNESS_SEED=${SETTINGS.seed})`, async () => {
  const refused: string[] = [];
  for (const { entity, name, actions } of compiled) {
    for (const [kind, list] of Object.entries(actions)) {
      const catalog = new GrowingCatalog(PROJECT);
      catalog.add([name, `${name}_updates`], updateColumns(entity));
      catalog.add([name, `${name}_final`], finalColumns(entity));
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
  expect(compiled.length).toBeGreaterThan(10);
});

/** Reads from the middle of the histories, so that the query's filter has something to leave out. */
const READ_FROM = EPOCH + 9n * 60_000_000n;

test.each([
  ["all history", START],
  ["what came since", READ_FROM],
])(
  `the temp query over %s is what the oracle says (EXACTNESS_SEED=${SETTINGS.seed})`,
  async (_, readFrom) => {
    let judged = 0;
    const wrong: string[] = [];
    for (const [index, { entity, histories }] of scenarios.entries()) {
      const { name, actions } = compiled[index] as CompiledEntity;
      const query = actions.plain.find(({ target }) => target.name === `temp_${name}_updates`)?.query ?? "";
      // What the script declares stands in the updates as columns: columns win over variables.
      const stamps: Field[] = ["_read_from", "_read_at"].map((stamp) => ({ name: stamp, type: "TIMESTAMP" }));
      const fields = [...updateFields(entity), ...stamps];
      // The reference implementation does not know it.
      if (JSON.stringify(fields).includes('"GEOGRAPHY"')) continue;
      const rows: Row[] = histories.flatMap((history, user) =>
        history.map((update) => withKey(entity, user, update)),
      );
      const stamped = rows.map((row) => ({ ...row, _read_from: readFrom, _read_at: READ_AT }));
      const batch = await reference.evaluate(
        query,
        [{ name: `${PROJECT}.${name}.${name}_updates`, fields, rows: stamped }],
        [...entity.fields, versionsField(entity)],
      );
      const read = rows.filter((row) => ((row[entity.ingestTimestamp] ?? START - 1n) as bigint) >= readFrom);
      wrong.push(
        ...differences(entity, batch, expectedFinal(entity, read)).map(
          (text) => `scenario ${index}: ${text}`,
        ),
      );
      judged += histories.length;
    }
    expect(wrong.slice(0, 5), `from ${timestampText(readFrom)}`).toEqual([]);
    expect(judged).toBeGreaterThanOrEqual(JUDGED_HISTORIES);
  },
);

const READ_AT = BigInt(Date.UTC(2026, 0, 1)) * 1000n;
