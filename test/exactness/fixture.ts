/** One entity with something of everything, and as many updates for it as a test wants. */
import fc from "fast-check";
import { historyArbitrary, withKey } from "./arbitraries.ts";
import { differences } from "./compare.ts";
import type { Endpoint } from "./endpoint.ts";
import { badReason, type Entity, expectedFinal, type RunMode } from "./oracle.ts";
import { type CompiledEntity, compileEntities, type RunKind } from "./project.ts";
import { REPLAY_FROM } from "./property.ts";
import { now, Warehouse } from "./runner.ts";
import type { Row } from "./values.ts";

/** Two clocks, a nested RECORD, an atomic one, arrays and every policy. */
export const FIXTURE: Entity = {
  fields: [
    { name: "id", type: "STRING" },
    { name: "ingested", type: "TIMESTAMP" },
    { name: "happened", type: "TIMESTAMP" },
    { name: "name", type: "STRING" },
    { name: "score", type: "FLOAT64", merge: "max" },
    { name: "since", type: "DATE", merge: "first" },
    { name: "tags", type: "STRING", mode: "REPEATED", merge: "union" },
    {
      name: "profile",
      type: "RECORD",
      fields: [
        { name: "visits", type: "INT64" },
        {
          name: "address",
          type: "RECORD",
          merge: "atomic",
          fields: [
            { name: "city", type: "STRING" },
            { name: "zip", type: "STRING" },
          ],
        },
      ],
    },
  ],
  key: ["id"],
  ingestTimestamp: "ingested",
  eventTimestamp: "happened",
  lookback: 3_600_000_000n,
};

/** The same with what takes back what was said. */
export const FLOORED: Entity = { ...FIXTURE, deleted: "gone", clearedFields: "cleared" };

/** The same, read by commit time (R5); nothing is read twice, which would hide a gap. */
export const BY_COMMIT: Entity = { ...FIXTURE, byCommit: true, lookback: 0n };

/** The fixture compiled for all kinds of run. */
export async function compileFixture(name: string, entity: Entity = FIXTURE): Promise<CompiledEntity> {
  const compiled = await compileEntities(new Map([[name, entity]]), REPLAY_FROM);
  return compiled.get(name) as CompiledEntity;
}

/** Updates of `users` users, each time others: `wave` makes both the rows and the users. */
export function updates(wave: number, users = 4, entity: Entity = FIXTURE): Row[] {
  const histories = fc.sample(historyArbitrary(entity), { numRuns: users, seed: 1_000 + wave });
  // Half of the users are those of the wave before.
  const first = wave * Math.ceil(users / 2);
  return histories.flatMap((history, index) =>
    history.map((update) => withKey(entity, first + index, update)),
  );
}

/** Updates among which no assertion finds anything: none is bad, none comes from the future. */
export function goodUpdates(wave: number, entity: Entity = FIXTURE): Row[] {
  const isGood = (row: Row): boolean =>
    badReason(entity, row) === undefined && (row[entity.ingestTimestamp] as bigint) <= now();
  return updates(wave, 4, entity).filter(isGood);
}

/** The fixture's tables in a dataset of their own, with one wave of updates merged. */
export async function filledWarehouse(
  endpoint: Endpoint,
  compiled: CompiledEntity,
  dataset: string,
): Promise<Warehouse> {
  const warehouse = new Warehouse(endpoint, compiled, dataset);
  await warehouse.create();
  await warehouse.load(goodUpdates(0, compiled.entity));
  await warehouse.run("plain");
  warehouse.oracle.run({ kind: "plain" }, now());
  return warehouse;
}

/** A run as the oracle knows it. */
export function modeOf(kind: RunKind): RunMode {
  return kind === "replayFrom" ? { kind, from: REPLAY_FROM } : { kind };
}

/** Runs until it works, as a scheduler would: what lost against another run may simply run again. */
export async function runUntilDone(warehouse: Warehouse, kind: RunKind): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await warehouse.run(kind);
    } catch (error) {
      if (attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * (attempt + 1)));
    }
  }
}

/** What differs between final and a full recompute over all updates loaded. */
export async function differencesFromAll(warehouse: Warehouse): Promise<string[]> {
  return differences(FIXTURE, await warehouse.final(), expectedFinal(FIXTURE, warehouse.oracle.rows));
}
