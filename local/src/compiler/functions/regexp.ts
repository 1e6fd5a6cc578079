import { literalSql, quoteText } from "../../values.ts";
import { arg, literalText, onceEach, refuse, STRING, sqlOf } from "./arguments.ts";
import type { CompiledExpr, FunctionCall, FunctionContext, ScalarMapping } from "./types.ts";

/** Bytes as RE2 reads them: each is the character of its number. */
function latin(context: FunctionContext, expr: CompiledExpr): CompiledExpr {
  const { sql, type, literal } = expr;
  if (type.kind !== "BYTES") return expr;
  if (!(literal instanceof Uint8Array))
    return { ...expr, sql: `${context.own("latin_text")}(${sql})`, type: STRING };
  const text = Buffer.from(literal).toString("latin1");
  return { ...expr, sql: literalSql(STRING, text), type: STRING, literal: text };
}

/** A function of STRING for BYTES too. */
function onBytes(mapping: ScalarMapping): ScalarMapping {
  return (call) => {
    if (arg(call, 0).type.kind !== "BYTES") return mapping(call);
    const { resultType } = call;
    const isText = resultType.kind === "BYTES";
    const isList = resultType.kind === "ARRAY";
    const type = isText ? STRING : isList ? { kind: "ARRAY" as const, element: STRING } : resultType;
    const args = call.args.map((each) => latin(call.context, each));
    const sql = mapping({ ...call, args, argTypes: args.map((each) => each.type), resultType: type });
    if (isText) return `${call.context.own("latin_bytes")}(${sql})`;
    if (!isList) return sql;
    const e = call.context.parameter("e");
    return `list_transform(${sql}, lambda ${e}: ${call.context.own("latin_bytes")}(${e}))`;
  };
}

/** How many capturing groups an RE2 pattern has. */
export function countGroups(pattern: string): number {
  let groups = 0;
  let inClass = false;
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index];
    if (char === "\\") {
      if (pattern.startsWith("\\Q", index)) {
        const end = pattern.indexOf("\\E", index);
        index = end < 0 ? pattern.length : end;
      }
      index++;
    } else if (inClass) {
      if (char === "]") inClass = false;
    } else if (char === "[") {
      inClass = true;
      // A bracket right after the opening, or after its negation, is a member.
      if (pattern[index + 1] === "^") index++;
      if (pattern[index + 1] === "]") index++;
    } else if (char === "(" && (pattern[index + 1] !== "?" || /^\(\?P?<[^=!]/.test(pattern.slice(index)))) {
      groups++;
    }
  }
  return groups;
}

const TOO_MANY =
  "Regular expressions passed into extraction functions must not have more than 1 capturing group";

/** Gives `use` the group to extract: the pattern's only one, or the whole match. */
function withGroup(call: FunctionCall, use: (group: string) => string): string {
  const pattern = arg(call, 1);
  const text = literalText(pattern);
  if (text === undefined) {
    if (pattern.literal === null) return "NULL";
    // DuckDB wants a constant here.
    return `(CASE ${call.context.own("regexp_groups")}(${pattern.sql}) WHEN 0 THEN ${use("0")} WHEN 1 THEN ${use("1")} END)`;
  }
  const groups = countGroups(text);
  return groups > 1 ? call.context.raise(call.resultType, TOO_MANY) : use(String(groups));
}

/** DuckDB allows only constant options; `s` off, so that a dot does not match a line feed, is GoogleSQL's way too. */
const contains: ScalarMapping = (call) => {
  return `regexp_matches(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
};

const extract: ScalarMapping = (call) => {
  if (call.args.length > 2) return extractAt(call);
  return withGroup(call, (group) =>
    onceEach(call, [sqlOf(call, 0), sqlOf(call, 1)], (s, p) => {
      const found = `regexp_extract(${s}, ${p}, ${group})`;
      // DuckDB gives an empty text both for a group that matched nothing and for one that took no part.
      return `(CASE WHEN regexp_matches(${s}, ${p}) THEN ${group === "0" ? found : partOf(call, found)} END)`;
    }),
  );
};

/** A pattern's only capturing group: NULL where it took no part in the match. */
function partOf(call: FunctionCall, found: string): string {
  const text = literalText(arg(call, 1));
  if (text === undefined) return found;
  const open = firstGroup(text);
  const optional = text.includes("|") || /\)(?:[?*]|\{0)/.test(text);
  if (!optional || open === undefined) return found;
  return matchesEmpty(text.slice(open))
    ? refuse(call, "with a capturing group that may match nothing or take no part")
    : `nullif(${found}, '')`;
}

/** Where the first capturing group starts. */
function firstGroup(pattern: string): number | undefined {
  for (let index = 0; index < pattern.length; index++) {
    if (pattern[index] === "(" && countGroups(pattern.slice(0, index + 1)) === 1) return index;
  }
  return undefined;
}

/** Whether the group that a pattern starts with can match an empty text. */
function matchesEmpty(pattern: string): boolean {
  for (let end = 1; end <= pattern.length; end++) {
    try {
      const group = new RegExp(`^${pattern.slice(0, end)}$`);
      if (pattern[end - 1] === ")") return group.test("");
    } catch {
      // The group is not closed yet.
    }
  }
  return true;
}

/** REGEXP_EXTRACT with a position and an occurrence; to an anchor the text starts at the position. */
function extractAt(call: FunctionCall): string {
  return withGroup(call, (group) =>
    onceEach(
      call,
      [sqlOf(call, 0), sqlOf(call, 1), sqlOf(call, 2), call.args[3]?.sql ?? "1::BIGINT"],
      (s, p, position, occurrence) => {
        const found = `list_extract(regexp_extract_all(substring(${s}, ${position}), ${p}, ${group}), ${occurrence})`;
        const range = call.context.failWhen(
          `${occurrence} <= 0 AND ${position} IS NOT NULL AND ${s} IS NOT NULL`,
          call.resultType,
          ["Occurrence must be positive"],
          `(CASE WHEN ${position} <= length(${s}) + 1 THEN ${found} END)`,
        );
        return call.context.failWhen(
          `${position} <= 0 AND ${occurrence} IS NOT NULL AND ${s} IS NOT NULL`,
          call.resultType,
          ["Position must be positive"],
          range,
        );
      },
    ),
  );
}

const extractAll: ScalarMapping = (call) => {
  const pattern = literalText(arg(call, 1));
  return withGroup(call, (group) => {
    const all = `regexp_extract_all(${sqlOf(call, 0)}, ${sqlOf(call, 1)}, ${group})`;
    if (pattern === undefined || !acceptsEmpty(pattern)) return all;
    if (group !== "0") return refuse(call, "with a pattern that matches an empty text");
    // DuckDB also finds the empty match after the last character.
    return call.context.once(
      all,
      (found) => `(CASE WHEN ${found}[-1] = '' THEN ${found}[:-2] ELSE ${found} END)`,
    );
  });
};

function acceptsEmpty(pattern: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test("");
  } catch {
    return false;
  }
}

const replace: ScalarMapping = (call) => {
  const rewrite = literalText(arg(call, 2));
  if (rewrite !== undefined) {
    const bad = /\\(?![\\0-9])|\\$/.exec(rewrite.replaceAll("\\\\", ""));
    if (bad !== null)
      return call.context.raise(
        call.resultType,
        "Invalid REGEXP_REPLACE pattern: Rewrite schema error: '\\' must be followed by a digit or '\\'.",
      );
    const pattern = literalText(arg(call, 1));
    const highest = Math.max(
      0,
      ...[...rewrite.replaceAll("\\\\", "").matchAll(/\\([0-9])/g)].map((found) => Number(found[1])),
    );
    if (pattern !== undefined && highest > countGroups(pattern)) {
      return call.context.raise(
        call.resultType,
        `Invalid REGEXP_REPLACE pattern: Rewrite schema requests ${highest} matches, but the regexp only has ${countGroups(pattern)} parenthesized subexpressions.`,
      );
    }
  }
  return `regexp_replace(${sqlOf(call, 0)}, ${sqlOf(call, 1)}, ${sqlOf(call, 2)}, 'g')`;
};

/** How often RE2 lets a part of a pattern be repeated. */
const MAX_REPEATS = 1000n;

/** A pattern with one capturing group as what stands before, in and after it. */
function aroundGroup(pattern: string): readonly [before: string, group: string, after: string] | undefined {
  const open = firstGroup(pattern);
  if (open === undefined) return undefined;
  for (let end = open + 1; end < pattern.length; end++) {
    const group = pattern.slice(open, end + 1);
    const around = pattern.slice(0, open) + pattern.slice(end + 1);
    if (group.endsWith(")") && isPattern(group) && isPattern(around) && isPattern(pattern.slice(0, open)))
      return [pattern.slice(0, open), group.replace(/^\((?:\?P?<\w+>)?/, "(?:"), pattern.slice(end + 1)];
  }
  return undefined;
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** REGEXP_INSTR: where what is found starts, or, with 1 as the last argument, where it ends. */
const instr: ScalarMapping = (call) => {
  const pattern = literalText(arg(call, 1));
  if (pattern === undefined) return refuse(call, "with a pattern that is no literal");
  if (acceptsEmpty(pattern)) return refuse(call, "with a pattern that matches an empty text");
  const [occurrence, after] = [call.args[3]?.literal ?? 1n, call.args[4]?.literal ?? 0n];
  if (typeof occurrence !== "bigint" || typeof after !== "bigint" || occurrence > MAX_REPEATS)
    return refuse(call, "with such an occurrence or end");
  if (occurrence < 1n) return call.context.raise(call.resultType, "Occurrence must be positive");
  if (after !== 0n && after !== 1n)
    return call.context.raise(call.resultType, "Invalid return_position_after_match.");
  const groups = countGroups(pattern);
  if (groups > 1) return call.context.raise(call.resultType, TOO_MANY);
  const parts = groups === 0 ? (["", `(?:${pattern})`, ""] as const) : aroundGroup(pattern);
  // A flag or an alternative outside the group would not reach from one part to the other.
  if (parts === undefined || (groups === 1 && /\||\(\?[a-zA-Z]/.test(parts[0] + parts[2])))
    return refuse(call, "with this capturing group");
  const [before, found, rest] = parts.map((part) => (part === "" ? "" : `(?-s:${part})`));
  const whole = `(?-s:${before}${found}${rest})`;
  const [inside, outside] = after === 1n ? [before + (found ?? ""), rest] : [before, (found ?? "") + rest];
  const search = quoteText(`(?s)^((?:.*?${whole}){${occurrence - 1n}}.*?${inside})${outside}`);
  return onceEach(call, [sqlOf(call, 0), call.args[2]?.sql ?? "1::BIGINT"], (s, position) => {
    const text = `substring(${s}, ${position})`;
    const place = `(CASE WHEN regexp_matches(${text}, ${search}) THEN length(regexp_extract(${text}, ${search}, 1)) + ${position} WHEN ${s} IS NOT NULL AND ${position} IS NOT NULL THEN 0 END)`;
    return call.context.failWhen(
      `${position} <= 0 AND ${s} IS NOT NULL`,
      call.resultType,
      ["Position must be positive"],
      place,
    );
  });
};

/**
 * `SAFE.`: a constant pattern that RE2 cannot read is an error of DuckDB's before there is anything to evaluate, which TRY does not
 * catch. As a lambda's parameter it is read when the rest is.
 */
function withLatePattern(mapping: ScalarMapping): ScalarMapping {
  return (call) => {
    const [text, pattern, ...rest] = call.args;
    if (!call.safe || text === undefined || pattern?.literal === undefined) return mapping(call);
    const name = call.context.parameter("v");
    const late = mapping({ ...call, args: [text, { ...pattern, sql: name }, ...rest] });
    return `list_transform([${pattern.sql}], lambda ${name}: ${late})[1]`;
  };
}

const MAPPINGS: Readonly<Record<string, ScalarMapping>> = {
  regexp_contains: contains,
  regexp_extract: extract,
  regexp_substr: extract,
  regexp_extract_all: extractAll,
  regexp_replace: replace,
  regexp_instr: instr,
};

/** Regular expressions. DuckDB's engine is RE2, as BigQuery's. */
export const regexpFunctions: Readonly<Record<string, ScalarMapping>> = Object.fromEntries(
  Object.entries(MAPPINGS).map(([name, mapping]) => [name, onBytes(withLatePattern(mapping))]),
);
