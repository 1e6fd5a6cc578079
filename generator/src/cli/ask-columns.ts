import { type GivenColumns, guessColumns, possibleKeys, possibleTimes } from "../scaffold/guess-columns.ts";
import type { FieldJson } from "../scaffold/schema-json.ts";
import type { Ask } from "./ask.ts";

/** Stands for no column; no column can be called so. */
const NONE = "";

/** Asks for the key and the clocks that nobody named and that no name tells; what cannot be asked is left to say what is missing. */
export async function askForColumns(
  fields: readonly FieldJson[],
  given: GivenColumns,
  ask: Ask,
): Promise<GivenColumns> {
  const guess = guessColumns(fields, given).columns;
  const times = possibleTimes(fields);
  const key = guess.key
    ? given.key
    : await choose("Which column says whose row it is?", possibleKeys(fields), ask);
  const asked = { ...given, key: typeof key === "string" ? [key] : key };
  // What names tell is left out: it is guessed again, and said.
  if (guess.ingestTimestamp !== undefined) return asked;
  const ingestTimestamp = await choose("Which TIMESTAMP says when a row came in?", times, ask);
  const later = { ...asked, ingestTimestamp };
  if (guessColumns(fields, later).columns.eventTimestamp !== undefined) return later;
  const others = times.filter(({ name }) => name !== ingestTimestamp);
  return { ...later, eventTimestamp: await choose("Which says when it was true?", others, ask, "the same") };
}

/** One of the columns; undefined where there is none, or where none is the answer. */
async function choose(
  question: string,
  fields: readonly FieldJson[],
  ask: Ask,
  none?: string,
): Promise<string | undefined> {
  if (fields.length === 0) return undefined;
  const names = fields.map(({ name }) => [name, name] as const);
  const choices = Object.fromEntries([...(none === undefined ? [] : [[NONE, none] as const]), ...names]);
  const answer = await ask.choice(question, choices);
  return answer === NONE ? undefined : answer;
}
