/** Where a command's words go: the only way in which anything is printed. */
export interface Output {
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean;
  /** Whether colours are wanted: a terminal, and no NO_COLOR (https://no-color.org). */
  readonly isColoured: boolean;
  /** A line of the result, on stdout. */
  line(text: string): void;
  /** Text of the result as it is, without a line's end added. */
  write(text: string): void;
  /** A value as JSON, on stdout. */
  json(value: unknown): void;
  /** A line beside the result, on stderr: what is wrong, what happens. */
  note(text: string): void;
}

/** The process's own streams. */
export function processOutput(environment: NodeJS.ProcessEnv = process.env): Output {
  const isTerminal = process.stdout.isTTY === true;
  return {
    isTerminal,
    isColoured: isTerminal && (environment.NO_COLOR ?? "") === "",
    line: (text) => void process.stdout.write(`${text}\n`),
    write: (text) => void process.stdout.write(text),
    json: (value) => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
  };
}
