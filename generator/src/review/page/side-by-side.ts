import { diffArrays, diffWordsWithSpace } from "diff";

/** A range of characters of a line that differs from its partner. */
export type Range = readonly [from: number, to: number];

/** One side of a row: the number of its line, from 1, and which characters of it changed. */
interface SideLine {
  readonly number: number;
  readonly marks: readonly Range[];
}

/** One row of the two columns; a side that has no line there is undefined. */
export interface Row {
  readonly left: SideLine | undefined;
  readonly right: SideLine | undefined;
}

/** A run of rows: lines that are the same on both sides, or lines that are not. */
export interface Block {
  readonly kind: "same" | "changed";
  readonly rows: readonly Row[];
}

/** Lines this alike are one line that changed; others are one that went and one that came. */
const ALIKE = 0.5;
/** Beyond so many pairs to compare, lines are paired in their order. */
const MAX_PAIRS = 40_000;

/** Two texts side by side: equal lines beside each other, changed ones beside what they were. */
export function sideBySide(before: readonly string[], after: readonly string[]): readonly Block[] {
  const blocks: Block[] = [];
  let [left, right] = [0, 0];
  let removed: string[] = [];
  let added: string[] = [];
  const flush = (): void => {
    if (removed.length + added.length > 0) {
      blocks.push({ kind: "changed", rows: pairLines(removed, added, left, right) });
      left += removed.length;
      right += added.length;
      [removed, added] = [[], []];
    }
  };
  for (const part of diffArrays([...before], [...after])) {
    if (part.removed) removed.push(...part.value);
    else if (part.added) added.push(...part.value);
    else {
      flush();
      const [startLeft, startRight] = [left, right];
      const rows = part.value.map((_, index) => ({
        left: { number: startLeft + index + 1, marks: [] },
        right: { number: startRight + index + 1, marks: [] },
      }));
      blocks.push({ kind: "same", rows });
      left += rows.length;
      right += rows.length;
    }
  }
  flush();
  return blocks;
}

/** Puts the lines of one change beside each other so that in sum they are most alike, in their order. */
function pairLines(
  removed: readonly string[],
  added: readonly string[],
  left: number,
  right: number,
): readonly Row[] {
  const pairs = matchLines(removed, added);
  const rows: Row[] = [];
  let [i, j] = [0, 0];
  const plain = (number: number): SideLine => ({ number, marks: [] });
  for (const [pairLeft, pairRight] of [...pairs, [removed.length, added.length] as const]) {
    const [gone, come] = [pairLeft - i, pairRight - j];
    // What has no partner stands beside other such lines, so that a change is no longer than its longer side.
    for (let step = 0; step < Math.max(gone, come); step++)
      rows.push({
        left: step < gone ? plain(left + i + step + 1) : undefined,
        right: step < come ? plain(right + j + step + 1) : undefined,
      });
    const [old, now] = [removed[pairLeft], added[pairRight]];
    if (old !== undefined && now !== undefined) {
      const marks = markWords(old, now);
      rows.push({
        left: { number: left + pairLeft + 1, marks: marks.left },
        right: { number: right + pairRight + 1, marks: marks.right },
      });
    }
    [i, j] = [pairLeft + 1, pairRight + 1];
  }
  return rows;
}

/** Pairs of alike lines, in order: the longest common subsequence, with likeness for length. */
function matchLines(
  removed: readonly string[],
  added: readonly string[],
): readonly (readonly [number, number])[] {
  if (removed.length * added.length > MAX_PAIRS) return [];
  const likeness = removed.map((old) => added.map((now) => alike(old, now)));
  const best = Array.from({ length: removed.length + 1 }, () => new Array<number>(added.length + 1).fill(0));
  const at = (table: readonly (readonly number[])[], i: number, j: number): number => table[i]?.[j] ?? 0;
  for (let i = removed.length - 1; i >= 0; i--)
    for (let j = added.length - 1; j >= 0; j--) {
      const paired = at(likeness, i, j) >= ALIKE ? at(likeness, i, j) + at(best, i + 1, j + 1) : 0;
      best[i]![j] = Math.max(paired, at(best, i + 1, j), at(best, i, j + 1));
    }
  const pairs: [number, number][] = [];
  for (let [i, j] = [0, 0]; i < removed.length && j < added.length; ) {
    if (at(best, i, j) === at(best, i + 1, j)) i++;
    else if (at(best, i, j) === at(best, i, j + 1)) j++;
    else pairs.push([i++, j++]);
  }
  return pairs;
}

/** How much two lines share, from 0 to 1: the words in common by Dice's measure. */
function alike(old: string, now: string): number {
  const [left, right] = [wordsOf(old), wordsOf(now)];
  if (left.length + right.length === 0) return 1;
  const counts = new Map<string, number>();
  for (const word of left) counts.set(word, (counts.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of right) {
    const count = counts.get(word) ?? 0;
    if (count > 0) shared++;
    counts.set(word, count - 1);
  }
  return (2 * shared) / (left.length + right.length);
}

function wordsOf(line: string): readonly string[] {
  return line.match(/\w+|[^\w\s]/g) ?? [];
}

function markWords(old: string, now: string): { left: readonly Range[]; right: readonly Range[] } {
  const left: Range[] = [];
  const right: Range[] = [];
  let [i, j] = [0, 0];
  for (const { value, added, removed } of diffWordsWithSpace(old, now)) {
    if (removed) left.push([i, i + value.length]);
    if (added) right.push([j, j + value.length]);
    if (!added) i += value.length;
    if (!removed) j += value.length;
  }
  return { left, right };
}
