import { findNear } from "../project/near.ts";

/** The run variables that includes/run.js reads. */
const VARIABLES = ["replayFrom", "rebuild", "force", "merge", "audit", "auditShare"];

/**
 * The run variable that a name is a slip of; undefined where it is one, or nothing like one. A variable that nobody reads is ignored without a
 * word, so a slip in one of ours must not pass for somebody else's.
 */
export function meantVariable(name: string): string | undefined {
  return VARIABLES.includes(name) ? undefined : findNear(name, VARIABLES);
}
