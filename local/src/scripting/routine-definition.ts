import type { CreateRoutine, RoutineArgument } from "../compiler/compiled.ts";
import type { RoutineEntry } from "../storage/entries.ts";
import { type StandardSqlType, standardSqlType, standardTypeText } from "../storage/standard-types.ts";
import type { SqlValue } from "../values.ts";

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/routines#Argument */
interface StandardArgument {
  readonly name?: string;
  readonly argumentKind?: string;
  readonly mode?: string;
  readonly isAggregate?: boolean;
  readonly dataType?: StandardSqlType;
}

/**
 * The members of a routine's resource that tell its definition
 * (https://cloud.google.com/bigquery/docs/reference/rest/v2/routines#Routine). A body that was not analyzed, as
 * `strict_mode=false` has it, is told by the statement alone.
 */
export function routineMembers({
  definition,
  javaScript,
  routine,
  text,
}: CreateRoutine): RoutineEntry["kept"] {
  const { arguments: args, body, returnColumns, returnType } = definition;
  const isAnalyzed = javaScript !== undefined || text.includes(body);
  return {
    ...(javaScript === undefined ? {} : { language: "JAVASCRIPT" }),
    ...(args.length === 0
      ? {}
      : { arguments: args.map((argument) => standardArgument(argument, routine === "AGGREGATE FUNCTION")) }),
    ...(returnType === undefined ? {} : { returnType: standardSqlType(returnType) }),
    ...(returnColumns === undefined
      ? {}
      : {
          returnTableType: {
            columns: returnColumns.map(({ name, type }) => ({ name, type: standardSqlType(type) })),
          },
        }),
    ...(isAnalyzed ? { definitionBody: body } : {}),
    ...(javaScript?.determinismLevel === undefined ? {} : { determinismLevel: javaScript.determinismLevel }),
  };
}

/** The rows of PARAMETERS for a routine, from ordinal_position on (https://cloud.google.com/bigquery/docs/information-schema-parameters). */
export function parameterRows({ kept, routineType }: RoutineEntry): SqlValue[][] {
  const hasResult = routineType === "SCALAR_FUNCTION" || routineType === "AGGREGATE_FUNCTION";
  const returnType = kept.returnType as StandardSqlType | undefined;
  const result = [
    "0",
    null,
    "YES",
    null,
    returnType === undefined ? null : standardTypeText(returnType),
    null,
    null,
  ];
  const args = (kept.arguments ?? []) as readonly StandardArgument[];
  const rows = args.map(({ name, mode, dataType }, index): SqlValue[] => [
    String(index + 1),
    mode ?? null,
    "NO",
    name ?? null,
    dataType === undefined ? "ANY TYPE" : standardTypeText(dataType),
    null,
    null,
  ]);
  return hasResult ? [result, ...rows] : rows;
}

function standardArgument(argument: RoutineArgument, ofAggregate: boolean): StandardArgument {
  const { isNotAggregate, mode, name, type } = argument;
  return {
    name,
    ...(type === undefined ? { argumentKind: "ANY_TYPE" } : { dataType: standardSqlType(type) }),
    ...(mode === undefined ? {} : { mode }),
    ...(ofAggregate && isNotAggregate ? { isAggregate: false } : {}),
  };
}
