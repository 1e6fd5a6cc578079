import type { RoutineEntry } from "../storage/entries.ts";
import { type StandardSqlType, standardTypeText } from "../storage/standard-types.ts";
import type { SqlType } from "../types.ts";
import type { SqlValue } from "../values.ts";

const STRING: SqlType = { kind: "STRING" };
const TIMESTAMP: SqlType = { kind: "TIMESTAMP" };

/** https://cloud.google.com/bigquery/docs/information-schema-routines#schema */
export const routineColumns: readonly (readonly [name: string, type: SqlType])[] = [
  ["specific_catalog", STRING],
  ["specific_schema", STRING],
  ["specific_name", STRING],
  ["routine_catalog", STRING],
  ["routine_schema", STRING],
  ["routine_name", STRING],
  ["routine_type", STRING],
  ["data_type", STRING],
  ["routine_body", STRING],
  ["routine_definition", STRING],
  ["external_language", STRING],
  ["is_deterministic", STRING],
  ["security_type", STRING],
  ["created", TIMESTAMP],
  ["last_altered", TIMESTAMP],
  ["ddl", STRING],
  ["connection", STRING],
];

const TYPES: Readonly<Record<RoutineEntry["routineType"], string>> = {
  SCALAR_FUNCTION: "FUNCTION",
  AGGREGATE_FUNCTION: "AGGREGATE FUNCTION",
  TABLE_VALUED_FUNCTION: "TABLE FUNCTION",
  PROCEDURE: "PROCEDURE",
};

const DETERMINISTIC: Readonly<Record<string, string>> = { DETERMINISTIC: "YES", NOT_DETERMINISTIC: "NO" };

/** The rows of ROUTINES for these routines. */
export function routineRows(routines: readonly RoutineEntry[]): SqlValue[][] {
  return routines.map((entry) => {
    const name = [entry.projectId, entry.datasetId, entry.routineId];
    const { returnType, language, definitionBody, determinismLevel } = entry.kept;
    const isExternal = language === "JAVASCRIPT";
    return [
      ...name,
      ...name,
      TYPES[entry.routineType],
      returnType === undefined ? null : standardTypeText(returnType as StandardSqlType),
      isExternal ? "EXTERNAL" : "SQL",
      String(definitionBody ?? entry.text ?? "") || null,
      isExternal ? "JAVASCRIPT" : null,
      DETERMINISTIC[String(determinismLevel)] ?? null,
      null,
      BigInt(entry.creationTime) * 1000n,
      BigInt(entry.lastModifiedTime) * 1000n,
      entry.text ?? null,
      null,
    ];
  });
}
