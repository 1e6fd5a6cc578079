import { BigQueryError, type ErrorProto } from "../../errors.ts";

const PREFIX = "Error while reading data, error message: ";
/** As many as BigQuery shows. */
const MAX_SHOWN = 5;

/** Counts the records of a load that cannot be read, and ends it where there are more than the job allows. */
export class BadRecords {
  readonly #format: "JSON" | "CSV";
  readonly #allowed: number;
  readonly #shown: ErrorProto[] = [];
  #count = 0;

  constructor(format: "JSON" | "CSV", allowed: number) {
    this.#format = format;
    this.#allowed = allowed;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** The first of them. */
  get shown(): readonly ErrorProto[] {
    return this.#shown;
  }

  /** Notes one; `row` is its number, from 1. Throws where it is one too many. */
  add(message: string, row: number): void {
    this.#count += 1;
    if (this.#shown.length < MAX_SHOWN)
      this.#shown.push({ reason: "invalid", message: `${PREFIX}${message}` });
    if (this.#count <= this.#allowed) return;
    const counts = `giving up. Rows: ${row}; errors: ${this.#count}`;
    const summary = `${PREFIX}${this.#format} table encountered too many errors, ${counts}. Please look into the errors[] collection for more details.`;
    const detail = `${PREFIX}${this.#format} processing encountered too many errors, ${counts}; max bad: ${this.#allowed}; error percent: 0`;
    throw new BigQueryError("invalid", summary, undefined, [
      { reason: "invalid", message: summary },
      { reason: "invalid", message: detail },
      ...this.#shown,
    ]);
  }
}

/** A load that fails as a whole. */
export function loadError(message: string): BigQueryError {
  return new BigQueryError("invalid", `${PREFIX}${message}`);
}
