/** Random schemas and random histories, for fast-check. */
import fc from "fast-check";
import { type Entity, leavesOf, START } from "./oracle.ts";
import {
  elementOf,
  type Field,
  type Kind,
  type Merge,
  parseTimestamp,
  type Row,
  type Value,
} from "./values.ts";

const at = (text: string): bigint => parseTimestamp(text);

/** Updates happen around here, in steps small enough to tie often. */
export const EPOCH = at("2024-03-10T12:00:00");
const MINUTE = 60_000_000n;

/** Values that ties, equality and the ends of each type are made of. Few, so that histories repeat them. */
const POOLS: Record<Exclude<Kind, "RECORD">, readonly Value[]> = {
  INT64: [0n, 1n, -1n, 9n, 10n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  FLOAT64: [
    0,
    -0,
    1.5,
    -1.5,
    0.1,
    Number.NaN,
    Infinity,
    -Infinity,
    5e-324,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
  ],
  BOOL: [false, true],
  STRING: [
    "",
    "a",
    "b",
    "A",
    "ab",
    " ",
    "naïve",
    "漢字",
    "\uffff",
    "\u{1f600}",
    "'\"\\`",
    "line\nbreak\t",
    "null",
    "\u2028",
  ],
  BYTES: ["", "00", "ff", "61", "6162", "c3a9", "00ff00"],
  DATE: ["0001-01-01", "9999-12-31", "1970-01-01", "2024-02-29", "1969-12-31"],
  DATETIME: [
    "0001-01-01T00:00:00.000000",
    "9999-12-31T23:59:59.999999",
    "2024-02-29T12:00:00.000001",
    "2024-02-29T12:00:00.120000",
    "1969-12-31T23:59:59.999999",
  ],
  TIME: ["00:00:00.000000", "23:59:59.999999", "12:00:00.000001", "12:00:00.500000"],
  TIMESTAMP: [
    at("0001-01-01T00:00:00"),
    at("9999-12-31T23:59:59.999999"),
    0n,
    -1n,
    1n,
    EPOCH,
    EPOCH + 120_000n,
  ],
  NUMERIC: [0n, 1n, -1n, 1_500_000_000n, 10n ** 10n, 9n * 10n ** 9n, 10n ** 38n - 1n, -(10n ** 38n) + 1n],
  BIGNUMERIC: [
    0n,
    1n,
    -1n,
    15n * 10n ** 37n,
    9n * 10n ** 38n,
    10n ** 39n,
    BigInt("57896044618658097711785492504343953926634992332820282019728792003956564819967"),
    -BigInt("57896044618658097711785492504343953926634992332820282019728792003956564819968"),
  ],
  JSON: [
    "1",
    "10",
    "2",
    '"text"',
    "true",
    "[]",
    "{}",
    '{"a":1,"b":[null,"x"]}',
    '{"a":{"b":{}}}',
    '""',
    "9007199254740992",
  ],
  GEOGRAPHY: ["POINT(0 0)", "POINT(1 2)", "POINT(-179 89)", "POINT(10 2)"],
  INTERVAL: [
    { months: 0n, days: 0n, micros: 0n },
    // Three of one length, which GoogleSQL holds equal.
    { months: 1n, days: 0n, micros: 0n },
    { months: 0n, days: 30n, micros: 0n },
    { months: 0n, days: 29n, micros: 86_400_000_000n },
    { months: -14n, days: 3n, micros: -3_723_500_000n },
    { months: 120_000n, days: -3_660_000n, micros: 1n },
  ],
  "RANGE<DATE>": [
    "[0001-01-01, 9999-12-31)",
    "[UNBOUNDED, UNBOUNDED)",
    "[UNBOUNDED, 0001-01-02)",
    "[2024-02-29, 2024-03-01)",
    "[2024-02-29, UNBOUNDED)",
    "[2024-02-29, 2024-03-02)",
  ],
  "RANGE<DATETIME>": [
    "[0001-01-01T00:00:00.000000, 9999-12-31T23:59:59.999999)",
    "[UNBOUNDED, UNBOUNDED)",
    "[2024-02-29T12:00:00.000001, UNBOUNDED)",
    "[2024-02-29T12:00:00.000001, 2024-02-29T12:00:00.120000)",
  ],
  "RANGE<TIMESTAMP>": [
    "[0001-01-01T00:00:00.000000, 9999-12-31T23:59:59.999999)",
    "[UNBOUNDED, UNBOUNDED)",
    "[UNBOUNDED, 1970-01-01T00:00:00.000000)",
    "[1969-12-31T23:59:59.999999, 1970-01-01T00:00:00.000000)",
    "[1969-12-31T23:59:59.999999, UNBOUNDED)",
  ],
};

/** The types a key may have, with enough different values for a user per history. */
const KEY_KINDS = [
  "STRING",
  "BYTES",
  "INT64",
  "FLOAT64",
  "NUMERIC",
  "BIGNUMERIC",
  "BOOL",
  "DATE",
  "DATETIME",
  "TIME",
  "TIMESTAMP",
  "RANGE<DATE>",
] as const satisfies readonly Kind[];

/** The `index`-th user's key: the pool of the type first, then a formula. Only BOOL runs out. */
export function keyValue(kind: Kind, index: number): Value {
  const pool = POOLS[kind as Exclude<Kind, "RECORD">];
  const value = pool[index];
  if (value !== undefined && !(kind === "FLOAT64" && index === 1)) return value;
  const two = (part: number): string => `${part}`.padStart(2, "0");
  const clock = `${two(index % 24)}:${two(Math.floor(index / 24) % 60)}:07.000000`;
  const day = `${2100 + (index % 700)}-0${1 + (Math.floor(index / 700) % 9)}-17`;
  switch (kind) {
    case "BOOL":
      return index % 2 === 0;
    case "STRING":
      return `user ${index}`;
    case "BYTES":
      return Buffer.from(`user ${index}`).toString("hex");
    case "FLOAT64":
      return index + 0.25;
    case "DATE":
      return day;
    case "DATETIME":
      return `${day}T00:00:00.000000`;
    case "TIME":
      return clock;
    case "RANGE<DATE>":
      return `[${day}, UNBOUNDED)`;
    default:
      return BigInt(index) * 1_000_000_007n;
  }
}

const SCALARS = Object.keys(POOLS) as Exclude<Kind, "RECORD">[];
/** Every type that is not a RECORD. */
export const TYPES: readonly Exclude<Kind, "RECORD">[] = SCALARS;

/** The values of a type that are worth trying: its ends, and what other systems get wrong. */
export function extremes(kind: Exclude<Kind, "RECORD">): readonly Value[] {
  return POOLS[kind];
}

/** GEOGRAPHY and RANGE are rare: GoogleSQL's reference implementation does not know the one, and of the other no JSON. */
const RANGES = SCALARS.filter((kind) => kind.startsWith("RANGE<"));
const USUAL = SCALARS.filter((kind) => kind !== "GEOGRAPHY" && !RANGES.includes(kind));
const LIKELY_SCALARS = [...USUAL, ...USUAL, ...USUAL, ...RANGES];
const UNORDERED: readonly Kind[] = ["JSON", "GEOGRAPHY", "RECORD"];

/** Names that a template might trip over: reserved words, its own aliases, case. */
const NAMES = [
  ..."a b c d e f g h x y z".split(" "),
  ..."value version final batch change progress watermark run is_newer read_at read_from rows".split(" "),
  ..."updates history tombstone state path element leaf position reason details key_hash".split(" "),
  ..."current_date CURRENT_TIMESTAMP current_time current_datetime timestamp to json".split(" "),
  ..."select from group order by_ key keys end null array struct Timestamp DATE partition row hash self".split(
    " ",
  ),
  ..."A1 _x x_y x__y address Address_2 userId id name city zip cleared gone deleted_at ingest event".split(
    " ",
  ),
];

function named(fields: readonly Omit<Field, "name">[], names: readonly string[]): Field[] {
  return fields.map((field, index) => ({ name: names[index] ?? `field_${index}`, ...field }));
}

/** `count` names, different even when case is ignored. */
function namesArbitrary(count: number): fc.Arbitrary<string[]> {
  return fc.uniqueArray(fc.constantFrom(...NAMES), {
    minLength: count,
    maxLength: count,
    selector: (name) => name.toLowerCase(),
  });
}

function mergeArbitrary(kind: Kind, isRepeated: boolean, policies: boolean): fc.Arbitrary<Merge | undefined> {
  if (!policies) return fc.constant(undefined);
  const possible: (Merge | undefined)[] = [undefined, "latest", "first"];
  if (isRepeated) possible.push("union", "union");
  else if (!UNORDERED.includes(kind)) possible.push("max", "min");
  return fc.constantFrom(...possible);
}

/** A field without its name; `depth` RECORD levels may still be opened. GEOGRAPHY stays out of what is compared as JSON. */
function fieldArbitrary(
  depth: number,
  policies: boolean,
  inside: boolean,
): fc.Arbitrary<Omit<Field, "name">> {
  const scalar = fc.constantFrom(...(inside ? LIKELY_SCALARS : [...LIKELY_SCALARS, "GEOGRAPHY" as const]));
  const leaf = fc.tuple(scalar, fc.nat(3)).chain(([type, dice]) => {
    const isRepeated = dice === 0 && type !== "GEOGRAPHY";
    const field = isRepeated ? { type, mode: "REPEATED" as const } : { type };
    return mergeArbitrary(type, isRepeated, policies && !inside).map((merge) => withMerge(field, merge));
  });
  if (depth === 0) return leaf;
  const shape = fc.constantFrom("plain", "plain", "atomic", "repeated");
  const record = shape.chain((kind) => {
    const whole = inside || kind !== "plain";
    return fc
      .array(fieldArbitrary(depth - 1, policies, whole), { minLength: 1, maxLength: 4 })
      .chain((members) => namesArbitrary(members.length).map((names) => named(members, names)))
      .chain((fields): fc.Arbitrary<Omit<Field, "name">> => {
        const type = "RECORD" as const;
        if (kind === "repeated") {
          const field = { type, mode: "REPEATED" as const, fields };
          return mergeArbitrary(type, true, policies && !inside).map((merge) => withMerge(field, merge));
        }
        return fc.constant(withMerge({ type, fields }, kind === "atomic" && !inside ? "atomic" : undefined));
      });
  });
  return fc.oneof({ weight: 3, arbitrary: leaf }, { weight: 2, arbitrary: record });
}

function withMerge(field: Omit<Field, "name">, merge: Merge | undefined): Omit<Field, "name"> {
  return merge === undefined ? field : { ...field, merge };
}

/** Which of the optional rules a random entity uses. */
export interface EntityOptions {
  readonly clears?: boolean;
  readonly deletes?: boolean;
  /** Policies other than `latest` although something can be cleared or deleted. */
  readonly policies?: boolean;
  /** Two entities of five have clears or deletes alone. */
  readonly apart?: boolean;
  /** A third of the entities merge once a day (R13). */
  readonly daily?: boolean;
  /** Half of the entities read by commit time (R5). */
  readonly commits?: boolean;
  /** Versions tie across batches: events have a time of their own, one of two, and nothing is read twice. */
  readonly tied?: boolean;
}

// Mostly none: what is read again hides what a merge forgot.
const LOOKBACKS = [0n, 0n, 0n, 10n * MINUTE, 60n * MINUTE, 24n * 60n * MINUTE];

/** How far ahead an event may be, and what then: the default, and limits that the times of updates pass often. */
const EVENT_AHEAD: readonly Entity["eventAhead"][] = [
  undefined,
  undefined,
  undefined,
  { limit: 0n, keepsOut: false },
  { limit: 60n * MINUTE, keepsOut: false },
  { limit: 60n * MINUTE, keepsOut: true },
  { limit: 24n * 60n * MINUTE, keepsOut: true },
];

/** A random entity. Policies other than `latest` come where nothing can be cleared or deleted, and where they are asked for (R11). */
export function entityArbitrary(options: EntityOptions = {}): fc.Arbitrary<Entity> {
  const policies = options.policies ?? (options.clears !== true && options.deletes !== true);
  const attributes = fc.array(fieldArbitrary(3, policies, false), { minLength: 1, maxLength: 7 });
  const keys = fc.array(fc.constantFrom(...KEY_KINDS), { minLength: 1, maxLength: 3 });
  return fc
    .tuple(
      keys,
      attributes,
      options.tied ? fc.constant(true) : fc.constantFrom(true, true, false),
      options.tied ? fc.constant(0n) : fc.constantFrom(...LOOKBACKS),
      fc.constantFrom(...EVENT_AHEAD),
    )
    .chain(([keyKinds, attributeFields, hasEvent, lookback, eventAhead]) => {
      // A key of BOOL alone knows two users.
      const kinds: readonly Kind[] = keyKinds.every((kind) => kind === "BOOL")
        ? ["BOOL", "STRING"]
        : keyKinds;
      const specials: Omit<Field, "name">[] = [
        ...kinds.map((type) => ({ type })),
        ...(hasEvent ? [{ type: "TIMESTAMP" as const }] : []),
        { type: "TIMESTAMP" },
      ];
      const all = [...specials, ...attributeFields];
      return namesArbitrary(all.length + 2).chain((names) =>
        fc
          .shuffledSubarray([...all.keys()], { minLength: all.length, maxLength: all.length })
          .map((order) => {
            const fields = named(all, names);
            const ingest = names[specials.length - 1] ?? "";
            const alone = options.apart ? names.join("").length % 5 : undefined;
            return {
              fields: order.flatMap((index) => fields[index] ?? []),
              key: names.slice(0, kinds.length),
              ingestTimestamp: ingest,
              lookback,
              ...(hasEvent ? { eventTimestamp: names[specials.length - 2], eventAhead } : {}),
              ...(options.clears && alone !== 0 ? { clearedFields: names[all.length] } : {}),
              ...(options.deletes && alone !== 1 ? { deleted: names[all.length + 1] } : {}),
              // By what is drawn already: a draw of its own would make others of all the seeds that tests know.
              ...(ingest.length % 2 === 0 ? { final: fields.at(-1)?.name } : {}),
              ...(options.daily && names.join("").length % 3 === 0 ? { mergesDaily: true } : {}),
              ...(options.commits && names.join("").length % 2 === 0 ? { byCommit: true } : {}),
            };
          }),
      );
    });
}

/**
 * A value of a field that says something, as often as not one that others say too. Within what moves as one, -0.0 stays out:
 * its documented JSON text does not tell it from 0.0.
 */
function valueArbitrary(field: Field, inside = false): fc.Arbitrary<Value> {
  if (field.mode === "REPEATED") return fc.array(valueArbitrary(elementOf(field), true), { maxLength: 3 });
  if (field.type === "RECORD") {
    const isWhole = inside || field.merge === "atomic";
    const members = (field.fields ?? []).map((member) => [member.name, sparse(member, isWhole)] as const);
    return fc.record(Object.fromEntries(members)) as fc.Arbitrary<Row>;
  }
  const pool = POOLS[field.type];
  return fc.constantFrom(...(inside ? pool.filter((value) => !Object.is(value, -0)) : pool));
}

/** NULL as often as not. */
function sparse(field: Field, inside = false): fc.Arbitrary<Value> {
  return fc.option(valueArbitrary(field, inside), { nil: null, freq: 2 });
}

/** One update of one user, before it is given the user's key; `batch` says which load brings it. */
export interface Update {
  readonly row: Row;
  readonly batch: number;
}

/** The times of updates: few, so that they tie; within and beyond any lookback; sometimes the ends of the calendar. */
function timeArbitrary(
  minutes: readonly number[],
  poison: readonly (bigint | null)[],
): fc.Arbitrary<bigint | null> {
  const usual = fc.constantFrom(...minutes).map((minute) => EPOCH + BigInt(minute) * MINUTE);
  return fc.oneof(
    { weight: 24, arbitrary: usual },
    { weight: 1, arbitrary: fc.constantFrom(...poison) },
    { weight: 3, arbitrary: usual.map((time) => time + 1n) },
  );
}

const SPREAD = [0, 1, 2, 3, 9, 10, 11, 59, 60, 61, 62, 300, 1439, 1440, 2000];
/** Events of some users all happen at one of two times, however far apart they come in. */
const DENSE = [0, 60];

const POISONED_INGEST = [
  at("9999-12-31T23:59:59.999999"),
  at("0001-01-01T00:00:00"),
  START,
  START - 1n,
  null,
];
const POISONED_EVENT = [at("9999-12-31T23:59:59.999999"), at("0001-01-01T00:00:00"), START - 1n, null];

/** How many loads a history is cut into. */
export const BATCHES = 4;

/** The updates of one user, in the order they are loaded. */
export function historyArbitrary(
  entity: Entity,
  { tied }: EntityOptions = {},
): fc.Arbitrary<readonly Update[]> {
  const leaves = leavesOf(entity).map(({ path }) => path);
  const paths = leaves.flatMap((path) => path.map((_, index) => path.slice(0, index + 1).join(".")));
  const special = new Set([...entity.key, entity.ingestTimestamp, entity.eventTimestamp]);
  const columns = entity.fields
    .filter((field) => !special.has(field.name))
    .map((field) => [field.name, sparse(field)] as const);
  if (entity.clearedFields !== undefined) {
    const path = fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom(...paths) },
      { weight: 1, arbitrary: fc.constant("nope.nope") },
    );
    columns.push([entity.clearedFields, fc.option(fc.array(path, { maxLength: 3 }), { nil: null, freq: 2 })]);
  }
  if (entity.deleted !== undefined) {
    columns.push([entity.deleted, fc.constantFrom(null, null, null, false, true)]);
  }
  columns.push([entity.ingestTimestamp, timeArbitrary(SPREAD, POISONED_INGEST)]);
  const rowWith = (minutes: readonly number[]): fc.Arbitrary<Row> => {
    const event = timeArbitrary(minutes, POISONED_EVENT);
    const all =
      entity.eventTimestamp === undefined ? columns : [...columns, [entity.eventTimestamp, event] as const];
    return fc.record(Object.fromEntries(all)) as fc.Arbitrary<Row>;
  };
  const dense = updatesArbitrary(entity, rowWith(DENSE));
  return tied ? dense : fc.oneof(updatesArbitrary(entity, rowWith(SPREAD)), dense);
}

function updatesArbitrary(entity: Entity, row: fc.Arbitrary<Row>): fc.Arbitrary<readonly Update[]> {
  const nullKey = fc.oneof(
    { weight: 40, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  );
  const update = fc
    .record({ row, batch: fc.nat(BATCHES - 1), nullKey })
    .map(({ row: values, batch, nullKey: isBad }) => ({
      row: isBad ? { ...values, [entity.key[0] ?? ""]: null } : values,
      batch,
    }));
  const updates = fc.array(update, { minLength: 1, maxLength: 8 });
  // Some updates arrive twice, in another batch or in the same one.
  return fc
    .tuple(updates, fc.array(fc.tuple(fc.nat(7), fc.nat(BATCHES - 1)), { maxLength: 2 }))
    .map(([rows, twins]) => [
      ...rows,
      ...twins.flatMap(([index, batch]) => {
        const twin = rows[index];
        return twin === undefined ? [] : [{ ...twin, batch }];
      }),
    ]);
}

/** The history's rows with the key of user `index`. */
export function withKey(entity: Entity, index: number, update: Update): Row {
  const parts = entity.key.map((name) => {
    const kind = entity.fields.find((field) => field.name === name)?.type ?? "STRING";
    const value = keyValue(kind, index);
    // -0.0 and 0.0 are one user.
    return [name, value === 0 && update.batch % 2 === 1 ? -0 : value] as const;
  });
  return { ...Object.fromEntries(parts), ...update.row };
}

/** A random entity with random histories of its users, and how it is run. */
export interface Scenario {
  readonly entity: Entity;
  readonly histories: readonly (readonly Update[])[];
  /** After each load one of these; the last load is followed by all of them in this order. */
  readonly modes: readonly ("plain" | "replayFrom" | "rebuild" | "twice")[];
  readonly replayFrom: bigint;
}

/** Random scenarios of `count` histories each on average. */
export function scenarioArbitrary(options: EntityOptions, count: number): fc.Arbitrary<Scenario> {
  const mode = fc.constantFrom("plain", "plain", "plain", "plain", "twice", "replayFrom", "rebuild");
  return entityArbitrary(options).chain((entity) =>
    fc.record({
      entity: fc.constant(entity),
      // Without bias: as many histories in the first scenario as in the last.
      histories: fc.noBias(
        fc.array(historyArbitrary(entity, options), { minLength: 1, maxLength: 2 * count - 1, size: "max" }),
      ),
      modes: fc.array(mode, { minLength: BATCHES, maxLength: BATCHES }) as fc.Arbitrary<Scenario["modes"]>,
      replayFrom: fc.constantFrom(EPOCH, EPOCH - MINUTE, EPOCH + 61n * MINUTE, EPOCH + 5000n * MINUTE),
    }),
  );
}
