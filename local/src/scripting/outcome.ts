import type { CompiledStatement } from "../compiler/compiled.ts";
import type { QueryOutcome } from "../jobs/ports.ts";
import { schemaOfColumns } from "../storage/schema.ts";
import type { TableRef } from "../types.ts";
import { readsOf } from "./prepare.ts";
import type { BytesRead } from "./read-bytes.ts";

/** The names that BigQuery gives statements: https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2 */
export function statementType(compiled: CompiledStatement): string {
  switch (compiled.kind) {
    case "query":
      return "SELECT";
    case "dml":
      return compiled.verb;
    case "create-table":
      if (compiled.from?.how === "snapshot") return "CREATE_SNAPSHOT_TABLE";
      if (compiled.from !== undefined)
        return compiled.from.how === "like" ? "CREATE_TABLE" : "CREATE_TABLE_COPY";
      return compiled.asSelect === undefined ? "CREATE_TABLE" : "CREATE_TABLE_AS_SELECT";
    case "create-view":
      return compiled.materialized ? "CREATE_MATERIALIZED_VIEW" : "CREATE_VIEW";
    case "drop":
      return `DROP_${compiled.object.replaceAll(" ", "_")}`;
    case "create-schema":
      return "CREATE_SCHEMA";
    case "alter":
      return `ALTER_${compiled.object.replaceAll(" ", "_")}`;
    case "assert":
      return "ASSERT";
    case "create-routine":
      return `CREATE_${compiled.routine.replaceAll(" ", "_")}`;
  }
}

/** The tables a statement refers to, each once. */
export function referencedTables(compiled: CompiledStatement): TableRef[] {
  const tables = new Map(readsOf(compiled).map(({ table }) => [JSON.stringify(table), table]));
  return [...tables.values()].filter(({ tableId }) => !tableId.startsWith("INFORMATION_SCHEMA."));
}

/** What a dry run says of a statement. */
export function dryRunOutcome(compiled: CompiledStatement, bytes: BytesRead): QueryOutcome {
  const query = compiled.kind === "query" ? compiled : undefined;
  return {
    statementType: statementType(compiled),
    schema: query === undefined ? undefined : schemaOfColumns(query.columns),
    referencedTables: referencedTables(compiled),
    bytesProcessed: bytes.processed,
    bytesBilled: bytes.billed,
  };
}
