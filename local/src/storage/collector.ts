import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What so many statements leave behind is some tens of megabytes. */
const STATEMENTS = 1_000;

/**
 * Has V8 free what DuckDB's results hold. Nothing else frees them, and V8 does not know how large they are: it sees a few small
 * objects, and lets hundreds of megabytes stand.
 */
export class Collector {
  #statements = 0;
  #collect: (() => void) | undefined;

  /** Tells of one more use of a connection. */
  count(): void {
    this.#statements += 1;
    if (this.#statements < STATEMENTS) return;
    this.#statements = 0;
    this.#collect ??= collectorOf();
    setImmediate(this.#collect);
  }
}

function collectorOf(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
