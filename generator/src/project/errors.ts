import { DATAFORM_ADMIN, remedyOf } from "./permissions.ts";

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
  // The client's own words on several errors say less than the errors do.
  const details = /^Multiple errors occurred/.test(text) ? ((error as HttpError).errors ?? []) : [];
  const told = [...new Set(details.flatMap(({ message }) => message ?? []))].join("; ");
  return (told === "" ? text : told).replace(/\s+/g, " ").trim();
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

/** gRPC's PERMISSION_DENIED, as Dataform's client has it: https://grpc.io/docs/guides/status-codes/ */
const PERMISSION_DENIED = 7;

/** The client's words where nobody has given any credentials. */
const NO_CREDENTIALS = /could not load the default credentials/i;

/** True where nobody has given any credentials; some that are broken are another matter. */
export function lacksCredentials(error: unknown): boolean {
  return NO_CREDENTIALS.test(messageOf(error));
}

/** Turns what managed Dataform's client threw into one line that says what to do. */
export function explainDataformError(error: unknown): CommandError {
  const message = messageOf(error).replace(/\.$/, "");
  const [, right] = CREDENTIALS.find(([pattern]) => pattern.test(message)) ?? [];
  const isRefused = [PERMISSION_DENIED, 403].includes(Number(codeOf(error)));
  const remedy = right ?? (isRefused ? remedyOf(message, [DATAFORM_ADMIN]) : undefined);
  return new CommandError(`managed Dataform: ${message}${remedy === undefined ? "" : `; ${remedy}`}`, {
    cause: error,
  });
}

/** Turns what the BigQuery client threw into one line that says what to do; leaves other errors as they are. */
export function explainServiceError(error: unknown, endpoint: string | undefined): unknown {
  if (error instanceof CommandError) return error;
  const message = messageOf(error)
    .replace(/^BigQuery: /, "")
    .replace(/\.$/, "");
  const code = codeOf(error);
  const credentials = CREDENTIALS.find(([pattern]) => pattern.test(message));
  if (credentials !== undefined) {
    const [, right] = credentials;
    return new CommandError(
      `no Google Cloud credentials: ${message}; ${right}, or start \`npm run local\` and set BIGQUERY_EMULATOR_HOST to its address`,
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
    return new CommandError(`BigQuery refused access: ${message}; ${remedyOf(message)}`, { cause: error });
  }
  const remedy = remedyFor(`${reasonOf(error) ?? ""} ${message}`);
  if (isServiceError(error) && remedy !== undefined)
    return new CommandError(`BigQuery: ${message}; ${remedy}`, { cause: error });
  if (isServiceError(error)) return new CommandError(`BigQuery: ${message}`, { cause: error });
  return error;
}

const LOGIN = "run `gcloud auth application-default login`";
/** What Google's client says of credentials (google-auth-library), and of tokens that the service refuses. */
const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  [
    /GOOGLE_APPLICATION_CREDENTIALS|file at .* does not exist, or it is not a file/,
    `let GOOGLE_APPLICATION_CREDENTIALS name a key file that is whole, or unset it and ${LOGIN}`,
  ],
  [/DECODER routines|PEM routines|asn1 encoding/, "its private key cannot be read: make a new key file"],
  [NO_CREDENTIALS, LOGIN],
  [/invalid_grant|invalid_rapt|invalid authentication cred/i, LOGIN],
];

/** What to do about what BigQuery answers, by its reason and words: https://cloud.google.com/bigquery/docs/error-messages */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/not found in location/i, "set $.defaultLocation in dataform.json to where the dataset is"],
  [/quotaExceeded|rateLimitExceeded/, "wait, run less at once, or ask for a higher quota in the console"],
  [/billingNotEnabled/, "enable billing for the project in the console"],
  [
    /has not enabled BigQuery|accessNotConfigured|SERVICE_DISABLED/,
    "run `gcloud services enable bigquery.googleapis.com`",
  ],
  [
    /aborted due to concurrent update|could not serialize access/i,
    "another run was at it and nothing was changed: run it again",
  ],
  [
    // https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations
    /streaming buffer/i,
    "rows that were streamed in cannot be deleted for up to 90 minutes, and nothing was changed: run it again then",
  ],
  [/notFound.*Not found: Project/, "look at $.defaultDatabase in dataform.json: it is a project's id"],
  [/notFound.*Not found: (Dataset|Table)/, "run `npm run init`"],
];

/** What to do about what BigQuery said, where that is known. */
export function remedyFor(said: string): string | undefined {
  return REMEDIES.find(([pattern]) => pattern.test(said))?.[1];
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
