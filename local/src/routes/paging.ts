import { BigQueryError } from "../errors.ts";

/** A page token: opaque to clients, the position of the next item to us. `scope` keeps a token of one list out of another. */
export function pageToken(scope: string, position: number): string {
  return Buffer.from(JSON.stringify([scope, position])).toString("base64url");
}

/** The position a page token stands for; 0 without one. */
export function readPageToken(scope: string, token: string | undefined): number {
  if (token === undefined) return 0;
  try {
    const [tokenScope, position]: unknown[] = JSON.parse(Buffer.from(token, "base64url").toString());
    if (
      tokenScope === scope &&
      typeof position === "number" &&
      Number.isSafeInteger(position) &&
      position >= 0
    ) {
      return position;
    }
  } catch {
    // Not one of ours: told below.
  }
  throw new BigQueryError("invalid", "Invalid page token", "pageToken");
}

/** One page of a list that is in memory as a whole. */
export function pageOf<T>(
  items: readonly T[],
  scope: string,
  token: string | undefined,
  maxResults: number | undefined,
): { page: readonly T[]; nextPageToken?: string } {
  const start = readPageToken(scope, token);
  const end = start + Math.max(1, maxResults ?? 1000);
  const page = items.slice(start, end);
  return end < items.length ? { page, nextPageToken: pageToken(scope, end) } : { page };
}
