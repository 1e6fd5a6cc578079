/** One thing wrong with the input, as one line that a person can act on. */
export interface Problem {
  /** The file as the user named it. */
  readonly file: string;
  /** Where in the file, as a JSON path such as `entities[0].key`; empty for the file as a whole. */
  readonly path: string;
  /** Where that is in the file's text, from 1. */
  readonly line?: number;
  readonly column?: number;
  /** The entity or field that it is about, `profile.email`. */
  readonly name?: string;
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

/** Prints a problem as `file:line:column: name: path: what is wrong; what would be right`. */
function formatProblem({ file, line, column, name, path, wrong, right }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  const parts = [place, name, path].filter((part) => part !== undefined && part !== "");
  return oneLine(`${parts.join(": ")}: ${wrong}; ${right}`);
}

/** A file of the project that the disk would not let us read, write or remove, by its path in the project. */
export function unusableFile(
  file: string,
  action: "read" | "written" | "removed",
  cause: unknown,
): InputError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  const right =
    code === "EISDIR" || code === "ENOTDIR" || code === "EEXIST"
      ? "a folder or file of that name is in the way: move it away"
      : "see to the permissions and the space of its folder";
  return new InputError([{ file, path: "", wrong: `cannot be ${action} (${code})`, right }]);
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

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}

/** Whether a JSON value is an object, and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
