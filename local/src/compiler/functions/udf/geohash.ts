import type { Position } from "./wkt.ts";

const DIGITS = "0123456789bcdefghjkmnpqrstuvwxyz";
const BITS = 5;

interface Range {
  low: number;
  high: number;
}

function ranges(): readonly [Range, Range] {
  return [
    { low: -180, high: 180 },
    { low: -90, high: 90 },
  ];
}

/** The geohash of a position (https://en.wikipedia.org/wiki/Geohash), of so many characters. */
export function geohash(position: Position, length: number): string {
  const box = ranges();
  return Array.from({ length }, (_, place) => {
    let digit = 0;
    for (let bit = 0; bit < BITS; bit++) {
      // Longitude and latitude take turns.
      const axis = (place * BITS + bit) % 2 === 0 ? 0 : 1;
      const range = box[axis];
      const middle = (range.low + range.high) / 2;
      const isUpper = position[axis] >= middle;
      digit = digit * 2 + (isUpper ? 1 : 0);
      if (isUpper) range.low = middle;
      else range.high = middle;
    }
    return DIGITS[digit];
  }).join("");
}

/** The middle of the box that a geohash names; undefined where the text is none. */
export function geohashMiddle(hash: string): Position | undefined {
  const box = ranges();
  let turn = 0;
  for (const character of hash) {
    const digit = DIGITS.indexOf(character);
    if (digit < 0) return undefined;
    for (let bit = BITS - 1; bit >= 0; bit--) {
      const range = box[turn++ % 2 === 0 ? 0 : 1];
      const middle = (range.low + range.high) / 2;
      if (((digit >> bit) & 1) === 1) range.low = middle;
      else range.high = middle;
    }
  }
  const [x, y] = box;
  return hash === "" ? undefined : [(x.low + x.high) / 2, (y.low + y.high) / 2];
}
