import type { CompiledAction } from "./graph.ts";

/** What happened to an action of a run, as the CLI says it. */
export interface ActionEvent {
  readonly kind: "done" | "skipped" | "disabled" | "failed";
  /** `dataset.name`. */
  readonly action: string;
  /** The CLI's own line. */
  readonly line: string;
}

/** How the CLI begins the line on an action that has ended (cli/console.ts of @dataform/cli). */
const ENDINGS: readonly (readonly [RegExp, ActionEvent["kind"]])[] = [
  [
    /^(?:Table|Assertion|Operation|Property graph) (?:created|passed|completed successfully|dry run success): +(\S+)/,
    "done",
  ],
  [/^Skipping.*?: +(\S+)/, "skipped"],
  [/^(?:Dataset creation|Assertion execution|Operation execution) disabled.*?: +(\S+)/, "disabled"],
  [/^(?:Dataset|Assertion|Operation|Property graph) .*failed: +(\S+)/, "failed"],
];

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Follows a run of the CLI by what it prints: what has ended, what is under way, what it is billed. */
export class RunWatch {
  readonly #actions: ReadonlyMap<string, CompiledAction>;
  readonly #ended = new Set<string>();
  #rest = "";
  /** Bytes billed by all jobs, to the two decimals that the CLI prints. */
  bytesBilled = 0;

  /** @param actions those that the run selects */
  constructor(actions: readonly CompiledAction[]) {
    this.#actions = new Map(actions.map((action) => [nameOf(action), action]));
  }

  get total(): number {
    return this.#actions.size;
  }

  get ended(): number {
    return this.#ended.size;
  }

  /** Takes a piece of the CLI's output, without colours, and gives the actions that ended in it. */
  read(text: string): readonly ActionEvent[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => {
      const billed = /^\s*Bytes billed: (.*)$/.exec(line)?.[1];
      for (const part of billed?.split(", ") ?? []) this.bytesBilled += bytesOf(part);
      for (const [pattern, kind] of ENDINGS) {
        const action = pattern.exec(line)?.[1];
        if (action === undefined) continue;
        this.#ended.add(action);
        return [{ kind, action, line: line.trim() }];
      }
      return [];
    });
  }

  /** The actions whose turn it is: everything that they wait for has ended. */
  running(): readonly string[] {
    return [...this.#actions].flatMap(([name, action]) => {
      if (this.#ended.has(name)) return [];
      const waitsFor = (action.dependencyTargets ?? []).map(
        ({ schema, name: other }) => `${schema}.${other}`,
      );
      const isFree = waitsFor.every((other) => !this.#actions.has(other) || this.#ended.has(other));
      return isFree ? [name] : [];
    });
  }
}

function nameOf({ target }: CompiledAction): string {
  return `${target.schema}.${target.name}`;
}

function bytesOf(text: string): number {
  const [, count = "0", unit = "B"] = /^([\d.]+) (\w+)$/.exec(text.trim()) ?? [];
  return Math.round(Number(count) * 1024 ** UNITS.indexOf(unit));
}
