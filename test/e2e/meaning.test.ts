import { beforeAll, describe, expect, it } from "vitest";
import { compileProject } from "../../generator/src/dataform/compiler.ts";
import { buildModels } from "../../generator/src/generate/project.ts";
import { compareEntities } from "../../generator/src/review/entity-changes.ts";
import { listTodos } from "../../generator/src/review/todo.ts";
import { type Action, planActions } from "../exactness/dataform.ts";
import { type TestProject, useEndpoint, useProjects } from "./harness.ts";
import { runHere } from "./in-process.ts";

const makeProject = useProjects(useEndpoint());

const STRING = (name: string, more: object = {}) => ({ name, type: "STRING", ...more });
const PLAIN = [STRING("id"), { name: "ts", type: "TIMESTAMP" }, STRING("a"), STRING("b")];
const BOOL = (name: string) => ({ name, type: "BOOL" });
/** A number that no FLOAT64 holds, so that JSON has it as text only. */
const WIDE = { name: "wide", type: "BIGNUMERIC" };
const WIDE_VALUE = "123456789012345678901234567890.5";
const ENTITY = { name: "u", schema: "schemas/u.json", key: ["id"], ingestTimestamp: "ts" };

/** An entity as entities.json and its schema have it. */
interface Shape {
  readonly entity?: object;
  readonly fields?: readonly object[];
}

const entityOf = (name: string, { entity = {} }: Shape) => ({
  ...ENTITY,
  name,
  schema: `schemas/${name}.json`,
  ...entity,
});
const schemaOf = ({ fields = PLAIN }: Shape) => JSON.stringify(fields);
const modelsOf = (name: string, shape: Shape, dataset: string) =>
  buildModels({ entities: [entityOf(name, shape)] }, new Map([[`schemas/${name}.json`, schemaOf(shape)]]), {
    defaultDataset: dataset,
  });

async function succeed(project: TestProject, ...argv: string[]): Promise<string> {
  const { exitCode, stderr, stdout } = await runHere(project, ...argv);
  expect(exitCode, stderr || stdout).toBe(0);
  return stdout;
}

async function write(project: TestProject, shapes: ReadonlyMap<string, Shape>): Promise<void> {
  const entities = [...shapes].map(([name, shape]) => entityOf(name, shape));
  await project.write("entities.json", JSON.stringify({ entities }));
  for (const [name, shape] of shapes) await project.write(`schemas/${name}.json`, schemaOf(shape));
  await succeed(project, "generate");
}

type Plan = readonly Action[];
const compile = async (project: TestProject, vars: Readonly<Record<string, string>> = {}): Promise<Plan> =>
  planActions(await compileProject(project.root, { vars }));

/** What a run only tells of itself, or does when asked. */
const BESIDE = /_(runs|versions|erase|erase_guard)$/;

/** What a scheduled Dataform does, which knows nothing of this tool; throws what the first failing job of the entity says. */
async function run(project: TestProject, plan: Plan, name: string): Promise<void> {
  const built = await project.query("SELECT table_name FROM DATASET.INFORMATION_SCHEMA.TABLES");
  const names = new Set((built as { table_name: string }[]).map(({ table_name }) => table_name));
  for (const action of plan) {
    if (BESIDE.test(action.target.name)) continue;
    if (action.kind === "assertion" || !new RegExp(`(^|_)${name}(_|$)`).test(action.target.name)) continue;
    const jobs =
      names.has(action.target.name) && action.incrementalJobs ? action.incrementalJobs : action.jobs;
    for (const job of jobs) await project.client.query(job);
  }
}

/** What no refused run may change. */
async function stateOf(project: TestProject, name: string): Promise<unknown> {
  const tables = [`temp_${name}_updates`, `${name}_watermark`];
  return Promise.all(
    tables.map((table) => project.query(`SELECT TO_JSON_STRING(t) AS row FROM DATASET.${table} AS t`)),
  );
}

const RECORD = (more: object = {}) => ({
  name: "r",
  type: "RECORD",
  fields: [STRING("x"), STRING("y")],
  ...more,
});
const day = (number: number) => `TIMESTAMP '2026-01-0${number}'`;

interface Case {
  readonly name: string;
  readonly before: Shape;
  readonly after: Shape;
  /** VALUES of the updates before and after the change, with their columns. */
  readonly rows: readonly [columns: string, values: string][];
  readonly refusal: RegExp | undefined;
  readonly steps: readonly string[];
  readonly final: readonly object[];
}

const CASES: readonly Case[] = [
  // before others: npm run init refuses all until its statements are run
  {
    name: "a wider type",
    before: { fields: [...PLAIN, { name: "n", type: "INT64" }] },
    after: { fields: [...PLAIN, { name: "n", type: "NUMERIC" }] },
    rows: [
      ["id, ts, n", `('1', ${day(1)}, 1)`],
      ["id, ts, n", `('1', ${day(2)}, 1.5)`],
    ],
    refusal: undefined,
    steps: ["before"],
    final: [{ id: "1", a: null, b: null, n: "1.5" }],
  },
  {
    name: "a key column by a new name",
    before: { entity: { deleted: "gone" }, fields: [...PLAIN, WIDE] },
    after: {
      entity: { deleted: "gone", key: ["user_id"] },
      fields: [STRING("user_id"), ...PLAIN.slice(1), WIDE],
    },
    rows: [
      [
        "id, ts, a, wide, gone",
        `('1', ${day(1)}, 'a1', BIGNUMERIC '${WIDE_VALUE}', NULL), ('2', ${day(1)}, 'a2', NULL, NULL), ('3', ${day(1)}, NULL, NULL, TRUE)`,
      ],
      ["user_id, ts, b", `('1', ${day(2)}, 'b1')`],
    ],
    refusal: /key id -> user_id/,
    steps: ["before", "before", "init", "fill", "rebuild"],
    final: [
      { user_id: "1", a: "a1", b: "b1", wide: WIDE_VALUE },
      { user_id: "2", a: "a2", b: null, wide: null },
    ],
  },
  {
    name: "another policy",
    before: {},
    after: { fields: [...PLAIN.slice(0, 2), STRING("a", { merge: "max" }), STRING("b")] },
    rows: [
      ["id, ts, a", `('1', ${day(1)}, 'z'), ('1', ${day(2)}, 'm')`],
      ["id, ts, a", `('1', ${day(3)}, 'n')`],
    ],
    refusal: /: a latest -> max: final would mix both meanings; .*rebuild=true/,
    steps: ["rebuild"],
    final: [{ id: "1", a: "z", b: null }],
  },
  {
    name: "an event timestamp",
    before: {},
    after: { entity: { eventTimestamp: "seen" }, fields: [...PLAIN, { name: "seen", type: "TIMESTAMP" }] },
    rows: [
      ["id, ts, a", `('1', ${day(1)}, 'a1')`],
      ["id, ts, a, seen", `('1', ${day(2)}, 'a2', ${day(2)}), ('1', ${day(3)}, 'a0', ${day(1)})`],
    ],
    refusal:
      /: eventTimestamp none -> seen; more than 1 day ahead: from its ingest timestamp: final would mix/,
    steps: ["init", "fill", "rebuild"],
    final: [{ id: "1", a: "a2", b: null, seen: "2026-01-02T00:00:00.000Z" }],
  },
  {
    name: "a field within a RECORD",
    before: { fields: [...PLAIN, RECORD()] },
    after: { fields: [...PLAIN, RECORD({ fields: [STRING("y"), STRING("z"), STRING("x")] })] },
    rows: [
      ["id, ts, r", `('1', ${day(1)}, STRUCT('x1' AS x, 'y1' AS y))`],
      ["id, ts, r", `('1', ${day(2)}, STRUCT('x2' AS x, CAST(NULL AS STRING) AS y, 'z2' AS z))`],
    ],
    refusal: /: r\.z is new: due is npm run init/,
    steps: ["init"],
    final: [{ id: "1", a: null, b: null, r: { x: "x2", y: "y1", z: "z2" } }],
  },
  {
    name: "a RECORD that moves as one value, in a new final",
    before: { fields: [...PLAIN, RECORD()] },
    after: {
      entity: { tables: { final: "people_c5_final" } },
      fields: [...PLAIN, RECORD({ merge: "atomic" })],
    },
    rows: [
      ["id, ts, r", `('1', ${day(1)}, STRUCT('x1' AS x, 'y1' AS y))`],
      ["id, ts, r", `('1', ${day(2)}, STRUCT('x2' AS x, CAST(NULL AS STRING) AS y))`],
    ],
    refusal: undefined,
    steps: ["init", "after"],
    final: [{ id: "1", a: null, b: null, r: { x: "x2", y: null } }],
  },
  {
    name: "no deletes any more",
    before: { entity: { deleted: "gone" } },
    after: {},
    rows: [
      ["id, ts, a", `('1', ${day(1)}, 'a1')`],
      ["id, ts, a", `('1', ${day(2)}, 'a2')`],
    ],
    refusal: /: deleted gone -> none: due is npm run init/,
    steps: ["before", "init", "after"],
    final: [{ id: "1", a: "a2", b: null }],
  },
  {
    name: "an attribute becomes the column that deletes",
    before: { fields: [...PLAIN, BOOL("gone")] },
    after: { entity: { deleted: "gone" } },
    rows: [
      [
        "id, ts, a, gone",
        `('1', ${day(1)}, 'a1', FALSE), ('2', ${day(1)}, 'a2', NULL), ('2', ${day(2)}, NULL, TRUE)`,
      ],
      ["id, ts, b", `('1', ${day(3)}, 'b3')`],
    ],
    refusal: /: deleted none -> gone: due is npm run init/,
    steps: ["before", "init", "rebuild", "after"],
    final: [{ id: "1", a: "a1", b: "b3" }],
  },
  {
    name: "an attribute that updates cleared is taken out, before a rebuild",
    before: { entity: { clearedFields: "cleared" } },
    after: {
      entity: { clearedFields: "cleared" },
      fields: [...PLAIN.slice(0, 2), STRING("a", { merge: "first" })],
    },
    rows: [
      [
        "id, ts, a, cleared",
        `('1', ${day(1)}, 'a1', ['B', 'a']), ('1', ${day(2)}, 'a2', ['b']), ('1', ${day(3)}, 'a3', [])`,
      ],
      ["id, ts, a", `('1', ${day(4)}, 'a4')`],
    ],
    refusal: /: a latest -> first: .*rebuild=true/,
    steps: ["before", "fill", "rebuild"],
    final: [{ id: "1", a: "a2" }],
  },
];

describe("a change of meaning, whoever runs", () => {
  let project: TestProject;
  let plain: Plan;
  let rebuild: Plan;
  const named = CASES.map((one, index) => ({ ...one, entity: `c${index}` }));
  const shapes = (which: "before" | "after") => new Map(named.map((one) => [one.entity, one[which]]));
  const insert = (entity: string, [columns, values]: readonly [string, string] = ["", ""]) =>
    project.query(`INSERT INTO DATASET.${entity}_updates (${columns}) VALUES ${values}`);

  beforeAll(async () => {
    project = await makeProject({ entities: [ENTITY], files: { [ENTITY.schema]: "[]" } });
    await write(project, shapes("before"));
    await succeed(project, "init");
    const first = await compile(project);
    for (const { entity, rows } of named) {
      await insert(entity, rows[0]);
      await run(project, first, entity);
    }
    await write(project, shapes("after"));
    plain = await compile(project);
    rebuild = await compile(project, { rebuild: "true" });
  });

  it.each(named.filter(({ refusal }) => refusal))(
    "stops a run before it writes: $name",
    async ({ entity, refusal }) => {
      const state = await stateOf(project, entity);
      await expect(run(project, plain, entity)).rejects.toThrow(refusal);
      expect(await stateOf(project, entity)).toEqual(state);
    },
  );

  it.each(named)(
    "ends in the right final where the review's list is followed to the letter: $name",
    async (one) => {
      const { entity } = one;
      const [before, after] = [one.before, one.after].map((shape) =>
        modelsOf(entity, shape, project.dataset),
      );
      const todos = listTodos(compareEntities(before ?? [], after ?? [], "test-project"), []);
      expect(todos.map(({ step }) => step)).toEqual(one.steps);
      for (const { step, commands } of todos) {
        if (step === "fill" && one.name.includes("key"))
          await expect(run(project, rebuild, entity)).rejects.toThrow(/updates have the old key \(id\)/);
        for (const command of commands) {
          if (command === `npm run update -- --tags ${entity} --vars=rebuild=true`)
            await run(project, rebuild, entity);
          else if (command === "npm run init") await succeed(project, "init");
          else await project.query(command);
        }
      }
      await insert(entity, one.rows[1]);
      await run(project, plain, entity);
      expect(await project.query(`SELECT * EXCEPT (ts) FROM DATASET.${entity} ORDER BY 1`)).toEqual(
        one.final,
      );
    },
  );
});

it("an attribute that was taken out and comes back asks for a rebuild where updates spoke of it meanwhile", async () => {
  const clearing = { entity: { clearedFields: "cleared" } };
  const whole = new Map<string, Shape>([
    ["u", { ...clearing, fields: [...PLAIN, STRING("c"), STRING("d")] }],
    ["v", {}],
    ["w", { entity: { clearedFields: "cleared", deleted: "gone" } }],
  ]);
  const without = new Map<string, Shape>([
    ["u", { ...clearing, fields: PLAIN.filter(({ name }) => name !== "b") }],
    ["v", {}],
    ["w", { fields: [...PLAIN, STRING("cleared", { mode: "REPEATED" }), BOOL("gone")] }],
  ]);
  const project = await makeProject({ entities: [ENTITY], files: { [ENTITY.schema]: "[]" } });
  const insert = (values: string) =>
    project.query(`INSERT INTO DATASET.u_updates (id, ts, a, b, c, cleared) VALUES ${values}`);
  await write(project, whole);
  await succeed(project, "init");
  const first = await compile(project);
  await insert(`('1', ${day(1)}, 'a1', 'b1', NULL, [])`);
  await run(project, first, "u");
  await write(project, without);
  const second = await compile(project);
  await run(project, second, "u");
  await insert(`('1', ${day(2)}, NULL, 'b2', NULL, []), ('1', ${day(3)}, 'a3', NULL, NULL, ['C'])`);
  await run(project, second, "u");
  await succeed(project, "init");
  await project.query(
    `INSERT INTO DATASET.w_updates (id, ts, a, cleared, gone) VALUES ('1', ${day(1)}, 'a1', [], FALSE), ('1', ${day(2)}, NULL, ['A'], TRUE)`,
  );
  await run(project, second, "w");

  await write(project, whole);
  await expect(run(project, first, "u")).rejects.toThrow(
    /u: b is new, c is new, d is new: due is npm run init/,
  );
  const said = await succeed(project, "init");
  expect(said).toContain("b is in older updates already, c is in older updates already");
  expect(said, "nobody spoke of it").not.toContain("d is in");
  // A column that deletes and one that clears were attributes, and what they said no run has read so.
  await expect(run(project, first, "w")).rejects.toThrow(
    /w: a not read yet -> latest, deleted not read yet -> gone: .*rebuild/,
  );
  await expect(run(project, first, "u")).rejects.toThrow(
    /u: b not read yet -> latest, c not read yet -> latest: .*rebuild/,
  );
  // Whoever asks is told, and others go on.
  expect(JSON.parse(await succeed(project, "status", "--json"))).toMatchObject([
    { entity: "u", word: "bad", changed: expect.stringContaining("b not read yet -> latest") },
    { entity: "v", word: "well" },
    { entity: "w", word: "bad" },
  ]);
  expect(await runHere(project, "update")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("u: b not read yet -> latest"),
  });
  await succeed(project, "update", "--tags", "v");
  await run(project, await compile(project, { rebuild: "true" }), "u");
  await run(project, first, "u");
  expect(await project.query("SELECT id, a, b, c FROM DATASET.u")).toEqual([
    { id: "1", a: "a3", b: "b2", c: null },
  ]);
});
