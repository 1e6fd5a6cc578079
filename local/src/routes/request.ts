import type { z } from "zod";
import { BigQueryError } from "../errors.ts";

/** Query parameters as Fastify parses them: a repeated one is an array. */
export type RawQuery = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A text query parameter; of a repeated one the last. Empty counts as absent. */
export function textParam(query: RawQuery, name: string): string | undefined {
  const value = query[name];
  const last = typeof value === "string" || value === undefined ? value : value.at(-1);
  return last === "" ? undefined : last;
}

/** A repeatable text query parameter; commas separate values as well. */
export function listParam(query: RawQuery, name: string): string[] {
  const value = query[name];
  const values = value === undefined ? [] : typeof value === "string" ? [value] : value;
  return values.flatMap((text) => text.split(",")).filter((text) => text !== "");
}

/** A boolean query parameter. */
export function boolParam(query: RawQuery, name: string): boolean {
  const text = textParam(query, name);
  if (text === undefined) return false;
  if (/^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return false;
  throw invalidValue(name, text, "a boolean");
}

/** An unsigned integer query parameter. */
export function uintParam(query: RawQuery, name: string): number | undefined {
  const text = textParam(query, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw invalidValue(name, text, "an unsigned integer");
  return value;
}

function invalidValue(name: string, text: string, wanted: string): BigQueryError {
  return new BigQueryError(
    "invalid",
    `Invalid value for parameter ${name}: "${text}" is not ${wanted}.`,
    name,
  );
}

/** Checks a request body; the first thing wrong is told with its JSON path, as Google's APIs do. */
export function readBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join(".") ?? "";
  throw new BigQueryError(
    "invalid",
    path === ""
      ? `Invalid JSON payload received. ${issue?.message ?? ""}`
      : `Invalid value at '${path}': ${issue?.message ?? ""}`,
    path === "" ? undefined : path,
  );
}

/** A feature of the REST API that this endpoint has not: refused by its name. */
export function notSupported(feature: string, location?: string): BigQueryError {
  return new BigQueryError("invalid", `Not supported by the local BigQuery endpoint: ${feature}`, location);
}
