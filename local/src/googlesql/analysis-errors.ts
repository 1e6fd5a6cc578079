import { BigQueryError, unsupported } from "../errors.ts";
import { GoogleSqlError } from "./client.ts";
import { laterFeature } from "./later-features.ts";
import type { Position } from "./parse-tree.ts";
import type { AnalysisEnv } from "./source.ts";
import { type SplitText, writtenColumn } from "./split-text.ts";

const LOCATED = /^(.*) \[at (\d+):(\d+)\]$/s;
const MISSING_TABLE = /^Table not found: (.+?)(?:; Did you mean .*)?$/s;

/** A refusal of GoogleSQL as BigQuery words it: `Unrecognized name: x at [1:8]`. */
export function toBigQueryError(error: unknown, split?: SplitText): unknown {
  if (!(error instanceof GoogleSqlError)) return error;
  const [, message = error.message, line, column] = LOCATED.exec(error.message) ?? [];
  const later = laterFeature(LOCATED.exec(error.detail)?.[1] ?? error.detail);
  if (later !== undefined) return unsupported(later);
  if (line === undefined) return new BigQueryError("invalidQuery", message, "query");
  const at = split === undefined ? Number(column) : writtenColumn(split, Number(line), Number(column));
  return new BigQueryError("invalidQuery", `${message} at [${line}:${at}]`, "query");
}

/** The path of the table that GoogleSQL did not find, if that is what the error says. */
export function missingTablePath(error: unknown): string[] | undefined {
  if (!(error instanceof GoogleSqlError)) return undefined;
  const message = LOCATED.exec(error.message)?.[1] ?? error.message;
  const written = MISSING_TABLE.exec(message)?.[1];
  if (written === undefined) return undefined;
  return [...written.matchAll(/`((?:[^`\\]|\\.)*)`|([^.`]+)/g)].map(
    ([, quoted, plain]) => quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "",
  );
}

/** BigQuery's error for a table that does not exist. */
export function tableNotFound(path: readonly string[], env: AnalysisEnv): BigQueryError {
  const defaults = [env.defaultProject, env.defaultDataset];
  if (path.length === 1 && env.defaultDataset === undefined) {
    const message = `Table "${path[0]}" must be qualified with a dataset (e.g. dataset.table).`;
    return new BigQueryError("invalid", message, path[0]);
  }
  const [project, dataset, ...table] = [...defaults.slice(0, Math.max(0, 3 - path.length)), ...path];
  const name = `${project}:${dataset}.${table.join(".")}`;
  return new BigQueryError("notFound", `Not found: Table ${name} was not found in location US`, "query");
}

/** The same error with its position moved from a statement's text to the script that the statement stands in. */
export function shiftPosition(error: unknown, origin: Position): unknown {
  if (!(error instanceof BigQueryError) || (origin.line === 1 && origin.column === 1)) return error;
  const found = /^(.*) at \[(\d+):(\d+)\]$/s.exec(error.message);
  if (found === null) return error;
  const [, message = "", line = "1", column = "1"] = found;
  const moved =
    line === "1"
      ? `${origin.line}:${Number(column) + origin.column - 1}`
      : `${Number(line) + origin.line - 1}:${column}`;
  return new BigQueryError(error.reason, `${message} at [${moved}]`, error.location, error.details);
}
