import { quoteText } from "../../values.ts";
import { arg, enumArgument, kindOf, onceAll, onceEach, refuse, sqlOf } from "./arguments.ts";
import { concatArrays } from "./array.ts";
import type { CompiledExpr, FunctionCall, ScalarMapping } from "./types.ts";

/** What TRIM strips without a second argument: every character that Unicode calls white space. */
const WHITE_SPACE =
  "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

function isBytes(call: FunctionCall): boolean {
  return kindOf(call, 0) === "BYTES";
}

/** A call of a function of ours that has the same name for STRING and BYTES, plus `_bytes` for these. */
function own(name: string): ScalarMapping {
  return (call) =>
    `${call.context.own(`${name}${isBytes(call) ? "_bytes" : ""}`)}(${call.args.map((each) => each.sql).join(", ")})`;
}

/** DuckDB's function where all characters are ASCII, ours (with the rules of Unicode) elsewhere. */
function asciiOr(native: string): ScalarMapping {
  return (call) =>
    isBytes(call)
      ? `${call.context.own(`${native}_bytes`)}(${sqlOf(call, 0)})`
      : onceAll(
          call,
          (s) =>
            `(CASE WHEN strlen(${s}) = length(${s}) THEN ${native}(${s}) ELSE ${call.context.own(native)}(${s}) END)`,
        );
}

/** Length in characters or bytes. */
function lengthSql(bytes: boolean, sql: string): string {
  return bytes ? `octet_length(${sql})` : `length(${sql})`;
}

/** A piece of a STRING or BYTES by 1-based position and length, both in range. */
function pieceSql(bytes: boolean, sql: string, position: string, length?: string): string {
  if (!bytes) return `substring(${[sql, position, ...(length === undefined ? [] : [length])].join(", ")})`;
  const size = length === undefined ? "" : `, 2 * ${length}`;
  return `unhex(substring(hex(${sql}), 2 * ${position} - 1${size}))`;
}

function bounded(expr: CompiledExpr, sql: string): string {
  if (typeof expr.literal === "bigint" && expr.literal >= 0n && expr.literal < 1_000_000_000n) return sql;
  // least() would pass over a NULL.
  return `(CASE WHEN ${sql} > 1000000000 THEN 1000000000 WHEN ${sql} < 0 THEN 0 ELSE ${sql} END)`;
}

const substr: ScalarMapping = (call) =>
  onceAll(call, (s, p, n) => {
    const bytes = isBytes(call);
    const position = arg(call, 1);
    const start =
      typeof position.literal === "bigint" && position.literal > 0n
        ? bounded(position, p)
        : `(CASE WHEN ${p} > 1000000000 THEN 1000000000 WHEN ${p} = 0 THEN 1 WHEN ${p} < 0 THEN greatest(${lengthSql(bytes, s)} + greatest(${p}, -1000000000) + 1, 1) ELSE ${p} END)`;
    if (n === undefined) return pieceSql(bytes, s, start);
    const piece = pieceSql(bytes, s, start, bounded(arg(call, 2), n));
    const length = arg(call, 2).literal;
    if (typeof length === "bigint" && length >= 0n) return piece;
    return call.context.failWhen(
      `${n} < 0 AND ${s} IS NOT NULL AND ${p} IS NOT NULL`,
      call.resultType,
      ["Third argument in SUBSTR() cannot be negative"],
      piece,
    );
  });

function side(name: "left" | "right"): ScalarMapping {
  return (call) =>
    onceAll(call, (s, n) => {
      const bytes = isBytes(call);
      const count = bounded(arg(call, 1), n);
      const piece =
        name === "left"
          ? pieceSql(bytes, s, "1", count)
          : pieceSql(
              bytes,
              s,
              `(CASE WHEN ${n} IS NOT NULL THEN greatest(${lengthSql(bytes, s)} - ${count} + 1, 1) END)`,
            );
      const message = `Second argument in ${name.toUpperCase()}() cannot be negative`;
      return call.context.failWhen(`${n} < 0 AND ${s} IS NOT NULL`, call.resultType, [message], piece);
    });
}

/** No row of a table may be larger: a text beyond it could only take the machine's memory. */
const MAX_OUTPUT_BYTES = 100 * 1024 * 1024;

/** A text of this size, or GoogleSQL's error for one that is too large. */
function ofSize(call: FunctionCall, name: string, tooLarge: string, sql: string): string {
  return call.context.failWhen(
    tooLarge,
    call.resultType,
    [`Output of ${name} exceeds max allowed output size of 100MB`],
    sql,
  );
}

function pad(name: "lpad" | "rpad"): ScalarMapping {
  return (call) => {
    if (isBytes(call)) {
      return onceEach(call, [sqlOf(call, 0), sqlOf(call, 1)], (b, n) =>
        ofSize(
          call,
          "LPAD/RPAD",
          `${n} > ${MAX_OUTPUT_BYTES} AND ${b} IS NOT NULL`,
          `${call.context.own(`${name}_bytes`)}(${b}, ${n}, ${call.args[2]?.sql ?? "' '::BLOB"})`,
        ),
      );
    }
    return onceEach(call, [sqlOf(call, 0), sqlOf(call, 1), call.args[2]?.sql ?? "' '"], (s, n, p) => {
      // NULL before errors: a size that cannot be is no matter where there is nothing to pad.
      const size = `CASE WHEN ${s} IS NULL OR ${p} IS NULL THEN 0 ELSE ${n} END`;
      const padded = `${name}(${s}, CAST(${size} AS INTEGER), ${p})`;
      const checked = call.context.failWhen(
        `${p} = '' AND ${s} IS NOT NULL AND ${n} IS NOT NULL`,
        call.resultType,
        ["Third argument (pad pattern) for LPAD/RPAD cannot be empty"],
        padded,
      );
      const message = "Second argument (output size) for LPAD/RPAD cannot be negative";
      return call.context.failWhen(
        `${n} < 0 AND ${s} IS NOT NULL AND ${p} IS NOT NULL`,
        call.resultType,
        [message],
        ofSize(
          call,
          "LPAD/RPAD",
          `${n} > ${MAX_OUTPUT_BYTES} AND ${s} IS NOT NULL AND ${p} IS NOT NULL`,
          checked,
        ),
      );
    });
  };
}

const repeat: ScalarMapping = (call) =>
  onceAll(call, (s, n) => {
    const message = "Second argument (repeat count) for REPEAT cannot be negative";
    const [length, repeated] = isBytes(call)
      ? [`octet_length(${s})`, `${call.context.own("repeat_bytes")}(${s}, ${n})`]
      : [`strlen(${s})`, `repeat(${s}, ${n})`];
    const tooLarge = `${n} > ${MAX_OUTPUT_BYTES} // greatest(${length}, 1) AND ${length} > 0`;
    return call.context.failWhen(
      `${n} < 0 AND ${s} IS NOT NULL`,
      call.resultType,
      [message],
      // Nothing, however often, is nothing.
      `(CASE WHEN ${length} = 0 AND ${n} IS NOT NULL THEN ${s} ELSE ${ofSize(call, "REPEAT", tooLarge, repeated)} END)`,
    );
  });

function trim(name: "trim" | "ltrim" | "rtrim"): ScalarMapping {
  return (call) => {
    if (isBytes(call)) return `${call.context.own(`${name}_bytes`)}(${sqlOf(call, 0)}, ${sqlOf(call, 1)})`;
    return `${name}(${sqlOf(call, 0)}, ${call.args[1]?.sql ?? quoteText(WHITE_SPACE)})`;
  };
}

const concat: ScalarMapping = (call) => {
  if (call.resultType.kind === "ARRAY") return concatArrays(call);
  return joined(call.args.map((each) => each.sql));
};

/** Nested no deeper than needed: DuckDB plans operators in the cube of their depth. */
function joined(parts: readonly string[]): string {
  if (parts.length <= 8) return `(${parts.join(" || ")})`;
  const middle = Math.ceil(parts.length / 2);
  return `(${joined(parts.slice(0, middle))} || ${joined(parts.slice(middle))})`;
}

const length: ScalarMapping = (call) =>
  isBytes(call) ? `octet_length(${sqlOf(call, 0)})` : `length(${sqlOf(call, 0)})`;

const byteLength: ScalarMapping = (call) =>
  isBytes(call) ? `octet_length(${sqlOf(call, 0)})` : `strlen(${sqlOf(call, 0)})`;

function affix(name: "starts_with" | "suffix"): ScalarMapping {
  return (call) => {
    const [a, b] = [sqlOf(call, 0), sqlOf(call, 1)];
    return isBytes(call) ? `${name}(hex(${a}), hex(${b}))` : `${name}(${a}, ${b})`;
  };
}

const strpos: ScalarMapping = (call) => {
  const [s, part] = [sqlOf(call, 0), sqlOf(call, 1)];
  return isBytes(call)
    ? `${call.context.own("instr_bytes")}(${s}, ${part}, 1::BIGINT, 1::BIGINT)`
    : `strpos(${s}, ${part})`;
};

const instr: ScalarMapping = (call) => {
  const [s, part] = [sqlOf(call, 0), sqlOf(call, 1)];
  const [position, occurrence] = [call.args[2]?.sql ?? "1::BIGINT", call.args[3]?.sql ?? "1::BIGINT"];
  return `${call.context.own(`instr${isBytes(call) ? "_bytes" : ""}`)}(${s}, ${part}, ${position}, ${occurrence})`;
};

const split: ScalarMapping = (call) => {
  if (isBytes(call)) return own("split")(call);
  const delimiter = call.args[1];
  if (delimiter === undefined) return `string_split(${sqlOf(call, 0)}, ',')`;
  if (typeof delimiter.literal !== "string" || delimiter.literal === "") return own("split")(call);
  return `string_split(${sqlOf(call, 0)}, ${delimiter.sql})`;
};

const replace: ScalarMapping = (call) =>
  isBytes(call) ? own("replace")(call) : `replace(${call.args.map((each) => each.sql).join(", ")})`;

const NORMAL_FORMS = ["NFC", "NFKC", "NFD", "NFKD"];

function normalize(fold: boolean): ScalarMapping {
  return (call) => {
    const form = call.args.length > 1 ? NORMAL_FORMS[enumArgument(call, 1)] : "NFC";
    return form === undefined
      ? refuse(call)
      : `${call.context.own("normalize")}(${sqlOf(call, 0)}, '${form}', ${fold})`;
  };
}

const chr: ScalarMapping = (call) => `${call.context.own("chr")}(${sqlOf(call, 0)})`;

const error: ScalarMapping = (call) =>
  // What is typed as INT64 by default may be coerced to any type around it.
  call.context.once(sqlOf(call, 0), (message) => call.context.raise(call.resultType, { sql: message }));

/** Functions on STRING, and on BYTES where these share the name. */
export const textFunctions: Readonly<Record<string, ScalarMapping>> = {
  concat,
  $concat_op: concat,
  substr,
  left: side("left"),
  right: side("right"),
  lpad: pad("lpad"),
  rpad: pad("rpad"),
  repeat,
  trim: trim("trim"),
  ltrim: trim("ltrim"),
  rtrim: trim("rtrim"),
  length,
  char_length: length,
  byte_length: byteLength,
  upper: asciiOr("upper"),
  lower: asciiOr("lower"),
  initcap: (call) => own(call.args.length > 1 ? "initcap" : "initcap_default")(call),
  reverse: asciiOr("reverse"),
  replace,
  translate: own("translate"),
  starts_with: affix("starts_with"),
  ends_with: affix("suffix"),
  strpos,
  instr,
  split,
  soundex: own("soundex"),
  ascii: own("ascii"),
  unicode: own("unicode"),
  chr,
  normalize: normalize(false),
  normalize_and_casefold: normalize(true),
  to_code_points: own("to_code_points"),
  code_points_to_string: (call) => `${call.context.own("code_points_to_string")}(${sqlOf(call, 0)})`,
  code_points_to_bytes: (call) => `${call.context.own("code_points_to_bytes")}(${sqlOf(call, 0)})`,
  to_hex: (call) => `lower(hex(${sqlOf(call, 0)}))`,
  from_hex: (call) => `${call.context.own("from_hex")}(${sqlOf(call, 0)})`,
  to_base64: (call) => `to_base64(${sqlOf(call, 0)})`,
  from_base64: (call) => `${call.context.own("from_base64")}(${sqlOf(call, 0)})`,
  to_base32: (call) => `${call.context.own("to_base32")}(${sqlOf(call, 0)})`,
  from_base32: (call) => `${call.context.own("from_base32")}(${sqlOf(call, 0)})`,
  safe_convert_bytes_to_string: (call) => `${call.context.own("safe_convert")}(${sqlOf(call, 0)})`,
  error,
};
