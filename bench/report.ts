import { formatTable } from "../generator/src/cli/table.ts";
import { type Line, type Measured, NAMES, type Reading, type Stored, WORK } from "./scenario.ts";

const MB = 1_000_000;
const TIB = 1024 ** 4;
/** Dollars for a TiB on demand in the US, since 2023-07-05. */
const PRICE = 6.25;
const RUNS_A_MONTH = 730;

/** All that was measured, for people. */
export function report({ lines, stored, readings }: Measured): string {
  return [measured(lines), grown(lines), versions(stored), read(readings), scaled(lines)]
    .filter((part) => part !== "")
    .join("\n\n");
}

function measured(lines: readonly Line[]): string {
  const rows = lines.map((line) => {
    const tool = bytesOf(lines, line, NAMES.tool);
    const isMeasured = line.contender !== NAMES.duckdb;
    return [
      line.rows.toLocaleString("en"),
      line.users.toLocaleString("en"),
      line.days,
      line.attributes,
      line.work,
      line.contender,
      ...(isMeasured
        ? [
            (line.bytes / MB).toFixed(2),
            (line.bytesByTheLetter / MB).toFixed(2),
            (line.billed / MB).toFixed(0),
            tool === undefined || tool === 0 ? "" : (line.bytes / tool).toFixed(2),
          ]
        : ["", "", "", ""]),
      line.seconds.toFixed(2),
      line.statements,
    ];
  });
  const head = [
    "updates",
    "users",
    "days",
    "attributes",
    "work",
    "who",
    "MB",
    "MB, q + t",
    "MB billed",
    "of the tool's MB",
  ];
  return formatTable([...head, "seconds", "statements"], rows);
}

/** The same users and the same batch, with ten times the history: in the same days, or in ten times the days. */
function grown(lines: readonly Line[]): string {
  const rows = lines.flatMap((line) => {
    const small = lines.find(
      (other) =>
        other.contender === line.contender &&
        other.attributes === line.attributes &&
        other.users === line.users &&
        other.batch === line.batch &&
        ![other.work, line.work].some((work) => work === WORK.first || work === WORK.day) &&
        (other.batch > 0 || other.work === line.work) &&
        other.rows * 10 === line.rows &&
        other.days <= line.days,
    );
    if (small === undefined || line.contender === NAMES.duckdb) return [];
    const times = (line.bytes / small.bytes).toFixed(2);
    const shown = [small.bytes, line.bytes].map((bytes) => (bytes / MB).toFixed(2));
    return [[line.attributes, line.contender, line.days, line.batch.toLocaleString("en"), ...shown, times]];
  });
  if (rows.length === 0) return "";
  const head = [
    "attributes",
    "who",
    "days",
    "rows of the batch",
    "MB",
    "MB with ten times the history",
    "times",
  ];
  return `History grown ten times, the same users and batch:\n${formatTable(head, rows)}`;
}

/** Bytes of a version of its own, and of a row's base. */
const VERSION = 8;

/** What versions add to final's values: as measured, and by arithmetic where so many of the attributes differ from the row's base. */
function versions(stored: readonly Stored[]): string {
  const rows = stored.map(({ rows: count, users, days, attributes, values, versions: bytes }) => {
    const percent = (part: number): string => `${((part / values) * 100).toFixed(0)} %`;
    const differing = (share: number): string => percent(users * VERSION * (1 + share * attributes));
    return [
      users.toLocaleString("en"),
      (count / users).toFixed(0),
      days,
      attributes,
      (values / users).toFixed(0),
      (bytes / users).toFixed(0),
      percent(bytes),
      differing(0.1),
      differing(0.5),
      differing(1),
    ];
  });
  if (rows.length === 0) return "";
  const head = [
    "users",
    "updates each",
    "days",
    "attributes",
    "bytes of values a user",
    "of versions",
    "measured",
  ];
  return `What versions add to final:\n${formatTable([...head, "a tenth differ", "half differ", "all differ"], rows)}`;
}

/** What readers pay between merges. */
function read(readings: readonly Reading[]): string {
  const rows = readings.map(({ users, attributes, what, final, view }) => [
    users.toLocaleString("en"),
    attributes,
    what,
    (final / MB).toFixed(3),
    (view / MB).toFixed(3),
  ]);
  if (rows.length === 0) return "";
  const head = ["users", "attributes", "a query of", "MB of final", "MB through the view of mergeEvery"];
  return `What readers pay, nothing taken off for clustering:\n${formatTable(head, rows)}`;
}

/** What the two largest sizes say of larger ones: bytes grow by so many for a user, at each run of an hourly month. */
function scaled(lines: readonly Line[]): string {
  const rows = lines.flatMap((line) => {
    const isScaled = [WORK.batch(0.01), WORK.idle].includes(line.work);
    if (!isScaled || line.users * 10 !== line.rows) return [];
    const smaller = lines.find(
      (other) =>
        other.contender === line.contender &&
        other.attributes === line.attributes &&
        other.work === line.work &&
        other.users * 10 === line.users &&
        other.rows * 10 === line.rows,
    );
    if (smaller === undefined || line.contender === NAMES.duckdb) return [];
    const perUser = (line.bytes - smaller.bytes) / (line.users - smaller.users);
    const fixed = Math.max(0, line.bytes - perUser * line.users);
    const costs = [1e6, 1e7, 1e8, 1e9].map((users) => {
      const bytes = fixed + perUser * users;
      return `${(bytes / 1e9).toPrecision(3)} GB, $${((bytes / TIB) * PRICE * RUNS_A_MONTH).toFixed(0)}`;
    });
    return [[line.attributes, line.work, line.contender, perUser.toFixed(0), ...costs]];
  });
  if (rows.length === 0) return "";
  const head = ["attributes", "each run", "who", "bytes a user", "10⁶ users", "10⁷", "10⁸", "10⁹"];
  return `A run, and a month of hourly runs at $${PRICE} a TiB (on demand, US, since 2023-07-05), by arithmetic:\n${formatTable(head, rows)}`;
}

function bytesOf(lines: readonly Line[], like: Line, contender: string): number | undefined {
  return lines.find(
    (line) =>
      line.contender === contender &&
      line.rows === like.rows &&
      line.users === like.users &&
      line.attributes === like.attributes &&
      line.days === like.days &&
      line.work === like.work,
  )?.bytes;
}
