import { z } from "zod";
import { BigQueryError } from "../errors.ts";

/** One planned failure. Requests and statements are counted from 1, from when the fault was planned. */
export const faultSchema = z.discriminatedUnion("kind", [
  /** The N-th statement that changes something (or whose text contains `matching`) fails before or after it took effect. */
  z.strictObject({
    kind: z.literal("statement"),
    nth: z.int().min(1).default(1),
    when: z.enum(["before", "after"]),
    matching: z.string().optional(),
    /** How many statements in a row fail. */
    times: z.int().min(1).default(1),
    message: z.string().optional(),
  }),
  /** The N-th request (whose method and path contain `matching`) loses its connection: before it was handled, or its answer. */
  z.strictObject({
    kind: z.literal("drop"),
    nth: z.int().min(1).default(1),
    when: z.enum(["before", "after"]),
    matching: z.string().optional(),
    times: z.int().min(1).default(1),
  }),
  /** The N-th request is answered 503 or 429 and not handled. */
  z.strictObject({
    kind: z.literal("status"),
    nth: z.int().min(1).default(1),
    status: z.union([z.literal(503), z.literal(429)]),
    matching: z.string().optional(),
    times: z.int().min(1).default(1),
  }),
  /** The N-th COMMIT finds its transaction aborted, as when another one changed the same rows. */
  z.strictObject({
    kind: z.literal("abort-transaction"),
    nth: z.int().min(1).default(1),
    times: z.int().min(1).default(1),
  }),
]);

/** One planned failure. */
type Fault = z.infer<typeof faultSchema>;

/** A planned failure as callers write it: `nth` and `times` are 1 unless given. */
export type FaultInput = z.input<typeof faultSchema>;

/** What happens to a request. */
export type RequestFault = { kind: "drop"; when: "before" | "after" } | { kind: "status"; status: 429 | 503 };

interface Armed {
  readonly fault: Fault;
  seen: number;
}

/** The failures a test suite has planned for this server. Without a plan nothing is counted and nothing fails. */
export class Faults {
  readonly #armed: Armed[] = [];

  constructor(plan: readonly FaultInput[] = []) {
    this.plan(plan);
  }

  /** Adds failures; their counts start here. */
  plan(plan: readonly FaultInput[]): void {
    for (const input of plan) this.#armed.push({ fault: faultSchema.parse(input), seen: 0 });
  }

  /** Forgets all that was planned. */
  clear(): void {
    this.#armed.length = 0;
  }

  /** What shall happen to this request. */
  onRequest(method: string, url: string): RequestFault | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (fault.kind !== "drop" && fault.kind !== "status") continue;
      if (!matches(fault.matching, `${method} ${url}`) || !isDue(armed)) continue;
      return fault.kind === "drop"
        ? { kind: "drop", when: fault.when }
        : { kind: "status", status: fault.status };
    }
    return undefined;
  }

  /** Called around every statement of every script; throws what the statement shall fail with. */
  onStatement(when: "before" | "after", statement: { text: string; type: string }): void {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (fault.kind === "abort-transaction") {
        if (when === "before" && statement.type === "COMMIT_TRANSACTION" && isDue(armed)) throw aborted();
        continue;
      }
      if (fault.kind !== "statement" || fault.when !== when) continue;
      if (matches(fault.matching, statement.text) && isDue(armed)) {
        throw new BigQueryError(
          "backendError",
          fault.message ?? `Injected fault ${when} statement: ${statement.type}`,
        );
      }
    }
  }
}

function matches(wanted: string | undefined, text: string): boolean {
  return wanted === undefined || text.includes(wanted);
}

/** Counts one occasion, and says whether it is among those that fail. */
function isDue(armed: Armed): boolean {
  armed.seen += 1;
  return armed.seen >= armed.fault.nth && armed.seen < armed.fault.nth + armed.fault.times;
}

function aborted(): BigQueryError {
  return new BigQueryError(
    "invalidQuery",
    "Transaction is aborted due to concurrent update (injected fault).",
    "query",
  );
}
