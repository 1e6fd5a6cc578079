import type { FastifyInstance } from "fastify";
import { BigQueryError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../jobs/json.ts";
import { type RawQuery, textParam } from "./request.ts";

/** The members of an answer that are wanted, each with what is wanted of it; `all` takes it as a whole. */
interface FieldMask {
  all: boolean;
  readonly members: Map<string, FieldMask>;
}

/** Nesting beyond which a selection is refused: BigQuery's resources are not as deep. */
const MAX_DEPTH = 100;

/**
 * Partial responses: `fields=a,b/c,d(e,f),g/*` leaves only those members of an answer
 * (https://cloud.google.com/bigquery/docs/api-performance#partial-response). A member that the answer does not have is left
 * out in silence; errors are told in full. Ours and no library's: json-mask, which has this syntax, takes only the last of
 * `items/id,items/kind` and reads whatever it is given, so that a mistyped selection would answer `{}`.
 */
export function addPartialResponses(app: FastifyInstance): void {
  app.addHook("preHandler", async (request) => {
    // Wrong syntax is told before anything is done.
    const text = selectionOf(request.query as RawQuery);
    if (text !== undefined) parseFieldMask(text);
  });
  app.addHook("onSend", async (request, reply, payload) => {
    const text = selectionOf(request.query as RawQuery);
    if (text === undefined || typeof payload !== "string" || !payload.startsWith("{")) return payload;
    if (reply.statusCode >= 300) return payload;
    return JSON.stringify(applyMask(JSON.parse(payload), parseFieldMask(text)));
  });
}

function selectionOf(query: RawQuery): string | undefined {
  return textParam(query, "fields") ?? textParam(query, "$fields");
}

/** Reads a selection; `/` and `.` both lead into a member. */
export function parseFieldMask(text: string): FieldMask {
  const tokens = text.match(/[^\s,()/.]+|[,()/.]/g) ?? [];
  let next = 0;
  const list = (into: FieldMask, depth: number): void => {
    do {
      path(into, depth);
    } while (tokens[next] === "," && next++ >= 0);
  };
  const path = (into: FieldMask, depth: number): void => {
    const name = tokens[next++];
    if (name === undefined || /^[,()/.]$/.test(name) || depth > MAX_DEPTH) throw invalidSelection(text);
    const member = memberOf(into, name);
    const token = tokens[next];
    if (token === "/" || token === ".") {
      next++;
      path(member, depth + 1);
    } else if (token === "(") {
      next++;
      list(member, depth + 1);
      if (tokens[next++] !== ")") throw invalidSelection(text);
    } else {
      member.all = true;
    }
  };
  const mask: FieldMask = { all: false, members: new Map() };
  list(mask, 0);
  if (next < tokens.length) throw invalidSelection(text);
  return mask;
}

function memberOf(mask: FieldMask, name: string): FieldMask {
  const known = mask.members.get(name);
  if (known !== undefined) return known;
  const member: FieldMask = { all: false, members: new Map() };
  mask.members.set(name, member);
  return member;
}

/** What a mask leaves of a value: lists are cut element by element, and a text has no members. */
export function applyMask(value: unknown, mask: FieldMask): unknown {
  if (mask.all) return value;
  if (Array.isArray(value)) return value.map((item) => applyMask(item, mask)).filter(isPresent);
  if (!isJsonObject(value)) return undefined;
  const cut: JsonObject = {};
  const others = mask.members.get("*");
  for (const [name, member] of Object.entries(value)) {
    const wanted = mask.members.get(name) ?? others;
    const left = wanted === undefined ? undefined : applyMask(member, wanted);
    if (left !== undefined) cut[name] = left;
  }
  return cut;
}

function isPresent(value: unknown): boolean {
  return value !== undefined;
}

function invalidSelection(text: string): BigQueryError {
  return new BigQueryError("invalid", `Invalid field selection ${text.slice(0, 200)}`, "fields");
}
