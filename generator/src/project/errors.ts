/** What stopped a command, in words its user can act on; anything else that is thrown is a bug. */
export class CommandError extends Error {
  /** Whether it failed or is stale, or was called with what it does not know. */
  readonly kind: "failed" | "wrong usage";

  constructor(message: string, options: { kind?: CommandError["kind"]; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "CommandError";
    this.kind = options.kind ?? "failed";
  }
}

/** A command called with arguments it does not know. */
export function wrongUsage(message: string): CommandError {
  return new CommandError(message, { kind: "wrong usage" });
}

interface HttpError {
  message: string;
  code?: number | string;
  errors?: { reason?: string; message?: string; location?: string }[];
  status?: number;
}

/** The message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, " ").trim();
}

/** The HTTP status or transport code of a failed request (404, "ECONNREFUSED"), if it has one. */
export function codeOf(error: unknown): number | string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, status } = error as HttpError;
  return code ?? status;
}

/** True when the service answered that what was asked for does not exist. */
export function isNotFound(error: unknown): boolean {
  return codeOf(error) === 404;
}

/** Nothing answers at the address of the local endpoint. */
export function unreachable(endpoint: string | undefined, cause: unknown): CommandError {
  return new CommandError(
    `nothing answers at ${endpoint ?? "BigQuery's address"}: start \`npm run local\`, or unset BIGQUERY_EMULATOR_HOST to use BigQuery itself`,
    { cause },
  );
}

/** Turns what the BigQuery client threw into one line that says what to do; leaves other errors as they are. */
export function explainServiceError(error: unknown, endpoint: string | undefined): unknown {
  if (error instanceof CommandError) return error;
  const message = messageOf(error);
  const code = codeOf(error);
  if (/could not load the default credentials/i.test(message)) {
    return new CommandError(
      "no Google Cloud credentials: run `gcloud auth application-default login`, or start `npm run local` and set BIGQUERY_EMULATOR_HOST to its address",
      { cause: error },
    );
  }
  if (code === "ECONNREFUSED" || /ECONNREFUSED/.test(message)) return unreachable(endpoint, error);
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT/.test(message)) {
    return new CommandError(
      `cannot reach ${endpoint ?? "BigQuery"}: ${message}; check the network, or set BIGQUERY_EMULATOR_HOST to a local endpoint (\`npm run local\`)`,
      { cause: error },
    );
  }
  // 403 is also what quotas and billing answer: https://cloud.google.com/bigquery/docs/error-messages
  if (code === 403 && (reasonOf(error) ?? "accessDenied") === "accessDenied") {
    return new CommandError(
      `BigQuery refused access: ${message}; grant BigQuery Data Editor and BigQuery Job User`,
      {
        cause: error,
      },
    );
  }
  if (isServiceError(error)) return new CommandError(`BigQuery: ${message}`, { cause: error });
  return error;
}

function reasonOf(error: unknown): string | undefined {
  return (error as HttpError).errors?.[0]?.reason;
}

function isServiceError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errors } = error as Error & HttpError;
  return (
    Array.isArray(errors) || typeof code === "number" || (typeof code === "string" && /^E[A-Z]+$/.test(code))
  );
}
