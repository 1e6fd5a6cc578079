import { createInterface } from "node:readline/promises";
import { Presets, SingleBar } from "cli-progress";

/** Where a command's words go: the only way in which anything is printed. */
export interface Output {
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean;
  /** Asks a question; there where somebody can be asked: stdin and stderr are a terminal. Who ends it by a key or a signal says nothing. */
  readonly ask?: (question: string, signal: AbortSignal) => Promise<string>;
  /** Whether colours are wanted: a terminal, and no NO_COLOR (https://no-color.org). */
  readonly isColoured: boolean;
  /** A line of the result, on stdout. */
  line(text: string): void;
  /** Text of the result as it is, without a line's end added. */
  write(text: string): void;
  /** A value as JSON, on stdout. */
  json(value: unknown): void;
  /** A word on the way to the result: on stdout, on stderr where stdout is a program's, nowhere with --quiet. */
  say(text: string): void;
  /** A line beside the result, on stderr, quiet or not. */
  note(text: string): void;
  /** Shows how far something is, on a terminal; elsewhere nothing but what `say` says. */
  progress(format: string, total: number): Progress;
}

/** How far something is. */
export interface Progress {
  /** `words` stand in the format between braces. */
  update(done: number, words: Readonly<Record<string, string>>): void;
  stop(): void;
}

/** How a command was told to speak. */
export interface Manner {
  /** Nothing but the result and what is wrong. */
  readonly isQuiet: boolean;
  /** The result goes to a program: other words must not stand between. */
  readonly isForPrograms: boolean;
}

/** The process's own streams. */
export function processOutput(
  { isQuiet, isForPrograms }: Manner = { isQuiet: false, isForPrograms: false },
  environment: NodeJS.ProcessEnv = process.env,
): Output {
  const isTerminal = process.stdout.isTTY === true;
  const isShown = process.stderr.isTTY === true && !isQuiet;
  const words = isForPrograms ? process.stderr : process.stdout;
  return {
    isTerminal,
    ...(process.stdin.isTTY === true && process.stderr.isTTY === true
      ? { ask: (question, signal) => askOn(process.stdin, process.stderr, question, signal) }
      : {}),
    isColoured: isTerminal && (environment.NO_COLOR ?? "") === "",
    line: (text) => void process.stdout.write(`${text}\n`),
    write: (text) => void process.stdout.write(text),
    json: (value) => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    say: (text) => void (isQuiet || words.write(`${text}\n`)),
    note: (text) => void process.stderr.write(`${text}\n`),
    progress: (format, total) =>
      isShown ? bar(format, total, process.stderr) : { update: () => undefined, stop: () => undefined },
  };
}

/** Asks a question on a terminal; who closes it by Ctrl+C or Ctrl+D, or a signal that ends the command, answers nothing. */
export async function askOn(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  question: string,
  signal: AbortSignal,
): Promise<string> {
  const terminal = createInterface({ input, output });
  try {
    return await terminal.question(question, { signal });
  } catch (error) {
    if (!(error instanceof Error && error.name === "AbortError")) throw error;
    output.write("\n");
    return "";
  } finally {
    terminal.close();
  }
}

/** What the bar itself fills in (cli-progress). */
const OF_THE_BAR = [
  "bar",
  "percentage",
  "total",
  "value",
  "eta",
  "duration",
  "eta_formatted",
  "duration_formatted",
];

/** A line at a terminal's foot that goes when it is done; words of the format that nobody has said yet are left out. */
export function bar(format: string, total: number, stream: NodeJS.WritableStream): Progress {
  const single = new SingleBar(
    { format, stream, clearOnComplete: true, hideCursor: true, fps: 5 },
    Presets.shades_classic,
  );
  const words = [...format.matchAll(/\{(\w+)\}/g)].flatMap(([, word]) => word ?? []);
  const unsaid = words.filter((word) => !OF_THE_BAR.includes(word)).map((word) => [word, ""]);
  single.start(total, 0, Object.fromEntries(unsaid));
  return {
    update: (done, said) => single.update(done, said),
    stop: () => single.stop(),
  };
}
