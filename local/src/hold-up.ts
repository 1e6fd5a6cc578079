/**
 * DuckDB calls the functions of ours on the event loop, some two thousand rows at a time, and while one computes no client is answered.
 * Whoever can do its work in another way says so by `impatiently`: then a call that takes too long fails, and the work is done again with
 * these functions in threads of their own (see `compiler/late/calls.ts`).
 */
const LONGEST_MS = 50;
/** What the arguments of a row may weigh before it is even begun: about as many characters. */
const HEAVIEST = 1_000_000;
/** A row of short arguments, in the same measure. */
const ROW = 1_000;
/** After how much the clock is looked at. */
const UNWATCHED = 16_000;

/** The message of a call that has taken too long. */
export const HELD_UP = "a function of the endpoint's own holds up the event loop";

/** What a call throws that has taken too long. */
export class HeldUp {}

/** How much work is under way of which kind. */
const underWay = { impatient: 0, patient: 0 };

async function counted<T>(kind: keyof typeof underWay, work: () => Promise<T>): Promise<T> {
  underWay[kind] += 1;
  try {
    return await work();
  } finally {
    underWay[kind] -= 1;
  }
}

/** Does work that can be done again where a call takes too long. */
export function impatiently<T>(work: () => Promise<T>): Promise<T> {
  return counted("impatient", work);
}

/** Does work whose calls may take as long as they take. */
export function patiently<T>(work: () => Promise<T>): Promise<T> {
  return counted("patient", work);
}

/** Whether work failed because a call has taken too long. */
export function isHeldUp(error: unknown): boolean {
  return error instanceof Error && error.message.includes(HELD_UP);
}

/** To be told the arguments of each row of a call; absent where the call may take its time: whose it is nobody can tell. */
export function startWatch(): ((values: readonly unknown[]) => void) | undefined {
  if (underWay.impatient === 0 || underWay.patient > 0) return undefined;
  const end = performance.now() + LONGEST_MS;
  let unwatched = 0;
  return (values) => {
    let weight = ROW;
    for (const value of values) weight += weightOf(value);
    if (weight > HEAVIEST) throw new HeldUp();
    unwatched += weight;
    if (unwatched < UNWATCHED) return;
    if (performance.now() > end) throw new HeldUp();
    unwatched = 0;
  };
}

/** What a value weighs in characters. */
export function weightOf(value: unknown): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  if (!Array.isArray(value)) return 1;
  let weight = 1;
  for (const item of value) weight += weightOf(item);
  return weight;
}
