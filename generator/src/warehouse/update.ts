import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { type DataformResult, type OutputSink, runDataform } from "../dataform/cli.ts";
import { withCredentials } from "../dataform/credentials.ts";
import { hasFlag } from "../dataform/flags.ts";
import type { Selection } from "../dataform/selection.ts";
import { dropTimeoutNote, withoutTimeoutNote, withTimeout } from "../dataform/timeout.ts";
import type { Project } from "../project/dataform-json.ts";
import { CommandError, remedyFor, wrongUsage } from "../project/errors.ts";

/** How an update behaves beyond what Dataform's own flags say. */
export interface UpdateOptions {
  readonly selection: Selection;
  readonly sink: OutputSink;
  /** Told of a run that lost against another one, before it is started again. */
  readonly onRetry: (text: string) => void;
  /** How many times a run that lost against another one is started again. */
  readonly maxRetries?: number;
  /** Waits before a retry; tests replace it. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** How an update ended. */
export interface UpdateResult {
  /** What failed for good; nothing where all is well. */
  readonly failures: readonly Failure[];
  /** How often the run was started again. */
  readonly retries: number;
}

const DEFAULT_MAX_RETRIES = 8;

/**
 * Runs `dataform run` with its traps closed: a selection of nothing is an error, and a run whose transaction lost
 * against another one is run again, which R3 and R6 make harmless.
 */
export async function runUpdate(project: Project, options: UpdateOptions): Promise<UpdateResult> {
  const { sink, onRetry, maxRetries = DEFAULT_MAX_RETRIES, wait = sleep } = options;
  const { flags } = options.selection;
  return withCredentials(project, async (credentials) => {
    const args = ["run", ".", ...withTimeout(flags)];
    if (!hasFlag(flags, "credentials")) args.push(`--credentials=${credentials}`);
    for (let attempt = 0; ; attempt++) {
      const result = await runDataform(project, args, withoutTimeoutNote(flags, sink));
      if (result.exitCode === 0) return { failures: [], retries: attempt };
      const unknown = /Unknown argument: (.*)/.exec(result.stderr)?.[1];
      if (unknown !== undefined) {
        throw wrongUsage(`update: --${unknown}: no such flag; \`npx dataform run --help\` lists them`);
      }
      const failures = readFailures(result);
      if (!isWorthRetrying(failures) || attempt === maxRetries) {
        if (failures.length === 0) throw new CommandError(describeCrash(result, attempt));
        return { failures, retries: attempt };
      }
      const pause = backoff(attempt);
      onRetry(
        `update: ${failures[0]?.action} lost against another run; retry ${attempt + 1} of ${maxRetries} in ${(pause / 1000).toFixed(1)} s`,
      );
      await wait(pause);
    }
  });
}

/** Full jitter: runs that met once shall not meet again (attempt 0: up to 1 s, then doubling up to 30 s). */
function backoff(attempt: number): number {
  return 100 + Math.random() * Math.min(30_000, 1000 * 2 ** attempt);
}

/** One action that failed in a run. */
export interface Failure {
  readonly kind: "action" | "assertion";
  readonly action: string;
  readonly message: string;
}

/**
 * The failed actions of a run, from what the CLI wrote to stderr: the action's line, its SQL behind `>`, its message.
 */
export function readFailures(result: DataformResult): readonly Failure[] {
  const failures: { kind: Failure["kind"]; action: string; message: string }[] = [];
  for (const line of result.stderr.split("\n")) {
    const head = /^(Operation failed|Dataset creation failed|Assertion failed): +(\S+)/.exec(line);
    if (head !== null) {
      failures.push({
        kind: head[1] === "Assertion failed" ? "assertion" : "action",
        action: head[2] ?? "",
        message: "",
      });
      continue;
    }
    const current = failures.at(-1);
    const text = line.trim();
    if (
      current === undefined ||
      text === "" ||
      line.startsWith("  >") ||
      /^(jobId|Bytes billed): /.test(text)
    )
      continue;
    if (current.message.length < 2000) current.message = `${current.message} ${text}`.trim();
  }
  return failures;
}

/** What another run, or a service that is briefly away, makes a run fail with. */
const TRANSIENT =
  /aborted due to concurrent update|could not serialize access|run again|transaction conflict|backendError|Service Unavailable|\b50[0234]\b|rateLimitExceeded|exceeded rate limits|ECONNRESET|socket hang up|Retrying may solve|please retry/i;

/** True when every failed action lost against another run: to run again is then all it takes. */
export function isWorthRetrying(failures: readonly Failure[]): boolean {
  const actions = failures.filter((failure) => failure.kind === "action");
  return actions.length > 0 && actions.every((failure) => TRANSIENT.test(failure.message));
}

/** What stopped a run before any action of it failed. */
export function describeCrash(result: DataformResult, retries: number): string {
  const written = stripVTControlCharacters(`${dropTimeoutNote(result.stderr)}\n${result.stdout}`);
  const lines = written.split("\n").map((line) => line.trim());
  const reason =
    lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line !== "") ?? "no message";
  return `dataform run failed${afterRetries(retries)}: ${reason}`;
}

/** The failure that a failed run's last line tells: its first failed action, before any assertion that failed with it. */
export function lastTold(failures: readonly Failure[]): Failure | undefined {
  return failures.find((failure) => failure.kind === "action") ?? failures[0];
}

/** What is said of one failure: where its SQL is, and its message, where no later line tells that; undefined where nothing is left. */
export function describeFailure(
  { action, message }: Failure,
  sqlFile: string | undefined,
  isToldLater: boolean,
): string | undefined {
  const parts = [
    ...(isToldLater ? [] : [withoutPrefix(message)]),
    ...(sqlFile === undefined ? [] : [`its SQL is ${sqlFile}`]),
  ];
  return parts.length === 0 ? undefined : `${action}: ${parts.join("; ")}`;
}

function withoutPrefix(message: string): string {
  return message.replace(/^bigquery error: /, "");
}

/** A failed run in one line: its first failed action, before any assertion that failed with it, and how many more there are. */
export function describeFailures({ failures, retries }: UpdateResult): string {
  const first = lastTold(failures);
  if (first === undefined) return "nothing failed";
  const others = failures.length > 1 ? ` (and ${failures.length - 1} more)` : "";
  const message = withoutPrefix(first.message);
  const remedy = remedyFor(message);
  return `dataform run: ${first.kind} ${first.action} failed${afterRetries(retries)}: ${message}${remedy === undefined ? "" : `; ${remedy}`}${others}`;
}

function afterRetries(retries: number): string {
  return retries === 0 ? "" : ` after ${retries} ${retries === 1 ? "retry" : "retries"}`;
}
