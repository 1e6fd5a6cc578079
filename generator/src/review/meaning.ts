import { describeEntity } from "../generate/describe.ts";
import { basisSql, type Fact, mergeSql } from "../generate/merge-sql.ts";
import { type EntityModel, placeOf, updatesName } from "../generate/model.ts";
import { buildModels } from "../generate/project.ts";
import type { ProjectInput } from "../project/load-project.ts";
import { InputError, isObject } from "../project/problems.ts";
import { findPath } from "../warehouse/adopt.ts";
import { findTable, sqlName, tableOf, type Warehouse } from "../warehouse/client.ts";
import { countFinal } from "../warehouse/status.ts";
import type { EntityChanges } from "./changes.ts";
import { compareEntities } from "./entity-changes.ts";

/**
 * Beside the watermark stands what final means (R14): `basis`, which runs check and renew, and `meaning`, the entity and its schema as
 * the tool last saw them merged, by which it tells people what has changed and where the tables of a moved entity are.
 */
const COLUMN = "meaning";
/** The fact by which column updates delete. */
const DELETED = "$.deleted";

/** What an entity means now, against what its tables were made by. */
export interface MeaningChange {
  readonly model: EntityModel;
  /** What has changed, in the words of a review; empty where nothing is kept of what was. */
  readonly changes: EntityChanges["changes"];
  readonly due: Due;
  /** What `init` keeps: what it settles, and what was where a rebuild must settle it. */
  readonly accepted: readonly Fact[];
}

/** The changes that ask for `init`, for other tables and for a rebuild, as text; absent where none does. */
export type Due = Readonly<Partial<Record<"init" | "tables" | "rebuild", string>>>;

/** What a watermark's row keeps. */
interface Kept {
  readonly basis: readonly Fact[];
  /** Whether it can say up to when updates are merged by commit time. */
  readonly hasCursor: boolean;
  readonly meaning?: string;
}

/** Compares the entities with what their tables were made by; those of which nothing is kept yet count as unchanged. */
export async function findMeaningChanges(
  warehouse: Warehouse,
  input: ProjectInput,
  models: readonly EntityModel[],
): Promise<readonly MeaningChange[]> {
  const { projectId, location } = warehouse.project;
  const found = await Promise.all(
    models.map(async (model): Promise<readonly MeaningChange[]> => {
      const kept = await readKept(warehouse, watermarkPlace(model));
      const now = factsOf(model);
      if (kept === undefined || (kept.meaning === meaningOf(input, model) && isSame(kept.basis, now)))
        return [];
      const before = kept.meaning === undefined ? undefined : modelOf(kept.meaning);
      const was = kept.basis.length > 0 || before === undefined ? kept.basis : factsOf(before);
      const unread = await findUnread(warehouse, model, was, before);
      const [compared] =
        before === undefined ? [] : compareEntities([before], [model.base ?? model], projectId, location);
      const changes = compared?.changes ?? [];
      const due = await findDue(warehouse, model, { was, now, unread, changes });
      return [{ model, changes, due, accepted: accept(was, now, unread) }];
    }),
  );
  return found.flat();
}

/** What stops an entity's runs, as far as what stands beside its watermark tells: no updates are read for it. */
export async function findStop(warehouse: Warehouse, model: EntityModel): Promise<Due> {
  const kept = await readKept(warehouse, watermarkPlace(model));
  const now = factsOf(model);
  if (kept === undefined || isSame(kept.basis, now)) return {};
  return findDue(warehouse, model, { was: kept.basis, now, unread: [], changes: [] });
}

/** What is due, as a run would find it; a final without rows is filled from all history, whatever it was to mean. */
async function findDue(
  warehouse: Warehouse,
  model: EntityModel,
  {
    was,
    now,
    unread,
    changes,
  }: {
    readonly was: readonly Fact[];
    readonly now: readonly Fact[];
    readonly unread: readonly string[];
    readonly changes: EntityChanges["changes"];
  },
): Promise<Due> {
  if (was.length === 0) return {};
  const change = basisSql.changeQuery(`UNNEST(${basisSql.list(was)})`, `UNNEST(${basisSql.list(now)})`);
  const [rows] = await warehouse.client.query(`SELECT * FROM (\n  ${change}\n)`);
  const found = (rows as Record<string, string | null>[])[0] ?? {};
  if ((await countFinal(warehouse, model)) === 0) return { init: found.init ?? undefined };
  const join = (...parts: readonly (string | null | undefined)[]) =>
    parts.filter((part) => typeof part === "string").join(", ") || undefined;
  const fixes = changes.filter(({ needs }) => needs.some(({ step }) => step === "fix"));
  return {
    init: join(found.init),
    tables: join(found.tables, ...fixes.map(({ path }) => path)),
    rebuild: join(
      found.rebuild,
      ...unread.map((path) => `${path.replace("$.", "")} is in older updates already`),
    ),
  };
}

/**
 * What updates that are there say already and no run has read: of attributes that are new in the schema, a column that was taken
 * out and comes back, or one that producers wrote before; deletes and clears in a column that was no such one, `$.deleted` and the
 * attributes that they clear.
 */
async function findUnread(
  warehouse: Warehouse,
  model: EntityModel,
  was: readonly Fact[],
  before: EntityModel | undefined,
): Promise<readonly string[]> {
  const known = new Set(flatten(was).map(({ paths }) => paths.toLowerCase()));
  if (known.size === 0) return [];
  const entity = describeEntity(model);
  const place = placeOf(model, "updates");
  const live = (await findTable(tableOf(warehouse, place)))?.schema?.fields ?? [];
  const clears = model.clears && findPath(live, model.clears.name);
  const hasClears = clears?.mode === "REPEATED" && clears.type === "STRING";
  const isOther = (column: "clears" | "deletes") =>
    before !== undefined && before[column]?.name.toLowerCase() !== model[column]?.name.toLowerCase();
  const clearsAnew = isOther("clears");
  // What cleared a path that the schema did not have was a bad row, with all that it says (R12).
  const wereClear = new Set([...known].flatMap((path) => mergeSql.clearingPaths({ path })));
  const leaves = [...mergeSql.leavesOf(entity).values()].map((leaf) => {
    const isKnown = known.has(leaf.path.toLowerCase());
    const clearing = mergeSql
      .clearingPaths(leaf)
      .filter((path) => clearsAnew || !(isKnown || wereClear.has(path)));
    const speaks = [
      ...(isKnown || findPath(live, leaf.path) === undefined
        ? []
        : [mergeSql.saysSomething(leaf, `updates.${leaf.column}`)]),
      ...(hasClears && clearing.length > 0 ? [mergeSql.clearsAny(entity, "IN", clearing)] : []),
    ];
    return { path: leaf.path, speaks };
  });
  const deletes = model.deletes && findPath(live, model.deletes.name);
  const isBool = deletes?.type === "BOOLEAN" || deletes?.type === "BOOL";
  if (model.deletes !== undefined && isBool && isOther("deletes"))
    leaves.push({ path: DELETED, speaks: [`updates.${model.deletes.quoted}`] });
  const spoken = leaves.filter(({ speaks }) => speaks.length > 0);
  if (spoken.length === 0) return [];
  const counts = spoken.map(
    ({ speaks }, index) => `COUNTIF(${speaks.join(" OR ")}) > 0 AS is_spoken_of_${index}`,
  );
  const [rows] = await warehouse.client.query(
    `SELECT ${counts.join(", ")} FROM ${sqlName(warehouse, place)} AS updates WHERE updates.${model.ingest.quoted} >= ${mergeSql.START}`,
  );
  const [spokenOf = {}] = rows as Record<string, boolean>[];
  return spoken.filter((_, index) => spokenOf[`is_spoken_of_${index}`]).map(({ path }) => path);
}

/** What stands once `init` is done; of what it cannot settle, what was, so that runs go on to ask for it. */
function accept(was: readonly Fact[], now: readonly Fact[], unread: readonly string[]): readonly Fact[] {
  const before = new Map(flatten(was).map(({ paths, says }) => [paths.toLowerCase(), says]));
  const settled = [DELETED, "$.updates"];
  const after = flatten(now).map(({ paths, says }) => {
    if (unread.includes(paths)) return { paths, says: basisSql.UNREAD };
    return settled.includes(paths)
      ? { paths, says }
      : { paths, says: before.get(paths.toLowerCase()) ?? says };
  });
  return isSame(after, flatten(now)) ? now : after;
}

/** A fact for each path. */
function flatten(facts: readonly Fact[]): readonly Fact[] {
  return facts.flatMap(({ paths, says }) => paths.split(", ").map((path) => ({ paths: path, says })));
}

function isSame(left: readonly Fact[], right: readonly Fact[]): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function factsOf(model: EntityModel): readonly Fact[] {
  return basisSql.factsOf(describeEntity(model), updatesName(model));
}

/**
 * Keeps what an entity means beside its watermark, where it has one: by `basis` what runs hold it to, without which that stays;
 * where something is still due, only that.
 */
export async function keepMeaning(
  warehouse: Warehouse,
  input: ProjectInput,
  model: EntityModel,
  { basis, isDue = false }: { readonly basis?: readonly Fact[]; readonly isDue?: boolean } = {},
): Promise<void> {
  const kept = await readKept(warehouse, watermarkPlace(model));
  if (kept === undefined) return;
  const table = sqlName(warehouse, watermarkPlace(model));
  const meaning = meaningOf(input, model);
  const sets: string[] = [];
  if (basis !== undefined && !isSame(kept.basis, basis)) sets.push(`basis = ${basisSql.list(basis)}`);
  // R5: of another table nothing is read by commit time yet
  if (kept.hasCursor && basis !== undefined && updatesOf(kept.basis) !== updatesOf(basis))
    sets.push("committed_until = NULL");
  if (!isDue && kept.meaning !== meaning) {
    const description = "What decides the meaning of final: the entity and its schema.";
    await warehouse.client.query(
      `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${COLUMN} STRING OPTIONS(description='${description}')`,
    );
    sets.push(`${COLUMN} = @meaning`);
  }
  if (sets.length > 0)
    await warehouse.client.query({
      query: `UPDATE ${table} SET ${sets.join(", ")} WHERE TRUE`,
      ...(sets.some((set) => set.includes("@meaning")) ? { params: { meaning } } : {}),
    });
}

/** The entity by which a watermark's final was last made; undefined where nothing is kept that this version can read. */
export async function readMeaningAt(warehouse: Warehouse, place: Place): Promise<EntityModel | undefined> {
  const kept = await readKept(warehouse, place);
  return kept?.meaning === undefined ? undefined : modelOf(kept.meaning);
}

type Place = { readonly dataset: string; readonly table: string };

function watermarkPlace({ dataset, tables }: EntityModel): Place {
  return { dataset, table: tables.watermark };
}

/** What a watermark keeps; undefined where there is none. */
async function readKept(warehouse: Warehouse, place: Place): Promise<Kept | undefined> {
  const live = await findTable(tableOf(warehouse, place));
  if (live === undefined) return undefined;
  const names = [COLUMN, "basis"].filter((name) => findPath(live.schema?.fields ?? [], name) !== undefined);
  const hasCursor = findPath(live.schema?.fields ?? [], "committed_until") !== undefined;
  if (names.length === 0) return { basis: [], hasCursor };
  const [rows] = await warehouse.client.query(`SELECT ${names.join(", ")} FROM ${sqlName(warehouse, place)}`);
  const [row = {}] = rows as { readonly basis?: readonly Fact[]; readonly meaning?: string | null }[];
  return {
    basis: (row.basis ?? []).map(({ paths, says }) => ({ paths, says })),
    meaning: row.meaning ?? undefined,
    hasCursor,
  };
}

/** What the updates' table was called. */
function updatesOf(facts: readonly Fact[]): string | undefined {
  return facts.find(({ paths }) => paths === "$.updates")?.says.toLowerCase();
}

/** The entity as entities.json has it, with its dataset, and its schema. */
function meaningOf(input: ProjectInput, model: EntityModel): string {
  const { entities } = JSON.parse(input.config) as { entities: { name: string }[] };
  const { dataset } = model.base ?? model;
  const entity = { ...entities.find(({ name }) => name === model.name), dataset };
  const schema: unknown = JSON.parse(input.schemas.get(model.schemaFile) ?? "null");
  return JSON.stringify({ entity, schema });
}

/** The model of a kept meaning; undefined where this version of the tool cannot read it. */
function modelOf(kept: string): EntityModel | undefined {
  try {
    const meaning: unknown = JSON.parse(kept);
    if (!isObject(meaning) || !isObject(meaning.entity)) return undefined;
    const schemas = new Map([[String(meaning.entity.schema), JSON.stringify(meaning.schema)]]);
    return buildModels({ entities: [meaning.entity] }, schemas)[0];
  } catch (error) {
    if (error instanceof InputError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
