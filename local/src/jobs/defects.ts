import { BigQueryError } from "../errors.ts";

/** Told of every defect of the endpoint, with what it was doing. */
export type OnDefect = (error: unknown, what: string) => void;

/** Makes answers of failures that the endpoint itself did not foresee. */
export class DefectReporter {
  readonly #onDefect: OnDefect;

  constructor(onDefect: OnDefect) {
    this.#onDefect = onDefect;
  }

  /**
   * The error a job fails with. An unforeseen one is no 5xx: it would come again at every retry, which official clients do for
   * minutes. Of its text only the first line is told, without paths.
   */
  toBigQueryError(error: unknown, what: string): BigQueryError {
    if (error instanceof BigQueryError) return error;
    this.#onDefect(error, what);
    const text = error instanceof Error ? error.message : String(error);
    const line = (text.split("\n")[0] ?? "").replaceAll(/(?:\/[\w.@+-]+){2,}/g, "…").slice(0, 500);
    return new BigQueryError(
      "invalidQuery",
      `The local BigQuery endpoint failed to run this: ${line}`,
      "query",
    );
  }
}
