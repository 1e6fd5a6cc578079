import type { OutputSink } from "./cli.ts";
import { hasFlag } from "./flags.ts";

/** Dataform gives itself a minute, which a thousand leaves can take on a busy machine. */
const COMPILE_TIMEOUT = "--timeout=10m";

/** The flags, with as long to compile as `npm run compile` has, unless they say how long. */
export function withTimeout(flags: readonly string[]): readonly string[] {
  return hasFlag(flags, "timeout") ? flags : [...flags, COMPILE_TIMEOUT];
}

const TIMEOUT_NOTE = /^.*Note: --timeout only bounds project compilation\..*\n\n?/m;

/** A sink without the CLI's note on the timeout of `withTimeout`, where the user's flags have none. */
export function withoutTimeoutNote(flags: readonly string[], sink: OutputSink): OutputSink {
  if (hasFlag(flags, "timeout")) return sink;
  return { stdout: sink.stdout, stderr: (text) => sink.stderr(dropTimeoutNote(text)) };
}

/** What the CLI wrote, without its note on what a timeout bounds: that is no cause of anything. */
export function dropTimeoutNote(text: string): string {
  return text.replace(TIMEOUT_NOTE, "");
}
