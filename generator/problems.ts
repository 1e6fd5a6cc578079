/** One thing wrong with the input, as one line that a person can act on. */
export interface Problem {
  /** The file as the user named it. */
  readonly file: string;
  /** Where in the file, as a JSON path such as `entities[0].key`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong. */
  readonly wrong: string;
  /** What would be right. */
  readonly right: string;
}

/** The input cannot be used; carries everything found wrong, so that one run shows it all. */
export class InputError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join("\n"));
    this.name = "InputError";
  }
}

/** Prints a problem as `file: path: what is wrong; what would be right`. */
export function formatProblem(problem: Problem): string {
  const place = problem.path === "" ? problem.file : `${problem.file}: ${problem.path}`;
  return oneLine(`${place}: ${problem.wrong}; ${problem.right}`);
}

/** Collects the problems of one file, and throws them together. */
export class ProblemList {
  readonly #problems: Problem[] = [];

  constructor(readonly file: string) {}

  /** Notes a problem and goes on. */
  add(path: string, wrong: string, right: string): void {
    this.#problems.push({ file: this.file, path, wrong, right });
  }

  /** Throws when anything was noted. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new InputError(this.#problems);
  }
}

/** Quotes a name for an error message, with everything invisible or misleading made visible. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return visible.length > 120 ? `${visible.slice(0, 117)}…` : visible;
}

/** Parses JSON, turning a syntax error into a problem with its line and column. */
export function parseJson(text: string, file: string): unknown {
  const source = text.replace(/^\uFEFF/, "");
  try {
    return JSON.parse(source);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new InputError([
      {
        file,
        path: "",
        wrong: `not valid JSON${positionOf(message, source)}: ${message.replace(/ in JSON at position \d+.*$/s, "")}`,
        right: "write one JSON value, with double quotes and no trailing commas or comments",
      },
    ]);
  }
}

function positionOf(message: string, source: string): string {
  const found = /at position (\d+)/.exec(message)?.[1];
  if (found === undefined) return "";
  const before = source.slice(0, Number(found)).split("\n");
  return ` (line ${before.length}, column ${(before.at(-1) ?? "").length + 1})`;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}
