/** What a run of the bench works on. */
export interface DataSize {
  /** Updates in the history. */
  readonly rows: number;
  readonly users: number;
  readonly attributes: number;
  /** Days that the history lasts. */
  readonly days: number;
}

/** A column of the entity. */
export interface Column {
  readonly name: string;
  readonly type: "STRING" | "INTEGER" | "FLOAT" | "BOOLEAN" | "DATE";
}

/** Where GoogleSQL and DuckDB's SQL differ: the same query gives the same rows in both. */
export interface Dialect {
  /** A FROM item with the numbers from 0 on, `r`. */
  readonly numbers: (count: number) => string;
  readonly timestamp: (microseconds: string) => string;
  readonly date: (days: string) => string;
  /** The days of a DATE since 2020-01-01. */
  readonly days: (date: string) => string;
}

/** BigQuery's SQL. */
export const GOOGLESQL: Dialect = {
  numbers: (count) => `UNNEST(GENERATE_ARRAY(0, ${count - 1})) AS r`,
  timestamp: (microseconds) => `TIMESTAMP_MICROS(${microseconds})`,
  date: (days) => `DATE_ADD(DATE '2020-01-01', INTERVAL ${days} DAY)`,
  days: (date) => `DATE_DIFF(${date}, DATE '2020-01-01', DAY)`,
};

/** DuckDB's. */
export const DUCKDB: Dialect = {
  numbers: (count) => `range(${count}) AS numbers(r)`,
  timestamp: (microseconds) => `make_timestamptz(${microseconds})`,
  date: (days) => `(DATE '2020-01-01' + CAST(${days} AS INT))`,
  days: (date) => `(${date} - DATE '2020-01-01')`,
};

const TYPES = ["STRING", "STRING", "INTEGER", "FLOAT", "BOOLEAN", "DATE"] as const;

/** The history ends before 2026-01-31; in microseconds since 1970. */
const END = Date.UTC(2026, 0, 31) * 1000;
const DAY = 86_400_000_000;
const HOUR = 3_600_000_000;

/** One new user in so many rows of a batch. */
const NEWCOMERS = 50;

/** The attributes of an entity: of six types in turn, short as most are. */
export function attributes(count: number): Column[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `attribute${index + 1}`,
    type: TYPES[index % TYPES.length] ?? "STRING",
  }));
}

/** All columns of the updates. */
export function columnsOf(count: number): { name: string; type: string }[] {
  return [
    { name: "userId", type: "STRING" },
    { name: "ingestTimestamp", type: "TIMESTAMP" },
    ...attributes(count),
  ];
}

/**
 * The query for the history: each user registers once with all attributes, and then changes two of them now and again; all stamps
 * differ.
 */
export function historyQuery({ rows, users, attributes: count, days }: DataSize, dialect: Dialect): string {
  const step = Math.floor((days * DAY) / rows);
  const user = `IF(r < ${users}, r, ${scattered("r", 1, users)})`;
  const time = dialect.timestamp(`${END - days * DAY} + r * ${step}`);
  return updatesQuery(rows, user, `r < ${users}`, time, count, dialect);
}

/**
 * The query for the batch that comes `number` hours after the history's end, spread over an hour: two attributes of users who are
 * there change, and some users are new.
 */
export function batchQuery(size: DataSize, rows: number, number: number, dialect: Dialect): string {
  const step = Math.max(1, Math.floor(HOUR / rows));
  const isNew = `MOD(r, ${NEWCOMERS}) = ${NEWCOMERS - 1}`;
  const user = `IF(${isNew}, ${size.users + number * rows} + r, ${scattered("r", number + 2, size.users)})`;
  const time = dialect.timestamp(`${END + number * HOUR} + r * ${step}`);
  return updatesQuery(rows, user, isNew, time, size.attributes, dialect);
}

/** A number below `limit` that looks like chance, by arithmetic that every engine does alike. */
function scattered(number: string, seed: number, limit: number): string {
  return `MOD(MOD((${number} + ${seed * 7919}) * 2654435761, 4294967296) * 40503, ${limit})`;
}

function updatesQuery(
  rows: number,
  user: string,
  isFull: string,
  time: string,
  count: number,
  dialect: Dialect,
): string {
  const values = attributes(count).map(({ name, type }, index) => {
    const value = randomValue(type, (limit) => scattered("r", index + 11, limit), dialect);
    const changes = `${isFull} OR MOD(r, ${count}) = ${index} OR MOD(r * 31 + 7, ${count}) = ${index}`;
    return `  IF(${changes}, ${value}, NULL) AS ${name}`;
  });
  return [
    "SELECT",
    `  CONCAT('user', CAST(${user} AS STRING)) AS userId,`,
    `  ${time} AS ingestTimestamp,`,
    values.join(",\n"),
    `FROM ${dialect.numbers(rows)}`,
  ].join("\n");
}

function randomValue(type: Column["type"], below: (limit: number) => string, dialect: Dialect): string {
  switch (type) {
    case "STRING":
      return `CONCAT('value ', CAST(${below(1000)} AS STRING))`;
    case "INTEGER":
      return below(1_000_000);
    case "FLOAT":
      return `${below(1_000_000)} / 8`;
    case "BOOLEAN":
      return `${below(2)} = 1`;
    case "DATE":
      return dialect.date(below(1000));
  }
}

/** A query that gives a number for the users and one for each attribute's values of all users: what two tables must have in common. */
export function checkQuery(table: string, count: number, dialect: Dialect): string {
  const weight = "(1 + MOD(CAST(SUBSTR(userId, 5) AS INT64), 1009))";
  const sums = attributes(count).map(
    ({ name, type }) => `CAST(SUM(${weight} * ${numberOf(name, type, dialect)}) AS INT64)`,
  );
  return `SELECT COUNT(*), ${sums.join(", ")} FROM ${table}`;
}

function numberOf(name: string, type: Column["type"], dialect: Dialect): string {
  switch (type) {
    case "STRING":
      return `CAST(SUBSTR(${name}, 7) AS INT64)`;
    case "INTEGER":
      return name;
    case "FLOAT":
      return `CAST(${name} * 8 AS INT64)`;
    case "BOOLEAN":
      return `IF(${name}, 2, IF(NOT ${name}, 1, 0))`;
    case "DATE":
      return dialect.days(name);
  }
}
