import type { Step } from "../warehouse/init/step.ts";
import { code } from "./changes.ts";

/** What `npm run init` would do to the tables as they are, or why it would refuse. */
export interface LivePlan {
  /** One line each; names stand between backticks. */
  readonly lines: readonly string[];
  readonly isRefused: boolean;
}

/** The steps of `npm run init` that change BigQuery. */
export function describePlan(steps: readonly Step[]): LivePlan {
  const changing = steps.filter(({ kind, action }) => kind !== "file" && action !== "none");
  return {
    lines: changing.map(
      ({ kind, name, action, changes }) => `${action} ${kind} ${code(name)}: ${changes.map(code).join(", ")}`,
    ),
    isRefused: false,
  };
}

/** The faults that `npm run init` would stop at, as it words them. */
export function describeRefusal(message: string): LivePlan {
  return { lines: message.split("\n").map(code), isRefused: true };
}
