import { EvaluationError, int, text, type Udf, udf } from "./define.ts";
import { remembered } from "./remembered.ts";
import { dateOf, type Fields, readDay, readMonth, readYearPart } from "./time-fields.ts";
import { NAMES, unreadable } from "./time-format.ts";
import { clockOf } from "./time-parse.ts";
import { instantMicros } from "./zones.ts";

/** Patterns that are tried at a place: a call reads a dozen of them. */
const PATTERNS = {
  y: remembered((source) => new RegExp(source, "y")),
  iy: remembered((source) => new RegExp(source, "iy")),
};

function sticky(source: string, flags: keyof typeof PATTERNS, at: number): RegExp {
  const pattern = PATTERNS[flags](source);
  pattern.lastIndex = at;
  return pattern;
}

class Scanner {
  at = 0;

  constructor(
    readonly source: string,
    readonly fields: Fields,
  ) {}

  number(most: number, low: number, high: number, signed = false): number {
    const pattern = `${signed ? "[+-]?" : ""}\\d{1,${most}}`;
    const found = sticky(pattern, "y", this.at).exec(this.source)?.[0];
    const value = Number(found);
    if (found === undefined || value < low || value > high) throw unreadable(this.source);
    this.at += found.length;
    return value;
  }

  match(pattern: RegExp | string): string {
    const source = typeof pattern === "string" ? pattern : pattern.source;
    const found = sticky(source, "iy", this.at).exec(this.source)?.[0];
    if (found === undefined) throw unreadable(this.source);
    this.at += found.length;
    return found;
  }

  space(): void {
    while (/\s/.test(this.source[this.at] ?? "")) this.at++;
  }

  /** The index of the name that stands here, in full or by its first three letters. */
  named(names: readonly string[]): number {
    const rest = this.source.slice(this.at).toLowerCase();
    for (const length of [undefined, 3]) {
      const index = names.findIndex((name) => rest.startsWith(name.slice(0, length).toLowerCase()));
      if (index >= 0) {
        this.at += (names[index] ?? "").slice(0, length).length;
        return index;
      }
    }
    throw unreadable(this.source);
  }
}

type Reader = (s: Scanner, f: Fields) => void;

const MONTH_NAME: Reader = (s, f) => {
  readMonth(f, s.named(NAMES.MONTHS) + 1);
};
const WEEKDAY_NAME: Reader = (s, f) => {
  f.weekday = s.named(NAMES.DAYS);
};
const HOUR_24: Reader = (s, f) => {
  f.hour = s.number(2, 0, 23);
  f.hour12 = false;
};
const HOUR_12: Reader = (s, f) => {
  f.hour = s.number(2, 1, 12);
  f.hour12 = true;
};
const HALF: Reader = (s, f) => {
  f.afternoon = s.match(/[ap]m/).toLowerCase() === "pm";
};
const SECOND: Reader = (s, f) => {
  f.second = s.number(2, 0, 60);
};

function fractional(most: number): Reader {
  return (s, f) => {
    SECOND(s, f);
    if (s.source[s.at] !== ".") return;
    s.at++;
    f.fraction = s.match(`\\d{0,${most}}`);
  };
}

const DATE_READERS: Readonly<Record<string, Reader>> = {
  Y: (s, f) => {
    f.year = s.number(4, 0, 9999);
    f.yearInCentury = undefined;
    f.century = undefined;
  },
  E4Y: (s, f) => {
    f.year = s.number(4, 0, 9999);
  },
  C: (s, f) => {
    f.century = s.number(2, 0, 99);
  },
  y: (s, f) => {
    f.yearInCentury = s.number(2, 0, 99);
  },
  m: (s, f) => {
    readMonth(f, s.number(2, 1, 12));
  },
  B: MONTH_NAME,
  b: MONTH_NAME,
  h: MONTH_NAME,
  d: (s, f) => {
    readDay(f, s.number(2, 1, 31));
  },
  e: (s, f) => {
    s.space();
    readDay(f, s.number(2, 1, 31));
  },
  j: (s, f) => {
    readYearPart(f, { yearDay: s.number(3, 1, 366) });
  },
  Q: (s, f) => {
    readMonth(f, s.number(1, 1, 4) * 3 - 2);
    readDay(f, 1);
  },
  A: WEEKDAY_NAME,
  a: WEEKDAY_NAME,
  U: (s, f) => {
    readYearPart(f, { sundayWeek: s.number(2, 0, 53), mondayWeek: undefined });
  },
  W: (s, f) => {
    readYearPart(f, { sundayWeek: undefined, mondayWeek: s.number(2, 0, 53) });
  },
  w: (s, f) => {
    f.weekday = s.number(1, 0, 6);
  },
  u: (s, f) => {
    f.isoDay = s.number(1, 1, 7);
    f.weekday = f.isoDay % 7;
  },
  G: (s, f) => {
    f.isoYear = s.number(5, 0, 10_000);
  },
  g: (s, f) => {
    const year = s.number(2, 0, 99);
    f.isoYear = year + (year < 69 ? 2000 : 1900);
  },
  V: (s, f) => {
    f.isoWeek = s.number(2, 1, 53);
  },
};

const TIME_READERS: Readonly<Record<string, Reader>> = {
  H: HOUR_24,
  k: (s, f) => {
    s.space();
    HOUR_24(s, f);
  },
  I: HOUR_12,
  l: (s, f) => {
    s.space();
    HOUR_12(s, f);
  },
  M: (s, f) => {
    f.minute = s.number(2, 0, 59);
  },
  S: SECOND,
  "E*S": fractional(6),
  p: HALF,
  P: HALF,
};

const UNIX_READERS: Readonly<Record<string, Reader>> = {
  s: (s, f) => {
    f.unixSeconds = BigInt(s.match(/[+-]?\d+/));
  },
};

const ZONE_READERS: Readonly<Record<string, Reader>> = {
  z: (s, f) => {
    const text = s.match(/[+-]\d\d:?\d\d/);
    f.offset = `${text.slice(0, 3)}:${text.slice(-2)}`;
  },
  Ez: (s, f) => {
    const text = s.match(/[+-]\d\d:?\d\d|Z/);
    f.offset = text.toUpperCase() === "Z" ? "+00:00" : `${text.slice(0, 3)}:${text.slice(-2)}`;
  },
  Z: (s, f) => {
    f.offset = s.match(/[A-Za-z][A-Za-z0-9_+/-]*|[+-]\d\d?(:\d\d)?/);
    if (/^utc/i.test(f.offset)) f.offset = f.offset.slice(3) || "UTC";
  },
};

/** Elements that stand for others. */
const COMPOSED: Readonly<Record<string, string>> = {
  F: "%Y-%m-%d",
  D: "%m/%d/%y",
  x: "%m/%d/%y",
  T: "%H:%M:%S",
  X: "%H:%M:%S",
  R: "%H:%M",
  r: "%I:%M:%S %p",
  c: "%a %b %e %H:%M:%S %Y",
};

/** Elements of an ISO date, and days of the week, which belong to both. */
const NOT_PLAIN = new Set(["G", "g", "V", "u", "w", "A", "a"]);

const TOKEN = /%(E4Y|E\*S|E[0-6]S|Ez|[EO]?[A-Za-z%])|\s+|./gs;

const DATETIME_READERS = { ...DATE_READERS, ...TIME_READERS, ...UNIX_READERS };
const READERS: Readonly<Record<string, Readonly<Record<string, Reader>>>> = {
  DATE: DATE_READERS,
  TIME: TIME_READERS,
  DATETIME: DATETIME_READERS,
  TIMESTAMP: { ...DATETIME_READERS, ...ZONE_READERS },
};

/** The elements of a pattern: each as it is written, and its letters. */
const tokensOf = remembered((pattern): readonly (readonly (string | undefined)[])[] =>
  [...pattern.matchAll(TOKEN)].map(([token, code]) => [token, code]),
);

function scan(pattern: string, scanner: Scanner, kind: string): void {
  const readers = READERS[kind] ?? DATETIME_READERS;
  for (const [token = "", code] of tokensOf(pattern)) {
    if (token === "%") throw new EvaluationError("Format string cannot end with a single '%'");
    if (code === undefined) {
      if (/\s/.test(token)) scanner.space();
      else scanner.match(token.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
      continue;
    }
    const plain = code.replace(/^[EO](?=[A-Za-z]$)/, "");
    const composed = COMPOSED[plain];
    const digits = /^E(\d)S$/.exec(code)?.[1];
    if (code === "%") scanner.match(/%/);
    else if (code === "n" || code === "t") scanner.space();
    else if (composed !== undefined) scan(composed, scanner, kind);
    else if (digits !== undefined && kind !== "DATE") fractional(Number(digits))(scanner, scanner.fields);
    else {
      const reader = readers[code] ?? readers[plain];
      if (reader === undefined)
        throw new EvaluationError(`Invalid format: %${code} is not allowed for the ${kind} type.`);
      reader(scanner, scanner.fields);
      scanner.fields.plainDate ||= plain in DATE_READERS && !NOT_PLAIN.has(plain);
    }
  }
}

function parse(pattern: string, source: string, kind: string, zone: string): bigint {
  const fields: Fields = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, fraction: "" };
  const scanner = new Scanner(source, fields);
  scanner.space();
  scan(pattern, scanner, kind);
  scanner.space();
  if (scanner.at < source.length) throw unreadable(source);
  const micros = BigInt(fields.fraction.padEnd(6, "0"));
  if (fields.unixSeconds !== undefined) return fields.unixSeconds * 1_000_000n + micros;
  const hour = fields.hour12 ? (fields.hour % 12) + (fields.afternoon ? 12 : 0) : fields.hour;
  const leap = fields.second === 60 ? 1n : 0n;
  const clock = clockOf(hour, fields.minute, leap ? 59 : fields.second, fields.fraction);
  const days = kind === "TIME" ? 0 : dateOf(fields);
  if (clock === undefined || days === undefined) {
    throw new EvaluationError("Out-of-range datetime field in parsing function");
  }
  const local = BigInt(days) * 86_400_000_000n + clock + leap * 1_000_000n;
  return kind === "TIMESTAMP" ? instantMicros(local, fields.offset ?? zone) : local;
}

/** PARSE_DATE and its kin. */
export const timeScanUdfs: readonly Udf[] = [udf("parse_time", [text, text, text, text], int, parse)];
