import { stripVTControlCharacters } from "node:util";
import type { OutputSink } from "../dataform/cli.ts";
import type { CompiledAction } from "../dataform/graph.ts";
import { RunWatch } from "../dataform/run-watch.ts";
import type { RunStatus } from "../warehouse/status.ts";
import { countOf, formatBytes, formatDuration } from "./numbers.ts";
import type { Output, Progress } from "./output.ts";

/** Shows a run of Dataform while it goes: on a terminal what runs and for how long, elsewhere a line for each action that ends. */
export class RunReport {
  readonly #watch: RunWatch;
  readonly #output: Output;
  readonly #progress: Progress;
  readonly #started = Date.now();
  readonly #timer: NodeJS.Timeout;

  constructor(output: Output, actions: readonly CompiledAction[]) {
    this.#output = output;
    this.#watch = new RunWatch(actions);
    this.#progress = output.progress("{value}/{total} {bar} {running} {time}", this.#watch.total);
    this.#timer = setInterval(() => this.#show(), 500);
  }

  /** Takes what the CLI prints, whose SQL of failed actions stays out of the terminal. */
  readonly sink: OutputSink = {
    stdout: (text) => this.#read(text),
    stderr: (text) => this.#read(text),
  };

  get milliseconds(): number {
    return Date.now() - this.#started;
  }

  get bytesBilled(): number {
    return this.#watch.bytesBilled;
  }

  /** Ends what is shown; call it however the run ends. */
  stop(): void {
    clearInterval(this.#timer);
    this.#progress.stop();
  }

  #read(text: string): void {
    // What is disabled, as the audit is until somebody asks for it, is no news of this run.
    for (const { kind, line } of this.#watch.read(stripVTControlCharacters(text)))
      if (kind !== "disabled") this.#output.say(line);
    this.#show();
  }

  #show(): void {
    const running = this.#watch.running();
    const others = running.length > 2 ? ` and ${running.length - 2} more` : "";
    this.#progress.update(this.#watch.ended, {
      running: `${running.slice(0, 2).join(", ")}${others}`,
      time: formatDuration(this.milliseconds),
    });
  }
}

/** What a run of one entity did: `user_info: 1,204 updates of 310 users read, 297 rows changed, 2 bad, watermark 10:02:11`. */
export function summarize(entity: string, run: RunStatus, watermark: string | null): string {
  const parts = [
    `${countOf(run.rowsRead, "update")} of ${countOf(run.usersRead, "user")} read`,
    `${countOf(run.rowsChanged, "row")} changed`,
    ...(run.badRows > 0 ? [`${run.badRows} bad${newOf(run)}`] : []),
    ...((run.missedRows ?? 0) > 0 ? [`${run.missedRows} too late for any run`] : []),
    ...(run.futureRows > 0 ? [`${run.futureRows} from the future`] : []),
    `watermark ${watermark ?? "not set"}`,
  ];
  return `${entity}: ${parts.join(", ")}`;
}

/** Of bad rows that were known before: how many were not. */
function newOf({ badRows, newBadRows = badRows }: RunStatus): string {
  return newBadRows === badRows ? "" : ` (${newBadRows} new)`;
}

/** `4.1 s, 18 MiB billed`. */
export function costOf(milliseconds: number, bytesBilled: number): string {
  return `${formatDuration(milliseconds)}, ${formatBytes(bytesBilled)} billed`;
}
