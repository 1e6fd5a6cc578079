import type { BigQuery } from "@google-cloud/bigquery";
import type { Contender, Ground } from "./contender.ts";
import { batchQuery, checkQuery, columnsOf, type DataSize, GOOGLESQL, historyQuery } from "./data.ts";
import { DuckDbMinimum } from "./duckdb-minimum.ts";
import { bytesOf, type Cost, measure, NO_COST, sumCosts } from "./measure.ts";
import { thisProject } from "./project-contender.ts";
import { dataformIncremental, fullRecompute, replacedTool } from "./sql-contenders.ts";

/** One line of the table: what one contender's run of one kind cost. */
export interface Line extends Cost, DataSize {
  /** Rows appended before the run; 0 for a first load and for no news. */
  readonly batch: number;
  /** `first load`, `batch of 1 %`, `no news`. */
  readonly work: string;
  readonly contender: string;
}

/** The names by which the table calls contenders. */
export const NAMES = {
  project: "this project",
  tool: "the tool replaced",
  incremental: "Dataform incremental",
  recompute: "full recompute",
  duckdb: "DuckDB's minimum",
  daily: "this project, mergeEvery 1 day",
} as const;

/** How `first load`, a batch and an idle run are called. */
export const WORK = {
  first: "first load",
  batch: (share: number) => `batch of ${share * 100} %`,
  idle: "no news",
  day: "a day, hourly",
} as const;

/** The runs of a day, and who is measured over one: this project and the tool replaced. */
const HOURS = 24;
const DAILY_CONTENDERS = 2;

/** The rows of each hour of a day, of those of the history. */
const HOURLY_SHARE = 0.001;

const CONTENDERS: readonly (readonly [
  dataset: string,
  make: (ground: Ground) => Contender | Promise<Contender>,
])[] = [
  ["project", (ground) => thisProject(ground, NAMES.project)],
  ["tool", (ground) => replacedTool(ground, NAMES.tool)],
  ["incremental", (ground) => dataformIncremental(ground, NAMES.incremental)],
  ["recompute", (ground) => fullRecompute(ground, NAMES.recompute)],
];

/** The bytes of final's values in the end, and of the versions beside them. */
export interface Stored extends DataSize {
  readonly values: number;
  readonly versions: number;
}

/** What a query of one column reads, of final and through the view that lays a day's batch over it (R13), in bytes. */
export interface Reading extends DataSize {
  readonly what: string;
  readonly final: number;
  readonly view: number;
}

/** All that the bench measures. */
export interface Measured {
  readonly lines: readonly Line[];
  readonly stored: readonly Stored[];
  readonly readings: readonly Reading[];
}

/** Where the bench runs. */
export interface Place {
  readonly client: BigQuery;
  readonly url: string;
  /** Says which turn begins; `countTurns` says of how many. */
  readonly turn: (text: string) => void;
}

/** How often a size calls `turn`: a contender's history, then each of its runs; without shares, a day's. */
export function countTurns(shares: readonly number[] | undefined): number {
  if (shares === undefined) return DAILY_CONTENDERS * (1 + HOURS);
  const steps = shares.length + 2;
  return CONTENDERS.length * (1 + steps);
}

/**
 * Measures all contenders on one size: the history, batches of these shares of its rows, and a run without news. After each step all must
 * have the same rows, or there is nothing to compare.
 */
export async function runScenario(
  place: Place,
  size: DataSize,
  shares: readonly number[],
): Promise<Measured> {
  const contenders = await Promise.all(
    CONTENDERS.map(async ([dataset, make]) => {
      const own = await ground(place, size, dataset);
      return { ground: own, contender: await make(own) };
    }),
  );
  const minimum = await DuckDbMinimum.start(size);
  const lines: Line[] = [];
  try {
    for (const { contender, ground } of contenders) {
      place.turn(`${sizeText(size)}, history: ${contender.name}`);
      await contender.prepare();
      await append(ground, contender, historyQuery(size, GOOGLESQL));
    }
    const steps = [
      { work: WORK.first, batch: 0 },
      ...shares.map((share) => ({
        work: WORK.batch(share),
        batch: Math.max(1, Math.round(size.rows * share)),
      })),
      { work: WORK.idle, batch: 0 },
    ];
    for (const [number, { work, batch }] of steps.entries()) {
      if (batch > 0) await minimum.append(batch, number);
      const checks = new Map<string, string>();
      for (const { contender, ground } of contenders) {
        place.turn(`${sizeText(size)}, ${work}: ${contender.name}`);
        if (batch > 0) await append(ground, contender, batchQuery(size, batch, number, GOOGLESQL));
        const target = { datasetId: ground.dataset, tableId: contender.final };
        const cost = await measure(place.client, place.url, target, () => contender.run());
        lines.push({ ...head(size, work, batch), contender: contender.name, ...cost });
        checks.set(contender.name, await check(ground, contender));
      }
      const seconds = await minimum.run();
      lines.push({ ...head(size, work, batch), contender: NAMES.duckdb, ...NO_COST, seconds, statements: 3 });
      checks.set(NAMES.duckdb, await minimum.check());
      refuseDifference(work, checks);
    }
    const stored = await Promise.all(
      contenders
        .filter(({ contender }) => contender.name === NAMES.project)
        .map(({ ground, contender }) => readStored(ground, contender)),
    );
    return { lines, stored, readings: [] };
  } finally {
    minimum.close();
    await close(place, contenders);
  }
}

async function readStored({ client, dataset, size }: Ground, { final }: Contender): Promise<Stored> {
  const versions = "_base_version, _own_versions";
  return {
    ...size,
    values: await bytesOf(client, `SELECT * EXCEPT (${versions}) FROM ${dataset}.${final}`),
    versions: await bytesOf(client, `SELECT ${versions} FROM ${dataset}.${final}`),
  };
}

async function close(
  { client }: Place,
  contenders: readonly { readonly ground: Ground; readonly contender: Contender }[],
): Promise<void> {
  for (const { contender, ground } of contenders) {
    await contender.close?.();
    await client.dataset(ground.dataset).delete({ force: true });
  }
}

/**
 * Measures a day of hourly runs, the last of which merges, beside the tool that merges each time. What is shown between merges must be the
 * same too.
 */
export async function runDay(place: Place, size: DataSize): Promise<Measured> {
  const batch = Math.max(1, Math.round(size.rows * HOURLY_SHARE));
  const [own, other] = [await ground(place, size, "daily"), await ground(place, size, "tool")];
  const contenders = [
    {
      ground: own,
      contender: await thisProject(own, NAMES.daily, { mergeEvery: "1 day" }),
      costs: [] as Cost[],
    },
    { ground: other, contender: replacedTool(other, NAMES.tool), costs: [] as Cost[] },
  ];
  try {
    for (const { contender, ground } of contenders) {
      place.turn(`${sizeText(size)}, history: ${contender.name}`);
      await contender.prepare();
      await append(ground, contender, historyQuery(size, GOOGLESQL));
      await contender.run();
    }
    for (let hour = 1; hour <= HOURS; hour += 1) {
      const checks = new Map<string, string>();
      for (const { contender, ground, costs } of contenders) {
        place.turn(`${sizeText(size)}, hour ${hour} of ${HOURS}: ${contender.name}`);
        await append(ground, contender, batchQuery(size, batch, hour, GOOGLESQL));
        const target = { datasetId: ground.dataset, tableId: contender.final };
        costs.push(await measure(place.client, place.url, target, () => contender.run(hour === HOURS)));
        if (hour % 8 === 0) checks.set(contender.name, await check(ground, contender));
      }
      refuseDifference(`hour ${hour} of ${WORK.day}`, checks);
    }
    const lines = contenders.map(({ contender, costs }) => ({
      ...head(size, WORK.day, batch),
      contender: contender.name,
      ...sumCosts(costs),
    }));
    return { lines, stored: [], readings: await readThrough(own) };
  } finally {
    await close(place, contenders);
  }
}

/** What readers pay for a view between merges; what clustering saves of one user's row is in none of the two. */
async function readThrough({ client, dataset, size }: Ground): Promise<Reading[]> {
  const queries = { "one column": "", "one column of one user": " WHERE userId = 'user7'" };
  return Promise.all(
    Object.entries(queries).map(async ([what, where]) => {
      const bytes = (table: string) =>
        bytesOf(client, `SELECT userId, attribute1 FROM ${dataset}.${table}${where}`);
      return { ...size, what, final: await bytes("user_info_final"), view: await bytes("user_info") };
    }),
  );
}

function sizeText({ rows, attributes }: DataSize): string {
  return `${rows.toLocaleString("en")} rows, ${attributes} attributes`;
}

function head(size: DataSize, work: string, batch: number): DataSize & Pick<Line, "work" | "batch"> {
  return { ...size, work, batch };
}

let datasets = 0;

async function ground(place: Place, size: DataSize, name: string): Promise<Ground> {
  datasets += 1;
  const dataset = `${name}_${datasets}`;
  await place.client.createDataset(dataset);
  return { client: place.client, url: place.url, dataset, size };
}

async function append(
  { client, dataset, size }: Ground,
  { updates }: Contender,
  query: string,
): Promise<void> {
  const columns = columnsOf(size.attributes).map(({ name }) => name);
  await client.query(`INSERT ${dataset}.${updates} (${columns.join(", ")}) ${query}`);
}

async function check({ client, dataset, size }: Ground, { result }: Contender): Promise<string> {
  const [rows] = await client.query(checkQuery(`${dataset}.${result}`, size.attributes, GOOGLESQL));
  return Object.values(rows[0] ?? {})
    .map(String)
    .join();
}

function refuseDifference(work: string, checks: ReadonlyMap<string, string>): void {
  const [[first, expected] = ["", ""], ...others] = [...checks];
  for (const [name, found] of others) {
    if (found !== expected) throw new Error(`${work}: ${name} and ${first} differ:\n${found}\n${expected}`);
  }
}
