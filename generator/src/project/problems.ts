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
function formatProblem(problem: Problem): string {
  const place = problem.path === "" ? problem.file : `${problem.file}: ${problem.path}`;
  return oneLine(`${place}: ${problem.wrong}; ${problem.right}`);
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

/** Parses JSON, turning a syntax error into a problem with its line and column. */
export function parseJson(text: string, file: string): unknown {
  const source = text.replace(/^\uFEFF/, "");
  try {
    const value: unknown = JSON.parse(source);
    refuseRepeatedNames(source, file);
    return value;
  } catch (error) {
    if (error instanceof InputError) throw error;
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

/** JSON.parse keeps the last of two members of one name without a word; here one of them is a slip. Takes valid JSON. */
function refuseRepeatedNames(source: string, file: string): void {
  const objects: (Set<string> | undefined)[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (const { 0: token, 1: colon, index } of source.matchAll(tokens)) {
    if (token === "{") objects.push(new Set());
    else if (token === "[") objects.push(undefined);
    else if (token === "}" || token === "]") objects.pop();
    else if (colon !== undefined) {
      const name = String(JSON.parse(token.slice(0, -colon.length)));
      const names = objects.at(-1);
      if (names?.has(name)) {
        throw new InputError([
          {
            file,
            path: "",
            wrong: `${show(name)} appears twice in one object${placeOf(index, source)}`,
            right: "leave one of them out",
          },
        ]);
      }
      names?.add(name);
    }
  }
}

function positionOf(message: string, source: string): string {
  const found = /at position (\d+)/.exec(message)?.[1];
  return found === undefined ? "" : placeOf(Number(found), source);
}

function placeOf(position: number, source: string): string {
  const before = source.slice(0, position).split("\n");
  return ` (line ${before.length}, column ${(before.at(-1) ?? "").length + 1})`;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ");
}

/** Whether a JSON value is an object, and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
