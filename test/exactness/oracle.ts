/**
 * The oracle: what `<entity>_final` must hold after any history of loads and runs, written from the rules R1 to R12 alone, over
 * plain objects. It recomputes everything from the set of updates that were read; nothing in it is incremental.
 */
import { compareValues, type Field, isRecord, type Row, toJsonString, type Value } from "./values.ts";

/** An entity as the rules see it. The columns of clears and deletes are not among `fields`. */
export interface Entity {
  readonly fields: readonly Field[];
  readonly key: readonly string[];
  readonly ingestTimestamp: string;
  readonly eventTimestamp?: string;
  /** What an event time means that is later than its ingest time by more than the limit, in microseconds. */
  readonly eventAhead?: { readonly limit: bigint; readonly keepsOut: boolean };
  /** Microseconds. */
  readonly lookback: bigint;
  readonly clearedFields?: string;
  readonly deleted?: string;
  /** R5: runs read what was committed since the last merge, however it is stamped. */
  readonly byCommit?: boolean;
  /** R13: not every run merges; those between are read through the view. */
  readonly mergesDaily?: boolean;
  /**
   * What final is called, where not `<entity>_final`: like a column of its own, by which GoogleSQL knows the whole row of a table
   * without an alias.
   */
  readonly final?: string;
}

/** A leaf (R2): where it is, and what it is. */
export interface Leaf {
  readonly path: readonly string[];
  readonly field: Field;
}

/** What final holds of one user: the row as the view shows it, and the version of each leaf by its dotted path. */
export interface FinalRow {
  readonly row: Row;
  readonly versions: ReadonlyMap<string, bigint | null>;
}

/** Why a row may never reach final (R12, R9). */
export type BadReason =
  | "null key"
  | "no ingest time"
  | "before the first watermark"
  | "no event time"
  | "event time ahead"
  | "unknown path";

/** 1900-01-01 00:00:00 UTC: the watermark before the first run (R5). */
export const START = BigInt(Date.UTC(1900, 0, 1)) * 1000n;
/** Before any time there is. */
const EVER = -(2n ** 63n);

/** The end of the calendar: what is stamped so is read by its stamp by every run (R5). */
const END = BigInt(Date.UTC(9999, 11, 31, 23, 59, 59)) * 1000n + 999_999n;

/** The leaves of an entity, in the schema's order (R2). */
export function leavesOf(entity: Entity): Leaf[] {
  const special = new Set([...entity.key, entity.ingestTimestamp, entity.eventTimestamp]);
  return entity.fields.filter((field) => !special.has(field.name)).flatMap((field) => leavesBelow(field, []));
}

function leavesBelow(field: Field, parents: readonly string[]): Leaf[] {
  const path = [...parents, field.name];
  const isInner = field.type === "RECORD" && field.mode !== "REPEATED" && field.merge !== "atomic";
  return isInner ? (field.fields ?? []).flatMap((member) => leavesBelow(member, path)) : [{ path, field }];
}

/** Why a row is bad, or nothing when it is good. */
export function badReason(entity: Entity, row: Row): BadReason | undefined {
  const ingest = row[entity.ingestTimestamp] as bigint | null | undefined;
  if (entity.key.some((part) => isNull(row[part]))) return "null key";
  if (isNull(ingest)) return "no ingest time";
  if ((ingest as bigint) < START) return "before the first watermark";
  if (entity.eventTimestamp !== undefined && isNull(row[entity.eventTimestamp])) return "no event time";
  if (isAhead(entity, row) && entity.eventAhead?.keepsOut) return "event time ahead";
  const cleared = clearedPaths(entity, row);
  if (cleared.length === 0) return undefined;
  const known = knownPaths(entity);
  return cleared.every((path) => known.has(path)) ? undefined : "unknown path";
}

/** Every path an update may clear: the leaves, and the RECORDs above them. */
function knownPaths(entity: Entity): Set<string> {
  const prefixes = leavesOf(entity).flatMap(({ path }) => path.map((_, index) => path.slice(0, index + 1)));
  return new Set(prefixes.map((path) => path.join(".").toLowerCase()));
}

function clearedPaths(entity: Entity, row: Row): string[] {
  const named = entity.clearedFields === undefined ? null : row[entity.clearedFields];
  return ((named ?? []) as readonly string[]).map((path) => path.toLowerCase());
}

/** One text per user: equal exactly when the keys are (GoogleSQL's -0.0 = 0.0; NaN is one user). */
export function userOf(entity: Entity, row: Row): string {
  return entity.key
    .map((part) => {
      const value = keyValue(row[part] ?? null);
      return typeof value === "number"
        ? `${value}`
        : typeof value === "string"
          ? JSON.stringify(value)
          : `${value}`;
    })
    .join("|");
}

function keyValue(value: Value): Value {
  return Object.is(value, -0) ? 0 : value;
}

/** R1: final as a full recompute over the updates read so far. Bad rows may be among them. */
export function expectedFinal(entity: Entity, rows: readonly Row[]): Map<string, FinalRow> {
  const users = new Map<string, Row[]>();
  for (const row of rows) {
    if (badReason(entity, row) !== undefined) continue;
    const user = userOf(entity, row);
    users.set(user, [...(users.get(user) ?? []), row]);
  }
  const final = new Map<string, FinalRow>();
  for (const [user, ofUser] of users) {
    const row = expectedRow(entity, ofUser);
    if (row !== undefined) final.set(user, row);
  }
  return final;
}

/** The row of one user from all their good updates, or nothing when the user is deleted (R10). */
function expectedRow(entity: Entity, rows: readonly Row[]): FinalRow | undefined {
  const deletes = rows.filter((row) => isDelete(entity, row)).map((row) => versionOf(entity, row));
  const alive = rows.filter(
    (row) => !isDelete(entity, row) && deletes.every((deletedAt) => versionOf(entity, row) > deletedAt),
  );
  const first = alive[0];
  if (first === undefined) return undefined;
  const states = new Map<string, Said | undefined>();
  for (const leaf of leavesOf(entity)) {
    const said = alive.flatMap((row) => says(entity, leaf, row));
    states.set(leaf.path.join("."), decide(leaf.field, said));
  }
  const row: Record<string, Value> = {};
  for (const field of entity.fields) {
    if (entity.key.includes(field.name)) row[field.name] = keyValue(first[field.name] ?? null);
    else if (field.name === entity.ingestTimestamp) row[field.name] = greatest(rows, field.name);
    else if (field.name === entity.eventTimestamp)
      row[field.name] = newest(alive.map((update) => versionOf(entity, update)));
    else row[field.name] = build(field, [field.name], states);
  }
  const versions = [...states].map(([path, state]) => [path, state?.version ?? null] as const);
  return { row, versions: new Map(versions) };
}

/** Whether an update is what erasure removes: a delete, or what a delete of the same user took (R10). */
export function isErasable(entity: Entity, row: Row, rows: readonly Row[]): boolean {
  if (badReason(entity, row) !== undefined) return false;
  const user = userOf(entity, row);
  return rows.some(
    (other) =>
      isDelete(entity, other) &&
      badReason(entity, other) === undefined &&
      userOf(entity, other) === user &&
      versionOf(entity, row) <= versionOf(entity, other),
  );
}

function isDelete(entity: Entity, row: Row): boolean {
  return entity.deleted !== undefined && row[entity.deleted] === true;
}

/** R4: the event time orders; it is the ingest time unless the entity names one, and where it is too far ahead of that. */
function versionOf(entity: Entity, row: Row): bigint {
  const { eventTimestamp, ingestTimestamp } = entity;
  const isIngest = eventTimestamp === undefined || isAhead(entity, row);
  return row[isIngest ? ingestTimestamp : eventTimestamp] as bigint;
}

/** Whether an update says that its facts come true later than may be: by more than a day where the entity does not say. */
export function isAhead({ eventTimestamp, ingestTimestamp, eventAhead }: Entity, row: Row): boolean {
  if (eventTimestamp === undefined) return false;
  const [event, ingest] = [row[eventTimestamp] ?? null, row[ingestTimestamp] ?? null];
  if (event === null || ingest === null) return false;
  return (event as bigint) - (ingest as bigint) > (eventAhead?.limit ?? 86_400_000_000n);
}

function greatest(rows: readonly Row[], column: string): bigint {
  return newest(rows.map((row) => row[column] as bigint));
}

function newest(times: readonly bigint[]): bigint {
  return [...times].sort((a, b) => (a < b ? 1 : -1))[0] ?? START;
}

/** What one update says of one leaf: a value, or (null) its clear, at the update's version. */
interface Said {
  readonly value: Value;
  readonly version: bigint;
}

/** Nothing, a clear (R9), or a value. */
function says(entity: Entity, leaf: Leaf, row: Row): Said[] {
  const version = versionOf(entity, row);
  if (isClear(entity, leaf, row)) return [{ value: null, version }];
  const value = valueAt(row, leaf.path);
  return saysNothing(leaf.field, value) ? [] : [{ value, version }];
}

/** R9: by its own path, or by that of a RECORD around it. */
function isClear(entity: Entity, leaf: Leaf, row: Row): boolean {
  const cleared = new Set(clearedPaths(entity, row));
  const ancestors = leaf.path.map((_, index) =>
    leaf.path
      .slice(0, index + 1)
      .join(".")
      .toLowerCase(),
  );
  return ancestors.some((path) => cleared.has(path));
}

function valueAt(row: Row, path: readonly string[]): Value {
  let value: Value = row;
  for (const name of path) value = isNull(value) ? null : ((value as Row)[name] ?? null);
  return value;
}

function isNull(value: Value | undefined): boolean {
  return value === null || value === undefined;
}

/** R2: NULL and `[]` say nothing, and so does a RECORD with nothing in it. */
function saysNothing(field: Field, value: Value): boolean {
  if (isNull(value)) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (!isRecord(field, value)) return false;
  return (field.fields ?? []).every((member) => saysNothing(member, value[member.name] ?? null));
}

/** R3 and R11: which of all that was said holds. */
function decide(field: Field, said: readonly Said[]): Said | undefined {
  const policy = field.merge ?? "latest";
  if (!knowsThePast(field)) {
    // R9, R11: of what was said before a clear nothing counts.
    const clears = said.filter(({ value }) => value === null).map(({ version }) => version);
    if (clears.length > 0) {
      const clearedAt = newest(clears);
      const after = said.filter(({ version }) => version > clearedAt);
      return after.length === 0 ? { value: null, version: clearedAt } : decide(field, after);
    }
  }
  if (policy === "union") return union(field, said);
  return said.reduce<Said | undefined>(
    (best, next) => (best === undefined || beats(field, policy, next, best) ? next : best),
    undefined,
  );
}

function beats(field: Field, policy: string, next: Said, best: Said): boolean {
  const byVersion = next.version === best.version ? 0 : next.version > best.version ? 1 : -1;
  if (policy === "max" || policy === "min") {
    const byValue = compareValues(field, next.value, best.value) * (policy === "max" ? 1 : -1);
    return byValue > 0 || (byValue === 0 && byVersion > 0);
  }
  if (byVersion !== 0) return policy === "first" ? byVersion < 0 : byVersion > 0;
  if (next.value === null || best.value === null) return next.value === null && best.value !== null;
  return compareValues(field, next.value, best.value) > 0;
}

/** Whether the newest state of a leaf tells what any of its updates is to that state (R11). */
function knowsThePast({ merge = "latest" }: Field): boolean {
  return merge === "latest" || merge === "atomic";
}

/** R11: the elements ever said, each once, in the order of R3; the version is the newest contribution's. */
function union(field: Field, said: readonly Said[]): Said | undefined {
  if (said.length === 0) return undefined;
  const element: Field = { ...field, mode: "NULLABLE" };
  const elements = said
    .flatMap(({ value }) => value as readonly Value[])
    .sort((a, b) => compareElements(element, a, b));
  const distinct = elements.filter(
    (value, index) => index === 0 || compareElements(element, elements[index - 1] ?? null, value) !== 0,
  );
  return { value: distinct, version: newest(said.map(({ version }) => version)) };
}

/** In a set the sign of zero does not make two elements, and intervals stand in the order of their text. */
function compareElements(element: Field, left: Value, right: Value): number {
  const asText = element.type === "INTERVAL" ? ({ ...element, mode: "REPEATED" } as const) : undefined;
  if (asText !== undefined) return compareValues(asText, [left], [right]);
  return compareValues(element, keyValue(left), keyValue(right));
}

/** R8: a RECORD is NULL exactly when every leaf below it is. */
function build(field: Field, path: readonly string[], states: ReadonlyMap<string, Said | undefined>): Value {
  const key = path.join(".");
  if (states.has(key)) return states.get(key)?.value ?? (field.mode === "REPEATED" ? [] : null);
  const members = (field.fields ?? []).map(
    (member) => [member.name, build(member, [...path, member.name], states)] as const,
  );
  const isEmpty = members.every(
    ([, value]) => value === null || (Array.isArray(value) && value.length === 0),
  );
  return isEmpty ? null : Object.fromEntries(members);
}

/** How a run was started. */
export type RunMode =
  | { readonly kind: "plain" | "rebuild" }
  | { readonly kind: "replayFrom"; readonly from: bigint };

/** What a run must log of itself. */
export interface ExpectedRun {
  /** Undefined where it went by commit time. */
  readonly readFrom: bigint | undefined;
  readonly rowsRead: number;
  readonly usersRead: number;
  readonly futureRows: number;
  /** Bad rows that it found, and those of them that no run had found before (R12). */
  readonly badRows: number;
  readonly newBadRows: number;
  /** Rows loaded since the run before that are behind the window of this run and all later ones (R5). */
  readonly missedRows: number;
  readonly watermarkBefore: bigint;
  readonly watermarkAfter: bigint;
  readonly rowsChanged: number;
}

/** The tables over time: which updates are there, and which of them a run has read. */
export class Oracle {
  readonly #entity: Entity;
  readonly #rows: Row[] = [];
  readonly #read = new Set<number>();
  readonly #reported = new Set<number>();
  /** How many rows were there at the last run; before the first, none can be late. */
  #known: number | undefined;
  /** By commit time: how many rows were there when the last merge read; undefined where the next run reads all. */
  #committed: number | undefined;
  #watermark = START;
  #final = new Map<string, FinalRow>();
  /** What the last merge left. */
  #merged = this.#final;
  #isDue = false;
  #isLost = false;
  /** The newest delete of each user that a run has read, and the newest clear of each user's leaf; they outlive final. */
  readonly #floors = new Map<string, bigint>();

  constructor(entity: Entity) {
    this.#entity = entity;
  }

  /** Appends updates. */
  load(rows: readonly Row[]): void {
    this.#rows.push(...rows);
  }

  /** R5: reads from the watermark minus the lookback, merges, advances. `now` is the time of the run. */
  run(mode: RunMode, now: bigint): ExpectedRun {
    const entity = this.#entity;
    const watermarkBefore = this.#watermark;
    const readFrom = this.#readFrom(mode);
    // What the lookback reaches back over was committed within this test, so all of it was.
    const committed = entity.lookback > 0n ? 0 : (this.#committed ?? 0);
    const isCommitted = (index: number): boolean => entity.byCommit === true && index >= committed;
    const merges = !entity.mergesDaily || this.#isDue || mode.kind !== "plain" || this.#merged.size === 0;
    const good = this.#rows.flatMap((row, index) =>
      badReason(entity, row) === undefined ? [{ row, index, user: userOf(entity, row) }] : [],
    );
    const batch = good.filter(
      ({ row, index }) => isCommitted(index) || (row[entity.ingestTimestamp] as bigint) >= readFrom,
    );
    const again = this.#readAgain(batch);
    const whole = good.filter(({ user }) => again.has(user));
    for (const { index } of whole) this.#read.add(index);
    this.#keepFloors([...batch, ...whole]);
    for (const { row, index } of batch) {
      this.#read.add(index);
      const ingest = row[entity.ingestTimestamp] as bigint;
      if (merges && ingest <= now && ingest > this.#watermark) this.#watermark = ingest;
    }
    this.#isLost = false;
    const bad = this.#rows.flatMap((row, index) =>
      isFoundBad(entity, row, isCommitted(index) ? START : readFrom) ? [index] : [],
    );
    const newBad = bad.filter((index) => !this.#reported.has(index));
    for (const index of newBad) this.#reported.add(index);
    const missed = this.#rows.slice(this.#known ?? this.#rows.length).filter((row) => {
      const ingest = (row[entity.ingestTimestamp] ?? null) as bigint | null;
      return !entity.byCommit && ingest !== null && ingest >= START && ingest < readFrom;
    });
    if (merges) this.#committed = this.#rows.length;
    this.#known = this.#rows.length;
    const before = this.#merged;
    this.#final = expectedFinal(entity, this.readRows());
    if (merges) {
      this.#merged = this.#final;
      if (batch.length > 0) this.#isDue = false;
    }
    return {
      readFrom: readFrom === END ? undefined : readFrom,
      rowsRead: batch.length,
      usersRead: new Set(batch.map(({ row }) => userOf(entity, row))).size,
      futureRows: batch.filter(({ row }) => (row[entity.ingestTimestamp] as bigint) > now).length,
      badRows: bad.length,
      newBadRows: newBad.length,
      missedRows: missed.length,
      watermarkBefore,
      watermarkAfter: this.#watermark,
      // A rebuild starts from nothing: it inserts every row.
      rowsChanged: countChanges(entity, mode.kind === "rebuild" ? new Map() : before, this.#merged),
    };
  }

  /**
   * R11: the users of whom all updates are read: where a delete or a clear comes that is newer than any before, and what final has of the leaf
   * does not tell what it leaves.
   */
  #readAgain(batch: readonly { readonly row: Row; readonly user: string }[]): Set<string> {
    const entity = this.#entity;
    const again = new Set<string>();
    for (const leaf of leavesOf(entity)) {
      if (knowsThePast(leaf.field)) continue;
      const path = leaf.path.join(".");
      for (const user of new Set(batch.map((one) => one.user))) {
        const rows = batch.filter((one) => one.user === user).map(({ row }) => row);
        const deletes = rows.filter((row) => isDelete(entity, row));
        const clears = rows.filter((row) => !isDelete(entity, row) && isClear(entity, leaf, row));
        const isForgotten =
          this.#forgets(leaf, user, deletes, this.#floors.get(user)) ||
          this.#forgets(leaf, user, clears, this.#floors.get(`${user} ${path}`));
        if (isForgotten) again.add(user);
      }
    }
    return again;
  }

  #forgets(leaf: Leaf, user: string, rows: readonly Row[], known: bigint | undefined): boolean {
    const final = this.#merged.get(user);
    if (rows.length === 0 || final === undefined) return false;
    const floor = newest(rows.map((row) => versionOf(this.#entity, row)));
    if (known !== undefined && floor <= known) return false;
    const value = valueAt(final.row, leaf.path);
    const version = final.versions.get(leaf.path.join(".")) ?? null;
    if (version === null || saysNothing(leaf.field, value)) return false;
    if (leaf.field.merge === "union") return version > floor;
    const alive = final.row[this.#entity.eventTimestamp ?? this.#entity.ingestTimestamp] as bigint;
    return version <= floor && alive > floor;
  }

  /** Keeps the newest delete of each user and the newest clear of each leaf. */
  #keepFloors(batch: readonly { readonly row: Row; readonly user: string }[]): void {
    const entity = this.#entity;
    const keep = (name: string, row: Row): void => {
      this.#floors.set(name, newest([this.#floors.get(name) ?? EVER, versionOf(entity, row)]));
    };
    for (const { row, user } of batch) {
      if (isDelete(entity, row)) keep(user, row);
      else
        for (const leaf of leavesOf(entity))
          if (isClear(entity, leaf, row)) keep(`${user} ${leaf.path.join(".")}`, row);
    }
  }

  #readFrom(mode: RunMode): bigint {
    const plain = this.#entity.byCommit ? this.#readFromByCommit() : this.#readFromByStamp();
    if (mode.kind === "rebuild") return START;
    return mode.kind === "replayFrom" && mode.from < plain ? mode.from : plain;
  }

  #readFromByCommit(): bigint {
    return this.#committed === undefined || this.#isLost ? START : END;
  }

  #readFromByStamp(): bigint {
    return this.#watermark === START || this.#isLost
      ? START
      : newest([START, this.#watermark - this.#entity.lookback]);
  }

  /** Final is gone: nothing of it was read any more. */
  loseFinal(): void {
    this.#isLost = this.#final.size > 0;
    this.#read.clear();
    this.#final = new Map();
    this.#merged = this.#final;
  }

  /** R13: a day has gone by since the last merge. */
  becomeDue(): void {
    this.#isDue = true;
  }

  /** Every update loaded so far. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** The updates that some run has read. */
  readRows(): Row[] {
    return this.#rows.filter((_, index) => this.#read.has(index));
  }

  /** The greatest ingest time merged so far. */
  get watermark(): bigint {
    return this.#watermark;
  }

  /** What final must hold now, by user. */
  get final(): ReadonlyMap<string, FinalRow> {
    return this.#final;
  }
}

/** R12: a run finds the bad rows of the time that it reads, and those of no time or an impossible one. */
function isFoundBad(entity: Entity, row: Row, readFrom: bigint): boolean {
  const ingest = (row[entity.ingestTimestamp] ?? null) as bigint | null;
  const isInRange = ingest === null || ingest < START || ingest >= readFrom;
  return isInRange && badReason(entity, row) !== undefined;
}

/** R7: the users whose row is not what it was. */
function countChanges(
  entity: Entity,
  before: ReadonlyMap<string, FinalRow>,
  after: ReadonlyMap<string, FinalRow>,
): number {
  const users = new Set([...before.keys(), ...after.keys()]);
  const text = (row: FinalRow | undefined): string => (row === undefined ? "" : fingerprint(entity, row));
  return [...users].filter((user) => text(before.get(user)) !== text(after.get(user))).length;
}

/** A text that is equal for equal rows. */
function fingerprint(entity: Entity, { row, versions }: FinalRow): string {
  const values = entity.fields.map((field) => exactText(field, row[field.name] ?? null));
  return [...values, ...versions.values()].join("\n");
}

function exactText(field: Field, value: Value): string {
  return Object.is(value, -0) ? "-0" : toJsonString(field, value);
}
