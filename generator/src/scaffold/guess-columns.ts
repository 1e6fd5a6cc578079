import type { FieldJson } from "./schema-json.ts";

/** Which columns of a schema are the key and the clocks. */
interface EntityColumns {
  readonly key: readonly string[];
  readonly ingestTimestamp: string;
  readonly eventTimestamp?: string;
}

/** What a person said of them; the rest is guessed. */
export interface GivenColumns {
  readonly key?: readonly string[];
  readonly ingestTimestamp?: string;
  readonly eventTimestamp?: string;
}

/** What was found, and a sentence for each guess. */
export interface Guess {
  readonly columns: Partial<EntityColumns>;
  readonly said: readonly string[];
}

/** Names without case and underscores, the surest first. */
const KEYS = [
  "userid",
  "customerid",
  "memberid",
  "accountid",
  "contactid",
  "personid",
  "profileid",
  "id",
  "uuid",
];
const INGESTS = [
  "ingesttimestamp",
  "ingestedat",
  "ingesttime",
  "ingestiontime",
  "insertedat",
  "loadedat",
  "receivedat",
  "writtenat",
  "updatedat",
  "modifiedat",
  "timestamp",
];
const EVENTS = [
  "eventtimestamp",
  "eventtime",
  "occurredat",
  "happenedat",
  "changedat",
  "updatedat",
  "modifiedat",
];

const KEY_TYPES = /^(STRING|INTEGER|INT64|BYTES)$/;

/** No user's key: what has parts or no equality, what is never the same twice, and what stands for a time. */
const NO_KEYS = /^(RECORD|STRUCT|JSON|GEOGRAPHY|INTERVAL|RANGE|FLOAT|FLOAT64|TIMESTAMP)$/;

/** The columns of a schema that can be the key, or part of it. */
export function possibleKeys(fields: readonly FieldJson[]): readonly FieldJson[] {
  return singleOf(fields).filter((field) => !NO_KEYS.test(typeOf(field)));
}

/** The columns of a schema that can be a clock. */
export function possibleTimes(fields: readonly FieldJson[]): readonly FieldJson[] {
  return singleOf(fields).filter((field) => typeOf(field) === "TIMESTAMP");
}

/**
 * Finds the key and the clocks of a schema by names that people give them, where nobody says which they are. What cannot be told
 * apart is left out: a wrong guess would merge the wrong rows.
 */
export function guessColumns(fields: readonly FieldJson[], given: GivenColumns = {}): Guess {
  const said: string[] = [];
  const single = singleOf(fields);
  const times = possibleTimes(fields);
  const key = given.key ?? guessKey(single, said);
  const ingestTimestamp = given.ingestTimestamp ?? guessIngest(times, said);
  const eventTimestamp = given.eventTimestamp ?? guessEvent(times, ingestTimestamp, said);
  const columns = { key, ingestTimestamp, eventTimestamp };
  return {
    columns: Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)),
    said,
  };
}

function guessKey(fields: readonly FieldJson[], said: string[]): readonly string[] | undefined {
  const possible = fields.filter((field) => KEY_TYPES.test(typeOf(field)));
  const byName = findByName(possible, KEYS);
  const ids = possible.filter(({ name }) => plain(name).endsWith("id"));
  const found = byName ?? (ids.length === 1 ? ids[0] : undefined);
  if (found === undefined) return undefined;
  said.push(`key ${found.name}: guessed by its name; --key names other columns`);
  return [found.name];
}

function guessIngest(times: readonly FieldJson[], said: string[]): string | undefined {
  const byName = findByName(times, INGESTS);
  const found = byName ?? (times.length === 1 ? times[0] : undefined);
  if (found === undefined) return undefined;
  const why = byName === undefined ? "it is the only TIMESTAMP" : "guessed by its name";
  said.push(`ingestTimestamp ${found.name}: ${why}; --ingest-timestamp names another column`);
  return found.name;
}

function guessEvent(
  times: readonly FieldJson[],
  ingest: string | undefined,
  said: string[],
): string | undefined {
  if (ingest === undefined) return undefined;
  const found = findByName(
    times.filter(({ name }) => name !== ingest),
    EVENTS,
  );
  if (found === undefined) return undefined;
  said.push(`eventTimestamp ${found.name}: guessed by its name; --event-timestamp names another column`);
  return found.name;
}

function findByName(fields: readonly FieldJson[], names: readonly string[]): FieldJson | undefined {
  for (const wanted of names) {
    const found = fields.find(({ name }) => plain(name) === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

function singleOf(fields: readonly FieldJson[]): readonly FieldJson[] {
  return fields.filter(({ mode }) => mode !== "REPEATED");
}

function typeOf({ type }: FieldJson): string {
  return String(type).toUpperCase();
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}
