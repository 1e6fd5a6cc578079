import type { FastifyReply } from "fastify";
import type { JobRows } from "../jobs/job.ts";
import type { JsonObject } from "../jobs/json.ts";
import { type RestFormat, rowEncoder } from "../storage/rest-values.ts";
import { fieldType } from "../storage/schema.ts";

/** A page ends at so many bytes of JSON: BigQuery's answers hold 10 MB (https://cloud.google.com/bigquery/docs/paging-results). */
const MAX_PAGE_BYTES = 10 * 1024 * 1024;
const CHUNK_ROWS = 2048;

/** Rows as JSON text, and how many they are. */
export interface RowsText {
  readonly count: number;
  readonly text: string;
}

/** Reads rows from `start` on: at most `maxResults`, and no more than fit a page, but at least one. */
export async function readRows(
  rows: Pick<JobRows, "schema" | "totalRows" | "page">,
  start: number,
  maxResults: number | undefined,
  format: RestFormat,
): Promise<RowsText> {
  const encode = rowEncoder(rows.schema.map(fieldType), format);
  const wanted = Math.min(maxResults ?? Number.MAX_SAFE_INTEGER, Math.max(0, rows.totalRows - start));
  const texts: string[] = [];
  let bytes = 0;
  let full = false;
  while (texts.length < wanted && !full) {
    const page = await rows.page(start + texts.length, Math.min(CHUNK_ROWS, wanted - texts.length));
    if (page.length === 0) break;
    for (const row of page) {
      const text = encode(row);
      full = texts.length > 0 && bytes + text.length > MAX_PAGE_BYTES;
      if (full) break;
      bytes += text.length + 1;
      texts.push(text);
    }
  }
  return { count: texts.length, text: texts.join(",") };
}

/** Sends an answer whose `rows` are JSON text already: they are most of it, and are written once only. */
export function sendWithRows(
  reply: FastifyReply,
  answer: JsonObject,
  rows: RowsText | undefined,
): FastifyReply {
  const head = JSON.stringify(answer);
  const body = rows === undefined || rows.count === 0 ? head : `${head.slice(0, -1)},"rows":[${rows.text}]}`;
  return reply.type("application/json; charset=utf-8").send(body);
}
