import { distance } from "fastest-levenshtein";

/** Near enough to be a slip of the keyboard: at most two letters inserted, left out or changed. */
export function isNear(left: string, right: string): boolean {
  const changes = distance(left.toLowerCase(), right.toLowerCase());
  return changes <= 2 && changes < Math.min(left.length, right.length);
}

/** The nearest of the names to one that is none of them; undefined where none is near. */
export function findNear(wrong: string, names: readonly string[]): string | undefined {
  const near = names.filter((name) => isNear(wrong, name));
  return near.sort((left, right) => distance(wrong, left) - distance(wrong, right))[0];
}

/** What to say beside a name that is none of those there are: the near one, or all of them. */
export function suggest(wrong: string, names: readonly string[]): string {
  const near = findNear(wrong, names);
  if (near !== undefined) return `did you mean ${near}?`;
  return names.length === 0 ? "there are none" : `there are ${[...names].sort().join(", ")}`;
}
