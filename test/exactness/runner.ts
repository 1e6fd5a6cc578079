/** Runs scenarios of random histories as Dataform would run the compiled project, and holds every table against the oracle. */
import { BATCHES, type Scenario, withKey } from "./arbitraries.ts";
import { differences, versionsField } from "./compare.ts";
import { type Action, nameOf } from "./dataform.ts";
import type { Endpoint, RestField } from "./endpoint.ts";
import { restField } from "./endpoint.ts";
import {
  badReason,
  type Entity,
  type ExpectedRun,
  isErasable,
  Oracle,
  type RunMode,
  userOf,
} from "./oracle.ts";
import { type CompiledEntity, PROJECT, type RunKind } from "./project.ts";
import { type Field, type Row, timestampText } from "./values.ts";
import { decodeRow } from "./wire.ts";

/** The columns of updates. */
export function updateFields(entity: Entity): Field[] {
  const fields = [...entity.fields];
  if (entity.clearedFields !== undefined)
    fields.push({ name: entity.clearedFields, type: "STRING", mode: "REPEATED" });
  if (entity.deleted !== undefined) fields.push({ name: entity.deleted, type: "BOOL" });
  return fields;
}

/** One entity's tables on an endpoint, beside the oracle that knows what they must hold. */
export class Warehouse {
  readonly oracle: Oracle;
  readonly #endpoint: Endpoint;
  readonly #compiled: CompiledEntity;
  readonly #dataset: string;
  /** Tables that exist: an incremental table is merged into from its second run on. */
  readonly #built = new Set<string>();
  #rewrite: (sql: string, action: Action) => string = (sql) => sql;

  constructor(endpoint: Endpoint, compiled: CompiledEntity, dataset = compiled.dataset) {
    this.#endpoint = endpoint;
    this.#compiled = compiled;
    this.#dataset = dataset;
    this.oracle = new Oracle(compiled.entity);
  }

  /** Changes every job before it runs: for faults in the SQL itself. */
  rewrite(rewrite: (sql: string, action: Action) => string): void {
    this.#rewrite = rewrite;
  }

  /** Creates the dataset and the updates table. */
  async create(): Promise<void> {
    const { entity, name } = this.#compiled;
    await this.#endpoint.createDataset(this.#dataset);
    await this.#endpoint.createTable(
      this.#dataset,
      `${name}_updates`,
      updateFields(entity),
      entity.ingestTimestamp,
    );
  }

  /** Drops all. */
  async drop(): Promise<void> {
    await this.#endpoint.dropDataset(this.#dataset);
  }

  /** Appends updates. */
  async load(rows: readonly Row[]): Promise<void> {
    const { entity, name } = this.#compiled;
    await this.#endpoint.load(this.#dataset, `${name}_updates`, updateFields(entity), rows);
    this.oracle.load(rows);
  }

  /** The jobs of a run, in order; assertions apart. */
  jobs(kind: RunKind): { readonly action: Action; readonly job: string }[] {
    const actions = this.#compiled.actions[kind].filter(
      (action) => action.kind !== "assertion" && !action.tags.includes("audit") && !isErasure(action),
    );
    return actions.flatMap((action) => {
      const isBuilt = this.#built.has(action.target.name);
      const jobs = isBuilt && action.incrementalJobs !== undefined ? action.incrementalJobs : action.jobs;
      return jobs.map((job) => ({ action, job: this.#place(this.#rewrite(job, action)) }));
    });
  }

  #place(sql: string): string {
    return sql.replaceAll(`\`${PROJECT}.${this.#compiled.dataset}.`, `\`${PROJECT}.${this.#dataset}.`);
  }

  /** Lets a day go by since the last merge (R13). */
  async becomeDue(): Promise<void> {
    const { name } = this.#compiled;
    await this.#endpoint.query(
      `UPDATE \`${PROJECT}.${this.#dataset}.${name}_watermark\` SET merged_at = TIMESTAMP '2000-01-01' WHERE TRUE`,
    );
    this.oracle.becomeDue();
  }

  /** Runs all actions but the assertions. */
  async run(kind: RunKind): Promise<void> {
    for (const step of this.steps(kind)) await step();
  }

  /** The jobs of a run, each to be started by itself. */
  steps(kind: RunKind): (() => Promise<void>)[] {
    return this.jobs(kind).map(({ action, job }) => async () => {
      await this.#endpoint.query(job);
      this.#built.add(action.target.name);
    });
  }

  /** Runs what `--tags erase` selects; gives the good updates that it left or took and should not have. */
  async erase(): Promise<string[]> {
    const { entity, name } = this.#compiled;
    for (const { tags, jobs } of this.#compiled.actions.plain) {
      for (const job of tags.includes("erase") ? jobs : []) await this.#endpoint.query(this.#place(job));
    }
    const isGood = (row: Row): boolean => badReason(entity, row) === undefined;
    const left = (await this.read(`${name}_updates`, updateFields(entity))).filter(isGood);
    const wrong = left
      .filter((row) => isErasable(entity, row, this.oracle.rows))
      .map((row) => `${userOf(entity, row)} has an erasable update`);
    const kept = this.oracle.rows.filter((row) => isGood(row) && !isErasable(entity, row, this.oracle.rows));
    return left.length - wrong.length === kept.length
      ? wrong
      : [...wrong, `${left.length} updates are left, not ${kept.length}`];
  }

  /** How many users the audit finds. */
  async audit(): Promise<number> {
    const findings = this.#compiled.actions.plain.find(({ target }) =>
      target.name.endsWith("_audit_findings"),
    );
    for (const job of findings?.jobs ?? []) await this.#endpoint.query(this.#place(job));
    const table = `\`${PROJECT}.${this.#dataset}.${findings?.target.name}\``;
    const { rows } = await this.#endpoint.query(`SELECT COUNT(*) FROM ${table}`);
    return Number(rows[0]?.[0]?.v);
  }

  /** Rows that the assertions find, by assertion. */
  async assertions(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const { kind, jobs, target } of this.#compiled.actions.plain) {
      // The audit reads a table that only a run of its tag makes.
      if (kind !== "assertion" || target.name.endsWith("_audit")) continue;
      const [create = "", check = ""] = jobs;
      await this.#endpoint.query(this.#place(create));
      const { rows } = await this.#endpoint.query(this.#place(check));
      found.set(target.name, Number(rows[0]?.[0]?.v ?? 0));
    }
    return found;
  }

  /** All rows of a table with these columns; throws when it has others. */
  async read(table: string, fields: readonly Field[]): Promise<Row[]> {
    const target = { database: PROJECT, schema: this.#dataset, name: table };
    return await this.#rows(table, `SELECT * FROM ${nameOf(target)}`, fields);
  }

  async #rows(table: string, sql: string, fields: readonly Field[]): Promise<Row[]> {
    const { schema, rows } = await this.#endpoint.query(sql);
    const [got, wanted] = [schemaText(schema), schemaText(fields.map(restField))];
    if (got !== wanted) throw new Error(`${table} has the columns\n${got}\nnot\n${wanted}`);
    return rows.map((cells) => decodeRow(fields, cells));
  }

  /** All rows of final, with the versions as the view of versions decodes them, whether or not that view is made yet. */
  async final(): Promise<Row[]> {
    const { entity, name, actions } = this.#compiled;
    const view = actions.plain.find(({ target }) => target.name === `${name}_versions`);
    const job = view?.jobs[0] ?? "";
    const fields = [...entity.fields, versionsField(entity)];
    return await this.#rows(`${name}_final`, this.#place(job.slice(job.search(/\b(WITH|SELECT)\b/))), fields);
  }

  /** What differs between the tables and the oracle. */
  async differences(): Promise<string[]> {
    return differences(this.#compiled.entity, await this.final(), this.oracle.final);
  }

  /** What differs between the view and the oracle. */
  async viewDifferences(): Promise<string[]> {
    const { entity, name } = this.#compiled;
    return differences(entity, await this.read(name, entity.fields), this.oracle.final);
  }

  /** The newest entry of the run log beside what the oracle says it must be. */
  async logDifferences(expected: ExpectedRun): Promise<string[]> {
    const { name } = this.#compiled;
    const sql =
      `SELECT run.read_from, run.rows_read, run.users_read, run.future_rows, run.bad_rows, run.new_bad_rows, run.missed_rows, run.watermark_before, run.watermark_after, ` +
      `run.rows_changed, progress.watermark FROM \`${PROJECT}.${this.#dataset}.${name}_watermark\` AS progress ` +
      `LEFT JOIN UNNEST(progress.recent_runs) AS run WITH OFFSET AS age WHERE age = 0`;
    const { rows } = await this.#endpoint.query(sql);
    const [
      readFrom,
      rowsRead,
      usersRead,
      futureRows,
      bad,
      newBad,
      missed,
      before,
      after,
      changed,
      watermark,
    ] = (rows[0] ?? []).map(({ v }) => (v === null ? null : BigInt(v as string)));
    const wanted: Record<string, [bigint | null | undefined, bigint]> = {
      watermark: [watermark, expected.watermarkAfter],
      watermark_before: [before, expected.watermarkBefore],
      watermark_after: [after, expected.watermarkAfter],
      rows_read: [rowsRead, BigInt(expected.rowsRead)],
      users_read: [usersRead, BigInt(expected.usersRead)],
      future_rows: [futureRows, BigInt(expected.futureRows)],
      bad_rows: [bad, BigInt(expected.badRows)],
      new_bad_rows: [newBad, BigInt(expected.newBadRows)],
      missed_rows: [missed, BigInt(expected.missedRows)],
      ...(expected.rowsRead > 0 && expected.readFrom !== undefined
        ? { read_from: [readFrom, expected.readFrom] as [bigint, bigint] }
        : {}),
      ...(this.#compiled.entity.deleted === undefined
        ? { rows_changed: [changed, BigInt(expected.rowsChanged)] as [bigint, bigint] }
        : {}),
    };
    return Object.entries(wanted).flatMap(([column, [got, want]]) =>
      got === want ? [] : [`the run log's ${column} is ${got}, not ${want}`],
    );
  }
}

function schemaText(fields: readonly RestField[]): string {
  return fields
    .map(({ name, type, mode, rangeElementType: bound, fields: inner }) => {
      const scalar = bound === undefined ? type : `${type}<${bound.type}>`;
      const kind = mode === "REPEATED" ? `${scalar}[]` : scalar;
      return `${name} ${kind.replace("STRUCT", "RECORD")}${inner ? `(${schemaText(inner)})` : ""}`;
    })
    .join(", ");
}

/** What only a run with `--tags erase` is for. */
function isErasure({ tags, target }: Action): boolean {
  return tags.includes("erase") || target.name.endsWith("_erase_guard");
}

/** Now, as the endpoint's clock has it. */
export function now(): bigint {
  return BigInt(Date.now()) * 1000n;
}

/** What went wrong in a scenario, and where. */
export class ScenarioFailure extends Error {}

/** Where a scenario runs, and what is looked at. */
export interface ScenarioOptions {
  readonly dataset?: string;
  readonly rewrite?: (sql: string, action: Action) => string;
  readonly checks?: "tables" | "tables and log";
}

/** Loads and runs a scenario batch by batch; throws at the first table that is not what the oracle says. */
export async function runScenario(
  endpoint: Endpoint,
  compiled: CompiledEntity,
  scenario: Scenario,
  options: ScenarioOptions = {},
): Promise<void> {
  const warehouse = new Warehouse(endpoint, compiled, options.dataset);
  warehouse.rewrite(options.rewrite ?? ((sql) => sql));
  await warehouse.create();
  try {
    await playScenario(warehouse, scenario, options.checks ?? "tables and log");
    const view = await warehouse.viewDifferences();
    if (view.length > 0) throw new ScenarioFailure(`the view:\n${view.slice(0, 5).join("\n")}`);
    await checkAssertions(warehouse, compiled);
    if (compiled.entity.deleted !== undefined) await checkErasure(warehouse);
  } finally {
    await warehouse.drop();
  }
}

/** The loads and runs of a scenario, with a check after each run. */
async function playScenario(
  warehouse: Warehouse,
  scenario: Scenario,
  checks: NonNullable<ScenarioOptions["checks"]>,
): Promise<void> {
  const rows = scenario.histories.flatMap((history, index) =>
    history.map((update) => ({ batch: update.batch, row: withKey(scenario.entity, index, update) })),
  );
  const modes = {
    plain: ["plain"],
    twice: ["plain", "plain"],
    replayFrom: ["replayFrom"],
    rebuild: ["rebuild"],
  } as const;
  const steps: string[] = [];
  const check = async (kind: RunKind): Promise<void> => {
    steps.push(kind);
    const mode: RunMode = kind === "replayFrom" ? { kind, from: scenario.replayFrom } : { kind };
    await warehouse.run(kind);
    const expected = warehouse.oracle.run(mode, now());
    const found = await warehouse.differences();
    // Between merges the view alone is up to date.
    if (scenario.entity.mergesDaily) found.push(...(await warehouse.viewDifferences()));
    if (checks === "tables and log") found.push(...(await warehouse.logDifferences(expected)));
    if (found.length > 0)
      throw new ScenarioFailure(`after ${steps.join(", ")}:\n${found.slice(0, 8).join("\n")}`);
  };
  for (let batch = 0; batch < BATCHES; batch++) {
    await warehouse.load(rows.filter((row) => row.batch === batch).map(({ row }) => row));
    steps.push(`load ${batch}`);
    if (batch === BATCHES - 1 && scenario.entity.mergesDaily) await warehouse.becomeDue();
    for (const kind of modes[scenario.modes[batch] ?? "plain"]) await check(kind);
  }
  // What the lookback left out is in after this, and then nothing is new any more.
  await check("rebuild");
  await check("plain");
}

/** R10: erasure takes the updates of deleted users and nothing else, and final stays right whatever runs afterwards. */
async function checkErasure(warehouse: Warehouse): Promise<void> {
  const found = await warehouse.erase();
  if (found.length > 0) throw new ScenarioFailure(`after erasure:\n${found.slice(0, 5).join("\n")}`);
  for (const kind of ["plain", "rebuild"] as const) {
    await warehouse.run(kind);
    const wrong = await warehouse.differences();
    if (wrong.length > 0)
      throw new ScenarioFailure(`after erasure and ${kind}:\n${wrong.slice(0, 5).join("\n")}`);
  }
}

async function checkAssertions(warehouse: Warehouse, { name }: CompiledEntity): Promise<void> {
  const found = await warehouse.assertions();
  const duplicates = found.get(`${name}_key_is_unique`);
  if (duplicates !== 0) throw new ScenarioFailure(`${name}_key_is_unique finds ${duplicates} rows`);
}

/** A scenario as a person can read it: the entity, and each user's updates in the order of their batches. */
export function describeScenario({ entity, histories, modes, replayFrom }: Scenario): string {
  const lines = histories.flatMap((history, index) =>
    history.map((update) => {
      const row = Object.entries(withKey(entity, index, update)).filter(([, value]) => value !== null);
      const cells = row.map(
        ([name, value]) => `${name}: ${JSON.stringify(value, (_, inner) => readable(inner))}`,
      );
      return `  batch ${update.batch}  ${cells.join(", ")}`;
    }),
  );
  const header = JSON.stringify({ ...entity, modes, replayFrom: timestampText(replayFrom) }, (_, inner) =>
    readable(inner),
  );
  return `${header}\n${lines.join("\n")}`;
}

function readable(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)))
    return Object.is(value, -0) ? "-0.0" : `${value}`;
  return value;
}
