/** The reasons of https://cloud.google.com/bigquery/docs/error-messages that this endpoint gives. */
export type ErrorReason =
  | "invalid"
  | "invalidQuery"
  | "notFound"
  | "duplicate"
  | "resourceInUse"
  | "notImplemented"
  | "required"
  | "stopped"
  | "backendError"
  | "internalError"
  | "rateLimitExceeded"
  | "resourcesExceeded"
  | "responseTooLarge"
  | "jobRateLimitExceeded"
  | "bytesBilledLimitExceeded"
  | "conditionNotMet"
  | "uploadTooLarge"
  | "forbidden";

const STATUS: Record<ErrorReason, number> = {
  invalid: 400,
  invalidQuery: 400,
  required: 400,
  // Documented as 501; official clients take any 5xx for a passing fault and retry it, which a missing feature is not.
  notImplemented: 400,
  resourcesExceeded: 400,
  notFound: 404,
  duplicate: 409,
  resourceInUse: 400,
  stopped: 499,
  backendError: 503,
  internalError: 500,
  rateLimitExceeded: 403,
  responseTooLarge: 403,
  jobRateLimitExceeded: 400,
  bytesBilledLimitExceeded: 400,
  conditionNotMet: 412,
  uploadTooLarge: 413,
  forbidden: 403,
};

/** BigQuery's ErrorProto. */
export interface ErrorProto {
  reason: string;
  location?: string;
  message: string;
}

/** An error that a client may see, in BigQuery's shape; anything else thrown is a defect of the endpoint. */
export class BigQueryError extends Error {
  constructor(
    readonly reason: ErrorReason,
    message: string,
    /** What the reason refers to: "query", a parameter, a field. */
    readonly location?: string,
    readonly details: readonly ErrorProto[] = [],
  ) {
    super(message);
    this.name = "BigQueryError";
  }

  /** The HTTP status that carries this reason. */
  get status(): number {
    return STATUS[this.reason];
  }

  /** The error as it stands in `errors[]` and in a job's `status.errorResult`. */
  toProto(): ErrorProto {
    return {
      reason: this.reason,
      ...(this.location === undefined ? {} : { location: this.location }),
      message: this.message,
    };
  }
}

/** A construct that this endpoint does not run, refused by its name rather than approximated. */
export function unsupported(construct: string): BigQueryError {
  return new BigQueryError(
    "invalidQuery",
    `Not supported by the local BigQuery endpoint: ${construct}`,
    "query",
  );
}
