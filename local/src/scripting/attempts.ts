import { setTimeout as sleep } from "node:timers/promises";
import type { CompiledQuery, CompiledStatement, DmlStep } from "../compiler/compiled.ts";
import { hidesLateness, lateSql } from "../compiler/late/calls.ts";
import { toRuntimeError } from "../compiler/runtime-errors.ts";
import { BigQueryError } from "../errors.ts";
import { impatiently, isHeldUp, patiently } from "../hold-up.ts";
import { isConflict, isInterrupt } from "./duck-errors.ts";
import type { Session } from "./session.ts";

/** How often a statement outside of transactions is done again when others got in its way. */
const MAX_ATTEMPTS = 50;

/** What becomes of a compiled statement before it is run. */
export type Form = <T extends CompiledStatement>(compiled: T) => T;

/**
 * How an attempt calls functions of ours: on the event loop as long as that takes no time; then in threads of their own; and where
 * neither can be, on the event loop for as long as it takes.
 */
type Way = "quick" | "late" | "slow";

/**
 * Does work again, from the compilation on, when others got in its way, or when it held up the event loop; within a transaction it fails
 * instead, and takes its time.
 */
export async function untilUndisturbed<T>(session: Session, work: (form: Form) => Promise<T>): Promise<T> {
  let way: Way = session.transaction === undefined ? "quick" : "slow";
  for (let attempt = 1; ; attempt++) {
    session.checkCancelled();
    try {
      return await attemptBy(way, session, work);
    } catch (error) {
      const other = otherWay(way, error);
      if (other !== undefined) {
        way = other;
        continue;
      }
      const again = isConflict(error) && session.transaction === undefined && attempt < MAX_ATTEMPTS;
      if (!again) throw error;
      await sleep(Math.random() * Math.min(attempt * 5, 100));
    }
  }
}

async function attemptBy<T>(way: Way, session: Session, work: (form: Form) => Promise<T>): Promise<T> {
  switch (way) {
    case "quick":
      return await impatiently(() => work((compiled) => changed(compiled, checked)));
    case "late":
      return await session.parts.late.run((run) =>
        impatiently(() => work((compiled) => changed(compiled, (sql) => lateSql(checked(sql), run)))),
      );
    case "slow":
      return await patiently(() => work((compiled) => compiled));
  }
}

function otherWay(way: Way, error: unknown): Way | undefined {
  if (way === "slow") return undefined;
  if (error instanceof HidesLateness) return "slow";
  if (isHeldUp(error)) return way === "quick" ? "late" : "slow";
  // DuckDB does not take late calls everywhere; that is no error of the query.
  const isOwn = toRuntimeError(error) instanceof BigQueryError || isConflict(error) || isInterrupt(error);
  return way === "late" && !isOwn ? "slow" : undefined;
}

class HidesLateness extends Error {}

function checked(sql: string): string {
  if (hidesLateness(sql)) throw new HidesLateness();
  return sql;
}

/** The statement with all of its SQL changed that calls functions of ours. */
function changed<T extends CompiledStatement>(compiled: T, sql: (text: string) => string): T {
  const query = (made: CompiledQuery): CompiledQuery => ({ ...made, sql: sql(made.sql) });
  const step = (made: DmlStep): DmlStep => ({ ...made, sql: sql(made.sql) });
  const form = (made: CompiledStatement): CompiledStatement => {
    switch (made.kind) {
      case "query":
        return query(made);
      case "dml":
        return { ...made, steps: made.steps.map(step) };
      case "assert":
        return { ...made, sql: sql(made.sql) };
      case "create-table":
        return made.asSelect === undefined ? made : { ...made, asSelect: query(made.asSelect) };
      default:
        return made;
    }
  };
  return form(compiled) as T;
}
