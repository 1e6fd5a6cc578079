import type { SqlType } from "../types.ts";
import type { ChildOutcome, JobOutcome } from "./job.ts";
import type { JsonObject } from "./json.ts";
import type { ChildJob, QueryOutcome } from "./ports.ts";

/** What a query's outcome adds to its job's resource. */
export function queryJobOutcome(outcome: QueryOutcome, dryRun: boolean): JobOutcome {
  const children = outcome.children ?? [];
  const isScript = outcome.statementType === "SCRIPT";
  return {
    statistics: {
      totalBytesProcessed: String(outcome.bytesProcessed),
      totalSlotMs: "0",
      ...(isScript && children.length > 0 ? { numChildJobs: String(children.length) } : {}),
      ...(outcome.sessionId === undefined ? {} : { sessionInfo: { sessionId: outcome.sessionId } }),
      query: queryStatistics(outcome, dryRun),
    },
    ...(outcome.rows === undefined ? {} : { rows: outcome.rows }),
    ...(outcome.schema === undefined ? {} : { schema: outcome.schema }),
    children: children.map(childOutcome),
  };
}

/** `statistics.query` (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2). */
function queryStatistics(outcome: QueryOutcome, dryRun: boolean): JsonObject {
  const { dml, ddlTarget } = outcome;
  const tables = outcome.referencedTables ?? [];
  const affected =
    outcome.numDmlAffectedRows ?? (dml === undefined ? undefined : dml.inserted + dml.updated + dml.deleted);
  return {
    statementType: outcome.statementType,
    totalBytesProcessed: String(outcome.bytesProcessed),
    totalBytesBilled: dryRun ? "0" : String(outcome.bytesBilled),
    ...(dryRun
      ? { totalBytesProcessedAccuracy: outcome.bytesAccuracy ?? "PRECISE" }
      : { billingTier: 1, totalSlotMs: "0" }),
    cacheHit: false,
    ...(tables.length === 0 ? {} : { referencedTables: tables }),
    ...(outcome.schema === undefined ? {} : { schema: { fields: outcome.schema } }),
    ...(affected === undefined || dryRun ? {} : { numDmlAffectedRows: String(affected) }),
    ...(dml === undefined || dryRun
      ? {}
      : {
          dmlStats: {
            insertedRowCount: String(dml.inserted),
            updatedRowCount: String(dml.updated),
            deletedRowCount: String(dml.deleted),
          },
        }),
    ...(outcome.ddlOperation === undefined ? {} : { ddlOperationPerformed: outcome.ddlOperation }),
    ...(ddlTarget === undefined ? {} : { ddlTargetTable: ddlTarget }),
    ...(outcome.undeclaredParameters === undefined
      ? {}
      : {
          undeclaredQueryParameters: outcome.undeclaredParameters.map((parameter) => ({
            ...(parameter.name === undefined ? {} : { name: parameter.name }),
            parameterType: typeJson(parameter.type),
          })),
        }),
  };
}

function childOutcome(child: ChildJob): ChildOutcome {
  const outcome = child.outcome === undefined ? undefined : queryJobOutcome(child.outcome, false);
  return {
    sql: child.sql,
    ...(child.outcome?.writtenTable === undefined ? {} : { writtenTable: child.outcome.writtenTable }),
    startTime: child.startTime,
    endTime: child.endTime,
    ...(child.error === undefined ? {} : { error: child.error }),
    ...(outcome === undefined
      ? {}
      : {
          outcome: {
            ...outcome,
            statistics: {
              ...outcome.statistics,
              // https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#ScriptStackFrame
              scriptStatistics: {
                evaluationKind: child.isExpression ? "EXPRESSION" : "STATEMENT",
                stackFrames: child.stackFrames,
              },
            },
          },
        }),
  };
}

function typeJson(type: SqlType): JsonObject {
  if (type.kind === "ARRAY") return { type: "ARRAY", arrayType: typeJson(type.element) };
  if (type.kind === "RANGE") return { type: "RANGE", rangeElementType: typeJson(type.element) };
  if (type.kind !== "STRUCT") return { type: type.kind };
  return {
    type: "STRUCT",
    structTypes: type.fields.map((field) => ({ name: field.name, type: typeJson(field.type) })),
  };
}
