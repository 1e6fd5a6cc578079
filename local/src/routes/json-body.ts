import { BigQueryError } from "../errors.ts";

/**
 * How deep a request's JSON may nest. BigQuery's own limit is 100 messages; a list and the message in it count as two here, and
 * nothing in the REST reference comes near.
 */
const MAX_DEPTH = 300;

/** The JSON object that a request's body is; undefined where it is empty. */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  checkDepth(body);
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : "not JSON";
    throw new BigQueryError("invalid", `Invalid JSON payload received. ${why.slice(0, 200)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BigQueryError("invalid", "Invalid JSON payload received. Root element must be a message.");
  }
  return value;
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [...Buffer.from('"\\[]{}')];

/** Whatever looks into a value calls itself for what is in it, and would run out of stack. */
function checkDepth(body: Buffer): void {
  let depth = 0;
  let isText = false;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index];
    if (isText) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
    if (depth > MAX_DEPTH) {
      throw new BigQueryError("invalid", "Invalid JSON payload received. Message too deep.");
    }
  }
}
