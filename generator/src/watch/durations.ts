import { wrongUsage } from "../project/errors.ts";

const UNITS: readonly (readonly [seconds: number, short: string, words: RegExp])[] = [
  [86_400, "d", /^(d|days?)$/],
  [3600, "h", /^(h|hours?)$/],
  [60, "min", /^(m|min|minutes?)$/],
  [1, "s", /^(s|sec|seconds?)$/],
];

/** The units of time as an axis counts them, by their seconds, the smallest first. */
export const TIME_UNITS = UNITS.map(([seconds, short]) => [seconds, short] as const).reverse();

/** Seconds as people say them, in the largest unit that they fill: `3 h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0) return "none";
  const [size, short] = UNITS.find(([unit]) => seconds >= unit) ?? [1, "s"];
  return `${Math.floor(seconds / size)} ${short}`;
}

/** Seconds of a time such as `2h`, `90 min` or `1 day`; throws for the option that it was given to. */
export function parseDuration(text: string, option: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) *([a-z]+)$/.exec(text.trim().toLowerCase()) ?? [];
  const size = UNITS.find(([, , words]) => words.test(unit))?.[0];
  if (number === undefined || size === undefined)
    throw wrongUsage(`${option} ${text}: expected a time such as 2h, 90min or 1d`);
  return Number(number) * size;
}
