/** R6: runs of any kind that overlap lose no history and leave no gap. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../../local/src/server.ts";
import { differences } from "./compare.ts";
import { Endpoint } from "./endpoint.ts";
import {
  BY_COMMIT,
  compileFixture,
  differencesFromAll,
  FIXTURE,
  FLOORED,
  filledWarehouse,
  modeOf,
  runUntilDone,
  updates,
} from "./fixture.ts";
import type { Entity } from "./oracle.ts";
import { type CompiledEntity, PROJECT, type RunKind } from "./project.ts";
import { drawCases, SETTINGS } from "./property.ts";
import { now, Warehouse } from "./runner.ts";

let server: Server;
let endpoint: Endpoint;
let compiled: CompiledEntity;
let floored: CompiledEntity;
let byCommit: CompiledEntity;
beforeAll(async () => {
  server = await startServer();
  endpoint = new Endpoint(server.url, PROJECT);
  compiled = await compileFixture("overlaps");
  floored = await compileFixture("floors", FLOORED);
  byCommit = await compileFixture("by_commit", BY_COMMIT);
});
afterAll(() => server?.close());

let wave = 10;

/**
 * Runs `outer` up to its step `at`, then `inner` as a whole, then the rest of `outer`; whichever failed runs again. Gives what
 * is wrong.
 */
async function overlap(
  warehouse: Warehouse,
  outer: RunKind,
  inner: RunKind,
  at: number,
  entity: Entity = FIXTURE,
): Promise<string[]> {
  await warehouse.load(updates(wave++, 4, entity));
  const steps = warehouse.steps(outer);
  for (const step of steps.slice(0, at)) await step();
  await warehouse.run(inner);
  const isOuterDone = await runAll(steps.slice(at));
  const { oracle } = warehouse;
  oracle.run(modeOf(inner), now());
  const afterInner = new Map(oracle.final);
  oracle.run(modeOf(outer), now());
  const found: string[] = [];
  const rows = await warehouse.final();
  const missing = differences(entity, rows, oracle.final);
  if (missing.length > 0) {
    if (isOuterDone) found.push(`${outer} reports success at step ${at}`, ...missing);
    found.push(
      ...differences(entity, rows, afterInner).map((text) => `step ${at}, neither this nor that: ${text}`),
    );
  }
  if (!isOuterDone) await runUntilDone(warehouse, outer);
  await runUntilDone(warehouse, "plain");
  found.push(...(await warehouse.differences()).map((text) => `step ${at}, in the end: ${text}`));
  return found;
}

async function runAll(steps: readonly (() => Promise<void>)[]): Promise<boolean> {
  try {
    for (const step of steps) await step();
    return true;
  } catch {
    return false;
  }
}

const PAIRS: [outer: RunKind, inner: RunKind][] = [
  ["plain", "rebuild"],
  ["rebuild", "plain"],
  ["plain", "replayFrom"],
  ["replayFrom", "plain"],
  ["rebuild", "replayFrom"],
  ["replayFrom", "rebuild"],
  ["rebuild", "rebuild"],
  ["plain", "plain"],
];

const PLAIN_PAIRS: typeof PAIRS = [
  ["plain", "rebuild"],
  ["rebuild", "plain"],
  ["plain", "plain"],
];

describe("a run of one kind at every step of another", () => {
  test.each(drawCases(PAIRS, 2))(
    "%s, with %s in between",
    async (outer, inner) => {
      const warehouse = await filledWarehouse(endpoint, compiled, `${outer}_${inner}`);
      const count = warehouse.jobs(outer).length;
      const first = Math.floor(Math.random() * Math.min(SETTINGS.every, count + 1));
      for (let at = first; at <= count; at += SETTINGS.every)
        expect(await overlap(warehouse, outer, inner, at)).toEqual([]);
      await warehouse.drop();
    },
    600_000,
  );

  test.each(drawCases(PLAIN_PAIRS, 3))(
    "%s, with %s between its batch and its merge, where policies meet deletes and clears",
    async (outer, inner) => {
      const warehouse = await filledWarehouse(endpoint, floored, `floors_${outer}_${inner}`);
      const merge = warehouse.jobs(outer).findIndex(({ action }) => action.target.name === floored.final);
      for (let round = 0; round < 2; round++)
        expect(await overlap(warehouse, outer, inner, merge, FLOORED)).toEqual([]);
      await warehouse.drop();
    },
  );

  // R5: by commit time the gap would be one of commits.
  test.each(drawCases(PLAIN_PAIRS, 3))(
    "%s, with %s in between, by commit time",
    async (outer, inner) => {
      const warehouse = await filledWarehouse(endpoint, byCommit, `commit_${outer}_${inner}`);
      const count = warehouse.jobs(outer).length;
      const first = Math.floor(Math.random() * Math.min(4 * SETTINGS.every, count + 1));
      for (let at = first; at <= count; at += 4 * SETTINGS.every)
        expect(await overlap(warehouse, outer, inner, at)).toEqual([]);
      await warehouse.drop();
    },
    600_000,
  );

  test("the same histories fail without the fence", async () => {
    const warehouse = await filledWarehouse(endpoint, compiled, "no_fence");
    // Nor what else would notice: a rebuild that loses users.
    warehouse.rewrite((sql) =>
      sql
        .replaceAll(/\bERROR\('[^']*run again'\)/g, "'let through'")
        .replaceAll("_batch_change.old_key IS NULL", "FALSE"),
    );
    const jobs = warehouse.jobs("rebuild");
    // Just before the merge another's batch is in the place of the rebuild's own; if that were harmless, another step would do.
    const merge = jobs.findIndex(({ action }) => action.target.name === compiled.final);
    let found: string[] = [];
    for (const at of new Set([merge, ...Array(jobs.length + 1).keys()]))
      if (found.length === 0) found = await overlap(warehouse, "rebuild", "plain", at);
    expect(found).not.toEqual([]);
  }, 300_000);

  test("a batch table without the row that says what it covers is refused, and changes nothing", async () => {
    const warehouse = await filledWarehouse(endpoint, compiled, "no_header");
    await warehouse.load(updates(wave++));
    for (const { action, job } of warehouse.jobs("plain")) {
      if (action.target.name !== compiled.final) await endpoint.query(job);
      else {
        const batch = `\`${PROJECT}.no_header.temp_${compiled.name}_updates\``;
        await endpoint.query(`DELETE FROM ${batch} WHERE _batch IS NOT NULL`);
        await expect(endpoint.query(job)).rejects.toThrow("is not what a run of this version leaves there");
        break;
      }
    }
    expect(await warehouse.differences()).toEqual([]);
    await warehouse.drop();
  });

  test.each([
    ["with its transaction, leaves final as it was", (sql: string) => sql, true],
    [
      "without one, leaves it empty",
      (sql: string) => sql.replace(/\b(BEGIN|COMMIT) TRANSACTION;/g, ""),
      false,
    ],
  ])("a rebuild that stops before its MERGE, %s", async (name, rewrite, isAsItWas) => {
    const warehouse = await filledWarehouse(endpoint, compiled, name.replaceAll(/\W/g, "_"));
    warehouse.rewrite(rewrite);
    let isCut = false;
    for (const { job } of warehouse.jobs("rebuild")) {
      if (isCut) break;
      const [before = "", ...rest] = job.split(/^MERGE /m);
      isCut = rest.length > 0;
      await endpoint.query(isCut ? `${before} END IF;` : job);
    }
    expect(isCut).toBe(true);
    const isRight = (await warehouse.differences()).length === 0;
    expect(isRight).toBe(isAsItWas);
  });
});

describe("8 runs at once", () => {
  test.each(
    drawCases(
      [
        ["on an empty final", false],
        ["on a filled final", true],
      ] as const,
      2,
    ),
  )(
    "%s, while updates are loaded",
    async (name, isFilled) => {
      const dataset = name.replaceAll(" ", "_");
      const warehouse = isFilled
        ? await filledWarehouse(endpoint, compiled, dataset)
        : new Warehouse(endpoint, compiled, dataset);
      if (!isFilled) {
        await warehouse.create();
        await warehouse.load(updates(wave++));
      }
      const outcomes = { done: 0, lost: 0 };
      for (let round = 0; round < 4; round++) {
        const runs = Array.from({ length: 8 }, async () => {
          const isDone = await runAll(warehouse.steps("plain"));
          outcomes[isDone ? "done" : "lost"]++;
        });
        const loads = (async () => {
          for (let load = 0; load < 3; load++) await warehouse.load(updates(wave++));
        })();
        await Promise.all([...runs, loads]);
        // Some updates are older than any lookback: only reading everything again must find all of them.
        await runUntilDone(warehouse, "rebuild");
        expect(await differencesFromAll(warehouse), `round ${round}`).toEqual([]);
      }
      expect(outcomes.done).toBeGreaterThan(0);
      expect(outcomes.lost, "runs that met and lost").toBeGreaterThan(0);
      await warehouse.drop();
    },
    600_000,
  );

  test.each([
    ["by stamps", () => compiled],
    ["by commit time", () => byCommit],
  ])(
    "a quiet plain run completes what runs at once left, with updates that all are new, %s",
    async (name, of) => {
      const warehouse = new Warehouse(endpoint, of(), `quiet_${name.replaceAll(" ", "_")}`);
      await warehouse.create();
      const users = Array.from({ length: 20 }, (_, index) => `u${index}`);
      for (let round = 0; round < 2; round++) {
        const load = warehouse.load(
          users.map((id, index) => {
            const time = 1_700_000_000_000_000n + BigInt(round * 1_000_000 + index);
            return { id, ingested: time, happened: time, name: `round ${round}`, tags: [`${round}`] };
          }),
        );
        await Promise.all([load, ...Array.from({ length: 8 }, () => runAll(warehouse.steps("plain")))]);
        await runUntilDone(warehouse, "plain");
        expect(await differencesFromAll(warehouse), `round ${round}`).toEqual([]);
      }
    },
    300_000,
  );
});
