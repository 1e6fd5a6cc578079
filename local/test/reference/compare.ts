import type { Case } from "./corpus.ts";
import { type Judge, type Outcome, sameValue, typesText, valueText } from "./judge.ts";

/** How a query came out. */
export interface Verdict {
  readonly status: "same" | "different" | "refused" | "unknown";
  readonly detail: string;
}

function show(outcome: Outcome): string {
  if (outcome.kind !== "rows") return `${outcome.kind}: ${outcome.message}`;
  return `${outcome.rows.map((row) => row.map(valueText).join(", ")).join(" | ")} : ${typesText(outcome.types)}`;
}

/** Rows in the order of their text: without ORDER BY a query promises none. */
function inAnyOrder(outcome: Outcome & { kind: "rows" }, sql: string): Outcome & { kind: "rows" } {
  if (outcome.rows.length < 2 || /\bORDER BY\b[^)]*$/i.test(sql)) return outcome;
  const keyed = outcome.rows.map((row) => ({ row, key: row.map(valueText).join() }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return { ...outcome, rows: keyed.map(({ row }) => row) };
}

function sameOutcome(a: Outcome, b: Outcome, sql: string): boolean {
  if (a.kind === "rows" && b.kind === "rows") {
    if (typesText(a.types) !== typesText(b.types)) return false;
    return sameValue(inAnyOrder(a, sql).rows, inAnyOrder(b, sql).rows);
  }
  return a.kind === "error" && b.kind === "error" && !b.message.startsWith("DEFECT");
}

/** Evaluates a query on both sides. */
export async function judgeCase(judge: Judge, each: Case): Promise<Verdict> {
  const ours = await judge.endpoint(each.sql);
  if (ours.kind === "refused") return { status: "refused", detail: ours.message };
  if (each.documented !== undefined) {
    const shown =
      ours.kind === "rows" ? ours.rows.map((row) => row.map(valueText).join(", ")).join(" | ") : "error";
    return shown === each.documented
      ? { status: "same", detail: "" }
      : {
          status: "different",
          detail: `documented: ${each.documented}\n  endpoint:   ${show(ours)}\n  ${ours.duckSql ?? ""}`,
        };
  }
  // Not asked before: the reference implementation computes for minutes on some of what is refused (EXP of NUMERIC).
  const reference = await judge.reference(each.sql);
  if (reference.kind === "unknown")
    return { status: "unknown", detail: `${reference.message}\n  endpoint:   ${show(ours)}` };
  if (sameOutcome(reference, ours, each.sql)) {
    const texts =
      reference.kind === "error" && ours.kind === "error"
        ? `${reference.message}\n  endpoint:   ${ours.message}`
        : "";
    return { status: "same", detail: texts };
  }
  return {
    status: "different",
    detail: `reference:  ${show(reference)}\n  endpoint:   ${show(ours)}\n  ${ours.duckSql ?? ""}`,
  };
}
