import { BigQueryError, unsupported } from "../../errors.ts";

/** A part of a job's configuration as the client wrote it. */
export type Body = Readonly<Record<string, unknown>>;

/** An object member, or undefined where there is none. */
export function record(value: unknown): Body | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value))
    throw invalid("Invalid load configuration: not an object");
  return value as Body;
}

/** A text member. */
export function text(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw invalid(`Invalid value for ${name}: it must be a string`);
  return value;
}

/** A member that is a list of texts. */
export function texts(value: unknown, name: string): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value as string[];
  throw invalid(`Invalid value for ${name}: it must be an array of strings`);
}

/** A boolean member; absent is false. */
export function flag(body: Body, name: string): boolean {
  return body[name] === true || body[name] === "true";
}

/** A whole number that is not negative; absent is 0. */
export function count(body: Body, name: string): number {
  const value = body[name];
  if (value === undefined || value === null) return 0;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0)
    throw invalid(`Invalid value for ${name}: ${String(value)}`);
  return number;
}

/** One of several words; `known` says that BigQuery has others, which are refused by name. */
export function choice<T extends string>(
  body: Body,
  name: string,
  allowed: readonly T[],
  otherwise: T,
  known = false,
): T {
  const value = text(body, name);
  if (value === undefined || value === "") return otherwise;
  const found = allowed.find((item) => item === value.toUpperCase());
  if (found !== undefined) return found;
  if (known && ["AVRO", "ORC", "DATASTORE_BACKUP"].includes(value)) throw unsupported(`${name} ${value}`);
  throw invalid(`Invalid value for ${name}: ${value} is not a valid value`);
}

/** The error of a configuration that makes no sense. */
export function invalid(message: string): BigQueryError {
  return new BigQueryError("invalid", message);
}
