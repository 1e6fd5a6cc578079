import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** One query of the corpus. */
export interface Case {
  readonly file: string;
  readonly line: number;
  readonly sql: string;
  /** What BigQuery's documentation says instead of what the reference implementation does: the result as text. */
  readonly documented?: string;
  /** The endpoint refuses it by name. */
  readonly refused: boolean;
}

const FOLDER = path.join(import.meta.dirname, "corpus");

/**
 * Reads a corpus file: a line is a query, or an expression to SELECT; `--` starts a comment. After a query
 * `-- refused` expects a refusal by name, `-- docs: RESULT` the result that the documentation gives where the reference
 * implementation differs; the comment above such a line cites the page.
 */
function parseCorpus(file: string, content: string): readonly Case[] {
  return content.split("\n").flatMap((raw, index) => {
    const text = raw.trim();
    if (text === "" || text.startsWith("--")) return [];
    const [, query = "", note = ""] = /^(.*?)(?: -- (refused|docs: .*))?$/.exec(text) ?? [];
    const sql = /^(SELECT|WITH|\()\b/i.test(query) ? query : `SELECT ${query}`;
    const documented = note.startsWith("docs: ") ? note.slice("docs: ".length) : undefined;
    return [{ file, line: index + 1, sql, documented, refused: note === "refused" }];
  });
}

/** All queries of test/reference/corpus. */
export function readCorpus(): readonly Case[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .flatMap((name) => parseCorpus(name, readFileSync(path.join(FOLDER, name), "utf8")));
}
