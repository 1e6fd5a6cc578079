/** R1 and R14: random allowed changes of a schema between random batches; what the review's list leads to is the oracle's final. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { acceptMeanings } from "../../generator/src/cli/meaning.ts";
import type { EntityModel } from "../../generator/src/generate/model.ts";
import { buildModels } from "../../generator/src/generate/project.ts";
import type { Project } from "../../generator/src/project/dataform-json.ts";
import { compareEntities } from "../../generator/src/review/entity-changes.ts";
import { findMeaningChanges } from "../../generator/src/review/meaning.ts";
import { listTodos } from "../../generator/src/review/todo.ts";
import { applyInit, planInit } from "../../generator/src/warehouse/init/init.ts";
import { type Server, startServer } from "../../local/src/server.ts";
import { clientOf } from "../e2e/harness.ts";
import { EPOCH, entityArbitrary, historyArbitrary, withKey } from "./arbitraries.ts";
import { differences } from "./compare.ts";
import { Endpoint } from "./endpoint.ts";
import { type Entity, expectedFinal } from "./oracle.ts";
import { type CompiledEntity, compileEntities, PROJECT, projectInput } from "./project.ts";
import { REPLAY_FROM, SETTINGS } from "./property.ts";
import { updateFields, Warehouse } from "./runner.ts";
import type { Field, Row, Value } from "./values.ts";

const { histories, seed } = SETTINGS;
/** How many entities change, and how often each. */
const COUNT = Math.ceil(histories / 500);
const STAGES = 5;
const USERS = 6;
const DAY = 86_400_000_000n;

/** An entity as it stands, and what its tables hold beside: columns that were taken out, and old names of keys. */
interface Stage {
  readonly entity: Entity;
  readonly removed: readonly Field[];
  readonly what: string;
  /** What happens to the updates that are there. */
  readonly carry: (row: Row) => Row;
}

const same = (row: Row): Row => row;

/** A number below `limit`, the same for the same seed. */
type Draw = (limit: number) => number;

function drawFrom(start: number): Draw {
  let state = start;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const isPlainRecord = ({ type, mode, merge }: Field): boolean =>
  type === "RECORD" && mode !== "REPEATED" && merge !== "atomic";

const WIDER: Partial<Record<Field["type"], readonly [Field["type"], bigint]>> = {
  INT64: ["NUMERIC", 10n ** 9n],
  NUMERIC: ["BIGNUMERIC", 10n ** 29n],
};

/** The next stage: one change of those that the review knows a way for. */
function change(stage: Stage, number: number, draw: Draw): Stage {
  const { entity, removed } = stage;
  const special = new Set([...entity.key, entity.ingestTimestamp, entity.eventTimestamp]);
  const attributes = entity.fields.filter(({ name }) => !special.has(name));
  const pick = <T>(list: readonly T[]): T | undefined => list[draw(list.length)];
  const replace = (old: Field, ...now: Field[]): Entity => ({
    ...entity,
    fields: entity.fields.flatMap((field) => (field === old ? now : [field])),
  });
  const next = (what: string, changed: Entity, more: Partial<Stage> = {}): Stage => ({
    removed,
    carry: same,
    ...more,
    entity: changed,
    what,
  });
  const fresh: Field = {
    name: `new_${number}`,
    type: pick(["STRING", "INT64", "DATE"] as const) ?? "STRING",
  };
  const leaf = pick(attributes.filter((field) => !isPlainRecord(field)));
  const record = pick(attributes.filter(isPlainRecord));
  switch (draw(9)) {
    case 0:
      return next(`${fresh.name} is new`, { ...entity, fields: [fresh, ...entity.fields] });
    case 1:
      if (record === undefined) break;
      return next(`${record.name}.${fresh.name} is new`, replace(record, deepen(record, fresh, draw)));
    case 2:
      if (leaf === undefined || attributes.length < 2) break;
      return next(`${leaf.name} is taken out`, replace(leaf), {
        removed: [...removed, leaf],
        carry: (row) => withoutClears(row, entity.clearedFields, leaf.name),
      });
    case 3: {
      const back = pick(removed);
      if (back === undefined) break;
      return next(
        `${back.name} is back`,
        { ...entity, fields: [...entity.fields, back] },
        { removed: removed.filter((field) => field !== back) },
      );
    }
    case 4: {
      const [wider, factor] = (leaf?.mode !== "REPEATED" && leaf && WIDER[leaf.type]) || [];
      if (leaf === undefined || wider === undefined || factor === undefined) break;
      const widen = (value: Value): Value => (typeof value === "bigint" ? value * factor : value);
      return next(`${leaf.name} becomes ${wider}`, replace(leaf, { ...leaf, type: wider }), {
        carry: (row) => ({ ...row, [leaf.name]: widen(row[leaf.name] ?? null) }),
      });
    }
    case 5:
      // Within a RECORD the table's order stays (docs/limits.md).
      return next("all columns turn round", { ...entity, fields: [...entity.fields].reverse() });
    case 6: {
      if (leaf === undefined || entity.deleted !== undefined || leaf.merge === "atomic") break;
      const merge = leaf.merge === "first" ? "latest" : "first";
      return next(`${leaf.name} is merged by ${merge}`, replace(leaf, { ...leaf, merge }));
    }
    case 7: {
      const required = pick(entity.fields.filter(({ mode }) => mode === "REQUIRED"));
      if (required === undefined) break;
      return next(`${required.name} is relaxed`, replace(required, { ...required, mode: "NULLABLE" }));
    }
    default: {
      const name = pick(entity.key) ?? "";
      const key = entity.fields.find((field) => field.name === name);
      if (key === undefined) break;
      // BigQuery adds no REQUIRED column.
      const { mode: _, ...nullable } = key;
      const renamed = replace(key, { ...nullable, name: `key_${number}` });
      return next(
        `${name} becomes key_${number}`,
        { ...renamed, key: entity.key.map((part) => (part === name ? `key_${number}` : part)) },
        { carry: ({ [name]: value = null, ...row }) => ({ ...row, [`key_${number}`]: value }) },
      );
    }
  }
  return next("nothing", entity);
}

/** The update, no longer clearing a field and what is in it. */
function withoutClears(row: Row, clearedFields: string | undefined, name: string): Row {
  const paths = clearedFields === undefined ? undefined : (row[clearedFields] as readonly string[] | null);
  if (clearedFields === undefined || !paths) return row;
  const isOf = (path: string): boolean => path.toLowerCase().split(".")[0] === name.toLowerCase();
  return { ...row, [clearedFields]: paths.filter((path) => !isOf(path)) };
}

/** The RECORD with one more field, at some depth. */
function deepen(record: Field, fresh: Field, draw: Draw): Field {
  const fields = record.fields ?? [];
  const inner = fields.find(isPlainRecord);
  if (inner === undefined || draw(2) === 0) return { ...record, fields: [...fields, fresh] };
  return { ...record, fields: fields.map((field) => (field === inner ? deepen(inner, fresh, draw) : field)) };
}

/** The entity with REQUIRED columns, where producers may be held to them. */
function strict(entity: Entity): Entity {
  const always = new Set([...entity.key, entity.ingestTimestamp]);
  return {
    ...entity,
    fields: entity.fields.map((field) => (always.has(field.name) ? { ...field, mode: "REQUIRED" } : field)),
  };
}

const hasRange = (fields: readonly Field[]): boolean =>
  fields.some((field) => field.type.startsWith("RANGE") || hasRange(field.fields ?? []));

let server: Server;
let endpoint: Endpoint;
beforeAll(async () => {
  server = await startServer({ streamedMinutes: () => 0 });
  endpoint = new Endpoint(server.url, PROJECT);
});
afterAll(() => server?.close());

/** One entity through all its stages. */
class Life {
  readonly name: string;
  readonly stages: readonly Stage[];
  readonly #project: Project;
  readonly #random: number;
  readonly #told: string[] = [];
  #rows: Row[] = [];
  #model: EntityModel | undefined;

  constructor(name: string, stages: readonly Stage[], random: number) {
    this.name = name;
    this.stages = stages;
    this.#random = random;
    this.#project = {
      root: "/nowhere",
      projectId: PROJECT,
      dataset: name,
      assertionDataset: name,
      location: "US",
    } as Project;
  }

  /** Goes over to a stage by the review's list, merges two batches, and gives what is not as the oracle says. */
  async enter(index: number, compiled: CompiledEntity): Promise<string[]> {
    const stage = this.stages[index];
    if (stage === undefined) return [];
    this.#told.push(stage.what);
    const warehouse = new Warehouse(endpoint, compiled);
    const [model] = this.#modelsOf(stage);
    if (model === undefined) throw new Error("no model");
    const before = this.#model;
    this.#model = model;
    this.#rows = this.#rows.map(stage.carry);
    if (before === undefined) await this.#init(stage, model);
    else await this.#follow(stage, before, model, warehouse);
    const found: string[] = [];
    for (const batch of [0, 1]) {
      await warehouse.run("plain").catch((error: unknown) => {
        throw new Error(`${this.#told.join("; ")}: ${String(error)}`);
      });
      const rows = await warehouse.read(compiled.name, stage.entity.fields);
      found.push(...differences(stage.entity, rows, expectedFinal(stage.entity, this.#rows)));
      if (found.length > 0) break;
      await this.#load(stage, index * 2 + batch);
    }
    return found.length === 0 ? [] : [`after ${this.#told.join("; ")}:`, ...found.slice(0, 5)];
  }

  #input({ entity }: Stage) {
    const { config, schemas } = projectInput(new Map([[this.name, entity]]));
    return { config: JSON.stringify(config), schemas, defaultDataset: this.name };
  }

  #modelsOf(stage: Stage): readonly EntityModel[] {
    const { config, schemas, defaultDataset } = this.#input(stage);
    return buildModels(config, schemas, { defaultDataset });
  }

  async #init(stage: Stage, model: EntityModel): Promise<boolean> {
    const warehouse = { project: this.#project, client: clientOf(server.url, PROJECT), endpoint: server.url };
    const steps = await planInit(warehouse, [model]);
    const changed = await findMeaningChanges(warehouse, this.#input(stage), [model]);
    await applyInit(steps.filter(({ kind }) => kind !== "file"));
    await acceptMeanings(warehouse, this.#input(stage), changed);
    return changed.some(({ due }) => due.rebuild !== undefined);
  }

  /** To the letter. */
  async #follow(stage: Stage, before: EntityModel, after: EntityModel, warehouse: Warehouse): Promise<void> {
    const todos = listTodos(compareEntities([before], [after], PROJECT), []);
    for (const { step, commands } of todos) {
      this.#told.push(step);
      // What init says beside the review: a field that is back was spoken of meanwhile.
      const isDue = step === "init" && (await this.#init(stage, after));
      for (const command of commands.filter((text) => !text.startsWith("npm ")))
        await endpoint.query(command);
      if (step === "rebuild" || (isDue && !todos.some((todo) => todo.step === "rebuild")))
        await warehouse.run("rebuild");
    }
  }

  /** Appends updates that came in after all before, with what producers go on to say of columns that were taken out. */
  async #load({ entity, removed }: Stage, wave: number): Promise<void> {
    const wide = { ...entity, fields: [...entity.fields, ...removed] };
    const users = fc.sample(historyArbitrary(wide), { numRuns: USERS, seed: this.#random + wave });
    const rows = users.flatMap((history, user) =>
      history.map((update, index) => ({
        ...withKey(wide, user, update),
        [entity.ingestTimestamp]: EPOCH + BigInt(wave) * DAY + BigInt(index),
      })),
    );
    // BigQuery holds producers to REQUIRED.
    const required = entity.fields.filter(({ mode }) => mode === "REQUIRED");
    const taken = rows.filter((row) => required.every(({ name }) => (row[name] ?? null) !== null));
    await endpoint.load(this.name, `${this.name}_updates`, updateFields(wide), taken);
    this.#rows.push(...taken);
  }
}

describe(`random changes of schemas (EXACTNESS_SEED=${seed})`, () => {
  test("whatever changes between batches, final is what all updates say by the schema as it stands", async () => {
    const lives = [{}, { deletes: true, clears: seed % 2 === 0 }].flatMap((options, kind) =>
      fc
        .sample(entityArbitrary(options), { numRuns: 40 * COUNT, seed: seed + kind })
        .filter(({ fields }) => !hasRange(fields))
        .slice(0, COUNT)
        .map((entity, index) => {
          const draw = drawFrom(seed + 31 * index + kind);
          const stages: Stage[] = [{ entity: strict(entity), removed: [], what: "at first", carry: same }];
          for (let number = 1; number < STAGES; number++)
            stages.push(change(stages.at(-1) as Stage, number, draw));
          return new Life(`c${kind}_${index}`, stages, seed + 1_000 * index);
        }),
    );
    for (let index = 0; index < STAGES; index++) {
      const entities = lives.map(({ name, stages }) => [name, stages[index]?.entity as Entity] as const);
      const compiled = await compileEntities(new Map(entities), REPLAY_FROM);
      for (const life of lives) {
        const found = await life.enter(index, compiled.get(life.name) as CompiledEntity);
        expect(found.join("\n"), `EXACTNESS_SEED=${seed} ${life.name}`).toBe("");
      }
    }
  });
});
