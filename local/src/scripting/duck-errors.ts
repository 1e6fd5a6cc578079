import { BigQueryError } from "../errors.ts";

const CONFLICT =
  /Conflict on |[Tt]ransaction conflict|write-write conflict|has (?:been )?(?:dropped|altered) /;
const STALE_TABLE = /Table with name t\d+ does not exist/;

/** Another transaction changed or replaced what this one works on; the same work may succeed when done again. */
export function isConflict(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof BigQueryError) return false;
  return CONFLICT.test(error.message) || STALE_TABLE.test(error.message);
}

/** What DuckDB throws when it is interrupted. */
export function isInterrupt(error: unknown): boolean {
  return error instanceof Error && /^INTERRUPT Error/.test(error.message);
}

/** BigQuery's error for a job that was cancelled. */
export function cancelledError(): BigQueryError {
  return new BigQueryError("stopped", "Job execution was cancelled: User requested cancellation");
}
