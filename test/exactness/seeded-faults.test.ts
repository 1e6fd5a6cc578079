/** The suite's own test: the compiled SQL is broken one rule at a time, and each time a property must fail. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../../local/src/server.ts";
import type { EntityOptions, Scenario } from "./arbitraries.ts";
import type { Action } from "./dataform.ts";
import { Endpoint } from "./endpoint.ts";
import type { Entity } from "./oracle.ts";
import { type CompiledEntity, PROJECT } from "./project.ts";
import { compileScenarios, drawCases, sampleScenarios } from "./property.ts";
import { runScenario, ScenarioFailure } from "./runner.ts";

/** Scenarios of one kind of entity, drawn from a fixed seed. */
interface Pool {
  readonly options: EntityOptions;
  readonly histories: number;
  /** Which of the entities are likely to tell; all when absent. */
  readonly suits?: (entity: Entity) => boolean;
  /** How many of the scenarios are left out: those known to tell nothing, before one that does. */
  readonly idle?: number;
}

/** A way to break the SQL: text in, text out. */
interface Fault {
  readonly rule: string;
  /** Histories that tell; plain ones when absent. */
  readonly pool?: Pool;
  /** Needless work shows in the run log alone; all else must show in the tables. */
  readonly checks?: "tables and log";
  /** In the query that gathers the batch, or in the transaction that merges it. */
  readonly where: "temp" | "final" | "both";
  readonly from: RegExp | ((entity: Entity) => RegExp);
  readonly to: string | ((entity: Entity) => string);
}

const TICKED = "`?[A-Za-z_][A-Za-z0-9_]*`?";
const PATH = `${TICKED}(?:\\.${TICKED})*`;
/** A leaf's version in the batch, and in final. */
const BATCH = `batch\\.${TICKED}\\.version`;
const FINAL = `final\\.${TICKED}\\.version`;

const hasFloat = (fields: Entity["fields"]): boolean =>
  fields.some(
    ({ type, mode, fields: parts = [] }) => mode !== "REPEATED" && (type === "FLOAT64" || hasFloat(parts)),
  );

const BOTH: EntityOptions = { clears: true, deletes: true };

const PLAIN: Pool = { options: {}, histories: 500 };
const TIED: Pool = { options: { tied: true }, histories: 600 };
const TIED_FLOATS: Pool = {
  options: { tied: true },
  histories: 3_000,
  suits: (entity) => hasFloat(entity.fields),
  idle: 9,
};
const TIED_CLEARS: Pool = { options: { clears: true, tied: true }, histories: 600 };
const LATER_CLEARS: Pool = { ...TIED_CLEARS, idle: 11 };
const FLOORS: Pool = { options: { policies: true, ...BOTH }, histories: 600 };
const COMMITS: Pool = {
  options: { commits: true },
  histories: 500,
  suits: ({ byCommit = false }) => byCommit,
};
const ALL_RULES: Pool = { options: BOTH, histories: 600 };

const FAULTS: readonly Fault[] = [
  {
    rule: "R3: no tie-break within a batch",
    pool: TIED,
    where: "temp",
    from: new RegExp(`(ORDER BY updates\\.${TICKED} DESC), .*? LIMIT 1`, "g"),
    to: "$1 LIMIT 1",
  },
  {
    rule: "R3: the other way round within a batch",
    pool: TIED,
    where: "temp",
    from: new RegExp(`(ORDER BY updates\\.${TICKED} DESC, .*?) DESC LIMIT 1`, "g"),
    to: "$1 LIMIT 1",
  },
  {
    rule: "R3: no tie-break between batch and final",
    pool: TIED,
    where: "final",
    from: new RegExp(`OR \\((${BATCH} = ${FINAL}) AND`, "g"),
    to: "OR (FALSE AND $1 AND",
  },
  {
    rule: "R3: the batch wins every tie (>= for >)",
    pool: TIED,
    where: "final",
    from: new RegExp(`(${BATCH}) > (${FINAL})`, "g"),
    to: "$1 >= $2",
  },
  {
    rule: "R3: final wins every difference of time (< for >)",
    where: "final",
    from: new RegExp(`(${BATCH}) > (${FINAL})`, "g"),
    to: "$1 < $2",
  },
  {
    rule: "R2: one version per row instead of one per leaf",
    where: "final",
    from: new RegExp(`${BATCH} > ${FINAL}`, "g"),
    to: ({ ingestTimestamp }) => `batch.\`${ingestTimestamp}\` > final.\`${ingestTimestamp}\``,
  },
  {
    rule: "R3: NaN as DuckDB and many others have it, the greatest",
    pool: TIED_FLOATS,
    where: "final",
    from: /\) > (\S+)\n\s*OR \(IS_NAN\([^()]*\) AND NOT IS_NAN\([^()]*\)\)|OR \(IS_NAN\([^()]*\) AND NOT IS_NAN\([^()]*\)\)/g,
    to: "",
  },
  {
    rule: "R2: [] is a value",
    where: "temp",
    from: new RegExp(`ARRAY_LENGTH\\((updates\\.${PATH})\\) > 0`, "g"),
    to: "$1 IS NOT NULL",
  },
  {
    rule: "R2: NULL is a value",
    where: "temp",
    from: new RegExp(
      `IF\\(updates\\.${PATH} IS NOT NULL, (STRUCT\\(updates\\.${PATH} AS value, updates\\.${TICKED} AS version\\)), NULL\\)`,
      "g",
    ),
    to: "$1",
  },
  {
    rule: "R4: one clock: the ingest time orders",
    where: "temp",
    from: ({ eventTimestamp = "no such column" }) =>
      new RegExp(`updates\\.\`?${eventTimestamp}\`? AS version`, "g"),
    to: ({ ingestTimestamp }) => `updates.\`${ingestTimestamp}\` AS version`,
  },
  {
    rule: "R5: > for >= at the place to read from",
    where: "temp",
    from: new RegExp(`(WHERE\\s+_batch_row\\.${TICKED}) >= _read_from`, "g"),
    to: "$1 > _read_from",
  },
  {
    rule: "R5: no lookback",
    where: "temp",
    from: /(TIMESTAMP_SUB\(progress\.watermark, INTERVAL) [1-9]\d*/g,
    to: "$1 0",
  },
  {
    rule: "R5: a row stamped in the future takes the watermark along",
    where: "temp",
    from: new RegExp(`(WHERE updates\\.${TICKED}) BETWEEN _read_from AND _read_at`, "g"),
    to: "$1 >= _read_from",
  },
  {
    rule: "R5: what was committed since the last merge is not read",
    pool: COMMITS,
    where: "temp",
    from: /UNION ALL\s+SELECT\s+\* EXCEPT \(_CHANGE_TYPE, _CHANGE_TIMESTAMP\),.*?(?=\n\))/gs,
    to: "",
  },
  {
    rule: "R5: the range that is merged does not go on",
    pool: COMMITS,
    checks: "tables and log",
    where: "final",
    from: /committed_until = GREATEST\(.*?\)\),$/gm,
    to: "committed_until = progress.committed_until,",
  },
  {
    rule: "R7: every user of the batch is rewritten",
    checks: "tables and log",
    where: "final",
    from: /WHERE\s+_row_is_newer/g,
    to: "WHERE TRUE OR _row_is_newer",
  },
  {
    rule: "R7: what was read before is taken for what was merged, whatever came in between",
    where: "final",
    from: /facts\.read_from = progress\.seen_from\n\s*AND facts\.rows_read = progress\.seen_rows\n\s*AND facts\.digest = progress\.seen_digest AS is_seen/g,
    to: "facts.read_from = progress.seen_from AS is_seen",
  },
  {
    rule: "R7: the row's own timestamps are forgotten",
    where: "final",
    from: new RegExp(
      `GREATEST\\(IFNULL\\((batch\\.${TICKED}), final\\.${TICKED}\\), IFNULL\\(final\\.${TICKED}, batch\\.${TICKED}\\)\\)`,
      "g",
    ),
    to: "$1",
  },
  {
    rule: "R8: a RECORD is NULL where any of its leaves is",
    where: "final",
    from: /IS NULL\n\s*AND /g,
    to: "IS NULL OR ",
  },
  {
    rule: "R11: max and min by time",
    pool: TIED,
    where: "final",
    from: new RegExp(`AND (${BATCH}) > (${FINAL})\\)`, "g"),
    to: "AND $1 < $2)",
  },
  {
    rule: "R11: union without what final holds",
    where: "final",
    from: new RegExp(`ARRAY_CONCAT\\(IFNULL\\(final\\.${PATH}, \\[\\]\\), `, "g"),
    to: "ARRAY_CONCAT([], ",
  },
  {
    rule: "R11: a policy keeps what a clear takes",
    pool: FLOORS,
    where: "temp",
    from: /IFNULL\(updates\.\S+ > updates\._batch_floor_\d+, TRUE\)/g,
    to: "TRUE",
  },
  {
    rule: "R11: of whom a delete or a clear comes late, nothing is read again",
    pool: FLOORS,
    where: "temp",
    from: /SET _batch_from = IF\(.*?;/g,
    to: "",
  },
  {
    rule: "R9: within a batch a value beats the clear",
    pool: ALL_RULES,
    where: "temp",
    from: /(ORDER BY updates\.\S+ DESC), (\(.*?UNNEST\(updates\._cleared\)\)) DESC/g,
    to: "$1, $2",
  },
  {
    rule: "R2: a clear at the base version forgets its version",
    pool: TIED_CLEARS,
    where: "both",
    from: /IF\((\S+)\.value IS NULL, \S+\.version, (NULLIF\([^()]*\))\)/g,
    to: "$2",
  },
  {
    rule: "R9: a clear does not reach final at the same version",
    pool: LATER_CLEARS,
    where: "final",
    from: /AND \((?:batch\.\S+ IS NULL|IFNULL\(ARRAY_LENGTH\(batch[^)]*\), 0\) = 0) OR /g,
    to: "AND (FALSE OR ",
  },
  {
    rule: "R10: an update at the delete's version survives",
    pool: ALL_RULES,
    where: "both",
    from: /\.version > _deleted_at/g,
    to: ".version >= _deleted_at",
  },
  {
    rule: "R10: tombstones are not asked",
    pool: ALL_RULES,
    where: "final",
    from: /GREATEST\(IFNULL\(batch\._deleted_at, tombstone\.version\), IFNULL\(tombstone\.version, batch\._deleted_at\)\)/g,
    to: "batch._deleted_at",
  },
  {
    rule: "R10: the row of a deleted user stays",
    pool: ALL_RULES,
    where: "final",
    from: /WHEN MATCHED AND NOT change\._is_alive THEN DELETE/g,
    to: "",
  },
  {
    rule: "R12: rows without a key are let in",
    where: "temp",
    from: new RegExp(`AND updates\\.${TICKED} IS NOT NULL`, "g"),
    to: "",
  },
];

/** A fixed seed: these histories are known to tell every fault from the rule. */
const SEED = 5;

let server: Server;
let endpoint: Endpoint;
beforeAll(async () => {
  server = await startServer({ streamedMinutes: () => 0 });
  endpoint = new Endpoint(server.url, PROJECT);
});
afterAll(() => server?.close());

/** A scenario and its entity, compiled. */
type Trial = readonly [Scenario, CompiledEntity];

/** How many scenarios are compiled as one project. */
const TOGETHER = 5;

const drawn = new Map<Pool, readonly (() => Promise<readonly Trial[]>)[]>();

/** The scenarios of a pool: drawn once, and compiled a few at a time as far as a fault needs them. */
async function* trialsOf(pool: Pool): AsyncGenerator<Trial> {
  const portions = drawn.get(pool) ?? drawPortions(pool);
  drawn.set(pool, portions);
  for (const portion of portions) yield* await portion();
}

function drawPortions({
  options,
  histories,
  suits = () => true,
  idle = 0,
}: Pool): (() => Promise<readonly Trial[]>)[] {
  const sampled = sampleScenarios(options, histories, SEED).filter(({ entity }) => suits(entity));
  const scenarios = sampled.slice(idle);
  const starts = Array.from(
    { length: Math.ceil(scenarios.length / TOGETHER) },
    (_, index) => index * TOGETHER,
  );
  return starts.map((start) => {
    let compiled: Promise<readonly Trial[]> | undefined;
    return () => {
      compiled ??= compileTrials(scenarios.slice(start, start + TOGETHER));
      return compiled;
    };
  });
}

async function compileTrials(scenarios: readonly Scenario[]): Promise<readonly Trial[]> {
  const compiled = await compileScenarios(scenarios);
  return scenarios.map((scenario, index): Trial => [scenario, compiled[index] as CompiledEntity]);
}

function breakSql(
  fault: Fault,
  { entity, name, final }: CompiledEntity,
  sql: string,
  action: Action,
): string {
  const temp = `temp_${name}_updates`;
  const broken = { temp: [temp], final: [final], both: [temp, final] }[fault.where];
  if (!broken.includes(action.target.name)) return sql;
  const from = typeof fault.from === "function" ? fault.from(entity) : fault.from;
  return sql.replaceAll(from, typeof fault.to === "function" ? fault.to(entity) : fault.to);
}

let attempts = 0;

describe("a suite that cannot fail proves nothing", () => {
  test.each(drawCases([PLAIN, ALL_RULES, TIED, TIED_CLEARS], 2))(
    "unbroken, the first of the same histories pass: $options",
    async (pool) => {
      for await (const [scenario, compiled] of trialsOf(pool)) {
        await runScenario(endpoint, compiled, scenario);
        return;
      }
    },
    300_000,
  );

  test.each(drawCases(FAULTS))(
    "$rule",
    async (fault) => {
      let changed = 0;
      for await (const [scenario, compiled] of trialsOf(fault.pool ?? PLAIN)) {
        const { dataset, actions } = compiled;
        const rewrite = (sql: string, action: Action): string => breakSql(fault, compiled, sql, action);
        const isChanged = actions.plain.some((action) =>
          action.jobs.some((job) => rewrite(job, action) !== job),
        );
        if (!isChanged) continue;
        changed++;
        const run = runScenario(endpoint, compiled, scenario, {
          dataset: `${dataset}_${attempts++}`,
          rewrite,
          checks: fault.checks ?? "tables",
        });
        const failure: unknown = await run.then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure === undefined) continue;
        // Broken is not the same as refused: the SQL must still run.
        expect(failure).toBeInstanceOf(ScenarioFailure);
        return;
      }
      expect.fail(`${changed} scenarios ran the broken SQL, and none failed`);
    },
    900_000,
  );
});
