import { setTimeout as sleep } from "node:timers/promises";
import {
  type CompiledAction,
  compileGraph,
  type DataformResult,
  type OutputSink,
  runDataform,
  withCredentials,
} from "./dataform.ts";
import { CommandError, wrongUsage } from "./errors.ts";
import { isNear } from "./load/value.ts";
import type { Project } from "./project.ts";

/** How an update behaves beyond what Dataform's own flags say. */
export interface UpdateOptions {
  /** Flags for `dataform run`, passed on as they are. */
  readonly flags: readonly string[];
  readonly sink: OutputSink;
  /** How many times a run that lost against another one is started again. */
  readonly maxRetries?: number;
  /** Waits before a retry; tests replace it. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

const DEFAULT_MAX_RETRIES = 8;

/**
 * Runs `dataform run` with its traps closed: a selection of nothing is an error, and a run whose transaction lost
 * against another one is run again, which R3 and R6 make harmless.
 */
export async function runUpdate(project: Project, options: UpdateOptions): Promise<void> {
  const flags = withAudit(options.flags);
  const { sink, maxRetries = DEFAULT_MAX_RETRIES, wait = sleep } = options;
  await checkSelection(project, flags);
  await withCredentials(project, async (credentials) => {
    const args = ["run", ".", ...flags];
    if (!hasFlag(flags, "credentials")) args.push(`--credentials=${credentials}`);
    for (let attempt = 0; ; attempt++) {
      const result = await runDataform(project, args, sink);
      if (result.exitCode === 0) return;
      const failures = readFailures(result);
      if (!isWorthRetrying(failures) || attempt === maxRetries) {
        throw new CommandError(describeFailure(result, failures, attempt));
      }
      const pause = backoff(attempt);
      sink.stderr(
        `update: ${failures[0]?.action} lost against another run; retry ${attempt + 1} of ${maxRetries} in ${(pause / 1000).toFixed(1)} s\n`,
      );
      await wait(pause);
    }
  });
}

/** The audit is compiled only on demand, so that no plain run pays for it: to ask for its tag is to demand it. */
export function withAudit(flags: readonly string[]): readonly string[] {
  const parsed = parseFlags(flags).flags;
  if (!(valuesOf(parsed, "tags") ?? []).includes("audit")) return flags;
  const vars = parsed.filter(({ name }) => name === "vars");
  const settings = vars.flatMap(({ values }) => values);
  if (settings.some((setting) => /^audit(Share)?=/.test(setting))) return flags;
  const others = parsed.filter(({ name }) => name !== "vars").flatMap(({ written }) => written);
  return [...others, `--vars=${[...settings, "audit=true"].join(",")}`];
}

/** True when a run was told to run the actions of this tag. */
export function asksForTag(flags: readonly string[], tag: string): boolean {
  return (valuesOf(parseFlags(flags).flags, "tags") ?? []).includes(tag);
}

/** Full jitter: runs that met once shall not meet again (attempt 0: up to 1 s, then doubling up to 30 s). */
function backoff(attempt: number): number {
  return 100 + Math.random() * Math.min(30_000, 1000 * 2 ** attempt);
}

/** Flags of `dataform run` that change what is compiled, and so what a selection can name. */
const COMPILE_FLAGS = new Set([
  "vars",
  "default-database",
  "default-schema",
  "default-location",
  "assertion-schema",
  "database-suffix",
  "schema-suffix",
  "table-prefix",
  "disable-assertions",
  "default-reservation",
  "timeout",
]);

async function checkSelection(project: Project, flags: readonly string[]): Promise<void> {
  const parsed = parseFlags(flags);
  if (parsed.positional.length > 0) {
    throw wrongUsage(
      `update: ${parsed.positional[0]}: not a flag of \`dataform run\`; did you mean --actions ${parsed.positional[0]}?`,
    );
  }
  const compileFlags = parsed.flags
    .filter(({ name }) => COMPILE_FLAGS.has(name))
    .flatMap(({ written }) => written);
  const graph = await compileGraph(project, compileFlags);
  if (graph.actions.length === 0)
    throw new CommandError("update: the project has no actions; run `npm run generate`");
  const actions = valuesOf(parsed.flags, "actions");
  const tags = valuesOf(parsed.flags, "tags");
  for (const { name, values } of [
    { name: "actions", values: actions },
    { name: "tags", values: tags },
  ]) {
    if (values !== undefined && values.length === 0) throw wrongUsage(`update: --${name} needs a value`);
  }
  for (const pattern of actions ?? []) checkAction(pattern, graph.actions);
  for (const tag of tags ?? []) checkTag(tag, graph.actions);
}

function checkAction(pattern: string, actions: readonly CompiledAction[]): void {
  const matches = actions.some((action) =>
    [
      action.name,
      `${action.schema}.${action.name}`,
      `${action.database}.${action.schema}.${action.name}`,
    ].some((name) => matchesPattern(name, pattern)),
  );
  if (!matches)
    throw wrongUsage(
      `update: --actions ${pattern}: no such action; ${suggest(
        pattern,
        actions.map(({ name }) => name),
      )}`,
    );
}

function checkTag(tag: string, actions: readonly CompiledAction[]): void {
  const tags = [...new Set(actions.flatMap((action) => action.tags))];
  if (!tags.includes(tag))
    throw wrongUsage(`update: --tags ${tag}: no action has this tag; ${suggest(tag, tags)}`);
}

function matchesPattern(name: string, pattern: string): boolean {
  const expression = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${expression}$`).test(name);
}

function suggest(wrong: string, names: readonly string[]): string {
  const near = names.find((name) => isNear(wrong.toLowerCase(), name.toLowerCase()));
  if (near !== undefined) return `did you mean ${near}?`;
  return names.length === 0 ? "there are none" : `there are ${[...names].sort().join(", ")}`;
}

interface Flag {
  readonly name: string;
  readonly values: readonly string[];
  /** The flag as it was written. */
  readonly written: readonly string[];
}

/** Flags that take no value, so that what follows them is not theirs. */
const SWITCHES =
  /^(dry-run|run-tests|emit-lineage|full-refresh|include-deps|include-dependents|json|disable-assertions|no-.*)$/;

/** Reads flags as the Dataform CLI does: `--name value`, `--name=value`, and lists that go on up to the next flag. */
export function parseFlags(args: readonly string[]): {
  flags: readonly Flag[];
  positional: readonly string[];
} {
  const flags: { name: string; values: string[]; written: string[] }[] = [];
  const positional: string[] = [];
  let open: { name: string; values: string[]; written: string[] } | undefined;
  for (const arg of args) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(arg);
    if (match !== null) {
      const [, name = "", value] = match;
      const flag = { name, values: value === undefined ? [] : value.split(","), written: [arg] };
      flags.push(flag);
      const isList = name === "actions" || name === "tags";
      open = SWITCHES.test(name) || (value !== undefined && !isList) ? undefined : flag;
    } else if (open === undefined) {
      positional.push(arg);
    } else {
      open.values.push(...arg.split(","));
      open.written.push(arg);
      if (open.name !== "actions" && open.name !== "tags") open = undefined;
    }
  }
  return { flags, positional };
}

function valuesOf(flags: readonly Flag[], name: string): readonly string[] | undefined {
  const found = flags.filter((flag) => flag.name === name);
  return found.length === 0
    ? undefined
    : found.flatMap((flag) => flag.values).filter((value) => value !== "");
}

function hasFlag(flags: readonly string[], name: string): boolean {
  return parseFlags(flags).flags.some((flag) => flag.name === name);
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

function describeFailure(result: DataformResult, failures: readonly Failure[], retries: number): string {
  const after = retries === 0 ? "" : ` after ${retries} ${retries === 1 ? "retry" : "retries"}`;
  const first = failures.find((failure) => failure.kind === "action") ?? failures[0];
  if (first === undefined) {
    const lines = `${result.stderr}\n${result.stdout}`.split("\n").map((line) => line.trim());
    const reason =
      lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line !== "") ?? "no message";
    return `dataform run failed${after}: ${reason}`;
  }
  const others = failures.length > 1 ? ` (and ${failures.length - 1} more)` : "";
  const message = first.message.replace(/^bigquery error: /, "");
  return `dataform run: ${first.kind} ${first.action} failed${after}: ${message}${others}`;
}
