/** The suite's own test: the compiled SQL is broken one rule at a time, and each time a property must fail. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../../local/server.ts";
import type { Scenario } from "./arbitraries.ts";
import type { Action } from "./dataform.ts";
import { Endpoint } from "./endpoint.ts";
import type { Entity } from "./oracle.ts";
import { type CompiledEntity, PROJECT } from "./project.ts";
import { compileScenarios, sampleScenarios } from "./property.ts";
import { runScenario, ScenarioFailure } from "./runner.ts";

/** A way to break the SQL: text in, text out. */
interface Fault {
  readonly rule: string;
  /** In the query that gathers the batch, or in the transaction that merges it. */
  readonly where: "temp" | "final";
  readonly from: RegExp | ((entity: Entity) => RegExp);
  readonly to: string | ((entity: Entity) => string);
}

const TICKED = "`?[A-Za-z_][A-Za-z0-9_]*`?";
const PATH = `${TICKED}(?:\\.${TICKED})*`;

const FAULTS: readonly Fault[] = [
  {
    rule: "R3: no tie-break within a batch",
    where: "temp",
    from: new RegExp(`(ORDER BY updates\\.${TICKED} DESC), .*? LIMIT 1`, "g"),
    to: "$1 LIMIT 1",
  },
  {
    rule: "R3: the other way round within a batch",
    where: "temp",
    from: new RegExp(`(ORDER BY updates\\.${TICKED} DESC, .*?) DESC LIMIT 1`, "g"),
    to: "$1 LIMIT 1",
  },
  {
    rule: "R3: no tie-break between batch and final",
    where: "final",
    from: new RegExp(`OR \\((batch\\._versions\\.${PATH} = final\\._versions\\.${PATH}) AND`, "g"),
    to: "OR (FALSE AND $1 AND",
  },
  {
    rule: "R3: the batch wins every tie (>= for >)",
    where: "final",
    from: new RegExp(`(batch\\._versions\\.${PATH}) > (final\\._versions\\.${PATH})`, "g"),
    to: "$1 >= $2",
  },
  {
    rule: "R3: final wins every difference of time (< for >)",
    where: "final",
    from: new RegExp(`(batch\\._versions\\.${PATH}) > (final\\._versions\\.${PATH})`, "g"),
    to: "$1 < $2",
  },
  {
    rule: "R2: one version per row instead of one per leaf",
    where: "final",
    from: new RegExp(`batch\\._versions\\.${PATH} > final\\._versions\\.${PATH}`, "g"),
    to: ({ ingestTimestamp }) => `batch.\`${ingestTimestamp}\` > final.\`${ingestTimestamp}\``,
  },
  {
    rule: "R3: NaN as DuckDB and many others have it, the greatest",
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
    from: new RegExp(`(WHERE\\s+updates\\.${TICKED}) >= _read_from`, "g"),
    to: "$1 > _read_from",
  },
  {
    rule: "R5: no lookback",
    where: "temp",
    from: /INTERVAL [1-9]\d* ([A-Z]+)/g,
    to: "INTERVAL 0 $1",
  },
  {
    rule: "R5: a row stamped in the future takes the watermark along",
    where: "temp",
    from: new RegExp(`MAX\\(IF\\((updates\\.${TICKED}) <= _read_at, updates\\.${TICKED}, NULL\\)\\)`, "g"),
    to: "MAX($1)",
  },
  {
    rule: "R7: every user of the batch is rewritten",
    where: "final",
    from: /WHERE\s+_row_is_newer/g,
    to: "WHERE TRUE OR _row_is_newer",
  },
  {
    rule: "R7: the row's own timestamps are forgotten",
    where: "final",
    from: new RegExp(
      `GREATEST\\((batch\\.${TICKED}), IFNULL\\(final\\.${TICKED}, batch\\.${TICKED}\\)\\)`,
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
    where: "final",
    from: new RegExp(`AND (batch\\._versions\\.${PATH}) > (final\\._versions\\.${PATH})\\)`, "g"),
    to: "AND $1 < $2)",
  },
  {
    rule: "R11: union without what final holds",
    where: "final",
    from: new RegExp(`ARRAY_CONCAT\\(IFNULL\\(final\\.${PATH}, \\[\\]\\), `, "g"),
    to: "ARRAY_CONCAT([], ",
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
const HISTORIES = 700;

let server: Server;
let endpoint: Endpoint;
let scenarios: Scenario[];
let compiled: CompiledEntity[];
beforeAll(async () => {
  server = await startServer();
  endpoint = new Endpoint(server.url, PROJECT);
  scenarios = sampleScenarios({}, HISTORIES, SEED);
  compiled = await compileScenarios(scenarios);
});
afterAll(() => server?.close());

function breakSql(fault: Fault, entity: Entity, sql: string, action: Action): string {
  if (!action.target.name.endsWith(fault.where === "temp" ? "_updates" : "_final")) return sql;
  const from = typeof fault.from === "function" ? fault.from(entity) : fault.from;
  return sql.replaceAll(from, typeof fault.to === "function" ? fault.to(entity) : fault.to);
}

let attempts = 0;

describe("a suite that cannot fail proves nothing", () => {
  test("unbroken, the same histories pass", async () => {
    for (const index of [0, 1, 2]) {
      await runScenario(endpoint, compiled[index] as CompiledEntity, scenarios[index] as Scenario);
    }
  });

  test.each(FAULTS)("$rule", async (fault) => {
    let changed = 0;
    for (const [index, scenario] of scenarios.entries()) {
      const { entity, dataset, actions } = compiled[index] as CompiledEntity;
      const rewrite = (sql: string, action: Action): string => breakSql(fault, entity, sql, action);
      const isChanged = actions.plain.some((action) =>
        action.jobs.some((job) => rewrite(job, action) !== job),
      );
      if (!isChanged) continue;
      changed++;
      const run = runScenario(
        endpoint,
        compiled[index] as CompiledEntity,
        scenario,
        `${dataset}_${attempts++}`,
        rewrite,
      );
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
  });
});
