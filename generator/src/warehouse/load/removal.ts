import type { Warehouse } from "../client.ts";
import type { LoadTarget } from "./target.ts";

/** The first and the last of some rows' ingest timestamps, in microseconds since 1970. */
export interface TimeSpan {
  readonly first: bigint;
  readonly last: bigint;
}

/** Gathers the span of times, row by row; a row without a time that can be told makes it unknown for good. */
export class SpanOfTimes {
  #span: TimeSpan | undefined;
  #isKnown = true;

  add(value: unknown): void {
    if (!this.#isKnown) return;
    const time = typeof value === "string" ? microsecondsOf(value) : undefined;
    if (time === undefined) this.#isKnown = false;
    else if (this.#span === undefined) this.#span = { first: time, last: time };
    else {
      const { first, last } = this.#span;
      this.#span = { first: time < first ? time : first, last: time > last ? time : last };
    }
  }

  /** Undefined where there is no row, or one whose time cannot be told. */
  get span(): TimeSpan | undefined {
    return this.#isKnown ? this.#span : undefined;
  }
}

/** A TIMESTAMP as BigQuery's canonical form writes it, in microseconds; undefined for its rarer forms. */
export function microsecondsOf(text: string): bigint | undefined {
  const form = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?)? ?(Z|z|UTC|[+-]\d\d:\d\d)?$/.exec(
    text.trim(),
  );
  if (form === null) return undefined;
  const [, day = "", clock = "00:00:00", fraction = "", zone = "Z"] = form;
  const milliseconds = Date.parse(`${day}T${clock}${/^[+-]/.test(zone) ? zone : "Z"}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return BigInt(milliseconds) * 1000n + BigInt(fraction.padEnd(6, "0"));
}

/**
 * The statement that removes exactly the rows of a load that has just ended: by their ingest timestamps, where as many rows of the
 * table have one between the first and the last as were loaded. Undefined where no statement tells them from other rows.
 */
export async function removalOf(
  warehouse: Warehouse,
  target: LoadTarget,
  span: TimeSpan | undefined,
  rows: number,
): Promise<string | undefined> {
  if (span === undefined || target.ingestTimestamp === undefined) return undefined;
  const table = `\`${warehouse.project.projectId}.${target.dataset}.${target.table}\``;
  const condition = `\`${target.ingestTimestamp}\` BETWEEN ${literal(span.first)} AND ${literal(span.last)}`;
  const query = `SELECT COUNT(*) AS row_count FROM ${table} WHERE ${condition}`;
  const [found] = await warehouse.client.query({ query });
  return Number((found as { row_count: unknown }[])[0]?.row_count) === rows
    ? `DELETE FROM ${table} WHERE ${condition}`
    : undefined;
}

function literal(microseconds: bigint): string {
  const [millis, micros] = [microseconds / 1000n, microseconds % 1000n];
  const [whole, rest] = micros < 0n ? [millis - 1n, micros + 1000n] : [millis, micros];
  const text = new Date(Number(whole)).toISOString().replace("T", " ").replace("Z", "");
  return `TIMESTAMP '${text}${rest.toString().padStart(3, "0")}+00'`;
}
