import { UDF_FORMS } from "../functions/register.ts";
import { canBeLate, type UdfForm } from "../functions/udf/define.ts";
import { waitSql } from "../javascript-calls.ts";
import { resultFunction } from "./functions.ts";

/** What a scan of compiled SQL stops at: texts and quoted names, words with the parenthesis after them, what nests, commas. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_][A-Za-z_0-9]*\(?|[()[\]{},]/g;
/** What ends a join's condition, where it stands beside it. */
const AFTER_CONDITION =
  /^(?:WHERE|GROUP|HAVING|QUALIFY|WINDOW|ORDER|LIMIT|UNION|LEFT|RIGHT|FULL|INNER|CROSS|JOIN)$/i;

/**
 * The same DuckDB SQL with the calls of our functions computed in threads of their own: slower each, but nobody waits for them.
 * Left as they are: calls in TRY, which takes no function that is volatile, and in conditions of joins, which DuckDB would then ask of
 * every pair of rows.
 */
export function lateSql(sql: string, run: number): string {
  return new Rewriter(sql, run).all();
}

/** Whether TRY, which would hide it, stands around a call that may fail because it takes too long. */
export function hidesLateness(sql: string): boolean {
  if (!/\bTRY\(/i.test(sql)) return false;
  const rewriter = new Rewriter(sql, 0);
  rewriter.all();
  return rewriter.hidesLateness;
}

class Rewriter {
  hidesLateness = false;
  readonly #sql: string;
  readonly #run: number;
  readonly #token = new RegExp(TOKEN);
  #at = 0;

  constructor(sql: string, run: number) {
    this.#sql = sql;
    this.#run = run;
  }

  all(): string {
    return this.#until(false).join(",");
  }

  /** What follows up to the parenthesis that closes it, or to the end, parted at its commas. */
  #until(isKept: boolean, isTried = false): string[] {
    const parts: string[] = [];
    let part = "";
    let isCondition = false;
    for (;;) {
      const start = this.#at;
      this.#token.lastIndex = start;
      const [token] = this.#token.exec(this.#sql) ?? [];
      const end = token === undefined ? this.#sql.length : this.#token.lastIndex;
      part += this.#sql.slice(start, end - (token?.length ?? 0));
      this.#at = end;
      if (token === undefined || /^[)\]}]$/.test(token)) return [...parts, part];
      if (token === ",") {
        parts.push(part);
        part = "";
      } else if (/[([{]$/.test(token) && !/^['"]/.test(token)) {
        const tries = isTried || /^TRY\($/i.test(token);
        const keeps = isKept || isCondition || tries;
        const inner = this.#until(keeps, tries);
        this.hidesLateness ||= isTried && lateForm(token) !== undefined;
        part += keeps ? nested(token, inner) : this.#call(token, inner);
      } else {
        if (/^ON$/i.test(token)) isCondition = true;
        else if (isCondition && AFTER_CONDITION.test(token)) isCondition = false;
        part += token;
      }
    }
  }

  #call(open: string, args: readonly string[]): string {
    const form = lateForm(open);
    if (form === undefined) return nested(open, args);
    const typed = form.parameters.map(({ type }, index) => `CAST(${args[index]} AS ${type.toString()})`);
    const submit = `bq_late_submit(${[`${this.#run}::BIGINT`, `'${form.name}'`, ...typed].join(", ")})`;
    return `${resultFunction(form)}(${waitSql("late", submit, "bq_ticket")})`;
  }
}

/** The function that a call begins with, where it can be called late. */
function lateForm(open: string): UdfForm | undefined {
  const form = UDF_FORMS.get(open.slice(0, -1));
  return form !== undefined && canBeLate(form) ? form : undefined;
}

const CLOSE: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

function nested(open: string, inner: readonly string[]): string {
  return `${open}${inner.join(",")}${CLOSE[open.slice(-1)]}`;
}
