import type { SqlType } from "../types.ts";
import { appendedColumns } from "./appended-columns.ts";
import type { Message } from "./client.ts";
import type { TreeNode } from "./tree.ts";
import { toTypeProto } from "./types.ts";

const APPENDS = "appends";
const TIMESTAMP: SqlType = { kind: "TIMESTAMP" };

function time(argumentName: string): Message {
  return {
    kind: "ARG_TYPE_FIXED",
    type: toTypeProto(TIMESTAMP),
    numOccurrences: 1,
    options: { cardinality: "OPTIONAL", argumentName },
  };
}

/** APPENDS as a catalog takes it: https://cloud.google.com/bigquery/docs/reference/standard-sql/time-series-functions#appends */
export const APPENDS_FUNCTION: Message = {
  namePath: [APPENDS],
  type: "FORWARD_INPUT_SCHEMA_TO_OUTPUT_SCHEMA_WITH_APPENDED_COLUMNS",
  customContext: appendedColumns([
    { name: "_CHANGE_TYPE", type: { kind: "STRING" } },
    { name: "_CHANGE_TIMESTAMP", type: { kind: "TIMESTAMP" } },
  ]),
  signature: {
    argument: [
      { kind: "ARG_TYPE_RELATION", numOccurrences: 1 },
      time("start_timestamp"),
      time("end_timestamp"),
    ],
    returnType: { kind: "ARG_TYPE_RELATION", numOccurrences: 1 },
  },
};

/** Whether a scan is a call of APPENDS. */
export function isAppends(scan: TreeNode): boolean {
  return scan.kind === "TVFScan" && (scan.tvf as { name?: string } | undefined)?.name === APPENDS;
}
