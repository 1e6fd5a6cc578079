/** fast-check's properties over whole scenarios, compiled many at a time, with failures a person can work with. */
import fc from "fast-check";
import { type EntityOptions, EPOCH, type Scenario, scenarioArbitrary } from "./arbitraries.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Entity } from "./oracle.ts";
import { type CompiledEntity, compileEntities } from "./project.ts";
import { describeScenario, runScenario } from "./runner.ts";

/** Users per scenario, on average. */
const USERS = 30;

/** How large the suites are, unless the environment says otherwise. */
export const SETTINGS = {
  /** How many histories are tried, and from which seed. */
  histories: Number(process.env.EXACTNESS_HISTORIES ?? 1_000),
  seed: Number(process.env.EXACTNESS_SEED ?? Math.floor(Math.random() * 2 ** 31)),
  /** How many runs are killed. */
  kills: Number(process.env.EXACTNESS_KILLS ?? 50),
  /** Of the steps at which a run can fail or meet another, and of the seeded faults, every which one is tried. */
  every: Number(process.env.EXACTNESS_EVERY ?? 1),
};

/** Of cases beside each other those that are tried where not every one is: one of `most` or fewer, others every time. */
export function drawCases<T>(cases: readonly T[], most = SETTINGS.every): readonly T[] {
  const step = Math.min(most, SETTINGS.every);
  const first = Math.floor(Math.random() * Math.min(step, cases.length));
  return cases.filter((_, index) => index % step === first);
}

/** What share of the histories tries which optional rules. */
export const GROUPS: readonly {
  readonly name: string;
  readonly options: EntityOptions;
  readonly share: number;
}[] = [
  { name: "values and policies", options: { daily: true, commits: true }, share: 0.4 },
  {
    name: "policies with clears, deletes or both",
    options: { policies: true, clears: true, deletes: true, apart: true, commits: true },
    share: 0.2,
  },
  { name: "clears", options: { clears: true, daily: true, commits: true }, share: 0.15 },
  { name: "deletes", options: { deletes: true, daily: true, commits: true }, share: 0.1 },
  {
    name: "clears and deletes",
    options: { clears: true, deletes: true, daily: true, commits: true },
    share: 0.15,
  },
];

/** All runs of a property replay from here. */
export const REPLAY_FROM = EPOCH + 60_000_000n;

let compilations = 0;

/** Compiles the entities of many scenarios as one project. */
export async function compileScenarios(scenarios: readonly Scenario[]): Promise<CompiledEntity[]> {
  const prefix = `s${compilations++}_`;
  const entities = new Map(
    scenarios.map(({ entity }, index): [string, Entity] => [`${prefix}${index}`, entity]),
  );
  const compiled = await compileEntities(entities, REPLAY_FROM);
  return [...compiled.values()];
}

/** Random scenarios with at least `histories` histories in all. */
export function sampleScenarios(options: EntityOptions, histories: number, seed: number): Scenario[] {
  const scenarios: Scenario[] = [];
  let count = 0;
  for (let round = 0; count < histories; round++) {
    const more = fc.sample(scenarioArbitrary(options, USERS), { numRuns: 10, seed: seed + round });
    for (const scenario of more) {
      if (count >= histories) break;
      scenarios.push({ ...scenario, replayFrom: REPLAY_FROM });
      count += scenario.histories.length;
    }
  }
  return scenarios;
}

/** Runs scenarios; the first that fails is made as small as it gets and reported with its seed. */
export async function checkScenarios(
  endpoint: Endpoint,
  scenarios: readonly Scenario[],
  seed: number,
  run: typeof runScenario = runScenario,
): Promise<number> {
  const compiled = await compileScenarios(scenarios);
  let histories = 0;
  for (const [index, scenario] of scenarios.entries()) {
    try {
      await run(endpoint, compiled[index] as CompiledEntity, scenario);
    } catch (error) {
      const fails = async (smaller: Scenario): Promise<string | undefined> => {
        const [recompiled] = await compileScenarios([smaller]);
        return await run(endpoint, recompiled as CompiledEntity, smaller).then(() => undefined, String);
      };
      const { scenario: smallest, failure } = await shrinkScenario(scenario, String(error), fails);
      throw new Error(`EXACTNESS_SEED=${seed}, scenario ${index}: ${failure}\n${describeScenario(smallest)}`);
    }
    histories += scenario.histories.length;
  }
  return histories;
}

const SHRINK_MS = Number(process.env.EXACTNESS_SHRINK_MS ?? 90_000);

/** Leaves out whatever the failure does not need: users, updates, attributes, values. */
async function shrinkScenario(
  scenario: Scenario,
  failure: string,
  fails: (smaller: Scenario) => Promise<string | undefined>,
): Promise<{ scenario: Scenario; failure: string }> {
  const deadline = Date.now() + SHRINK_MS;
  let best = { scenario, failure };
  for (let progress = true; progress && Date.now() < deadline; ) {
    progress = false;
    for (const smaller of smallerScenarios(best.scenario)) {
      if (Date.now() > deadline) break;
      const found = await fails(smaller);
      if (found === undefined) continue;
      best = { scenario: smaller, failure: found };
      progress = true;
      break;
    }
  }
  return best;
}

/** Smaller scenarios, the much smaller ones first. */
function* smallerScenarios(scenario: Scenario): Generator<Scenario> {
  const { entity, histories, modes } = scenario;
  yield* [2, 4, 8]
    .flatMap((parts) => without(histories, parts))
    .map((rest) => ({ ...scenario, histories: rest }));
  if (histories.length <= 8) {
    yield* without(histories, histories.length).map((rest) => ({ ...scenario, histories: rest }));
  }
  if (modes.some((mode) => mode !== "plain")) yield { ...scenario, modes: modes.map(() => "plain" as const) };
  const kept = new Set([...entity.key, entity.ingestTimestamp, entity.eventTimestamp]);
  const attributes = entity.fields.filter(({ name }) => !kept.has(name));
  for (const rest of without(attributes, attributes.length)) {
    if (rest.length === 0) continue;
    const fields = entity.fields.filter((field) => kept.has(field.name) || rest.includes(field));
    yield { ...scenario, entity: { ...entity, fields } };
  }
  if (histories.length > 3) return;
  for (const [index, history] of histories.entries()) {
    const replace = (smaller: Scenario["histories"][number]): Scenario => ({
      ...scenario,
      histories: histories.map((other, at) => (at === index ? smaller : other)),
    });
    yield* without(history, history.length).map(replace);
    for (const [at, update] of history.entries()) {
      for (const [name, value] of Object.entries(update.row)) {
        if (value === null || kept.has(name)) continue;
        const row = { ...update.row, [name]: null };
        yield replace(history.map((other, place) => (place === at ? { ...update, row } : other)));
      }
    }
  }
}

/** The list without each of `parts` slices of it in turn. */
function without<T>(list: readonly T[], parts: number): T[][] {
  if (list.length < 2 || parts > list.length) return [];
  const size = Math.ceil(list.length / parts);
  return Array.from({ length: parts }, (_, part) =>
    list.filter((_, index) => Math.floor(index / size) !== part),
  );
}
