import type { CreateRoutine, RoutineArgument } from "../compiler/compiled.ts";
import type { RoutineEntry } from "../storage/entries.ts";
import type { SqlType } from "../types.ts";
import type { SqlValue } from "../values.ts";

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/StandardSqlDataType */
interface StandardType {
  readonly typeKind: string;
  readonly arrayElementType?: StandardType;
  readonly structType?: {
    readonly fields?: readonly { readonly name?: string; readonly type: StandardType }[];
  };
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/routines#Argument */
interface StandardArgument {
  readonly name?: string;
  readonly argumentKind?: string;
  readonly mode?: string;
  readonly isAggregate?: boolean;
  readonly dataType?: StandardType;
}

/**
 * The members of a routine's resource that tell its definition
 * (https://cloud.google.com/bigquery/docs/reference/rest/v2/routines#Routine). A body that was not analyzed, as
 * `strict_mode=false` has it, is told by the statement alone.
 */
export function routineMembers({ definition, routine, text }: CreateRoutine): RoutineEntry["kept"] {
  const { arguments: args, body, returnColumns, returnType } = definition;
  return {
    ...(args.length === 0
      ? {}
      : { arguments: args.map((argument) => standardArgument(argument, routine === "AGGREGATE FUNCTION")) }),
    ...(returnType === undefined ? {} : { returnType: standardType(returnType) }),
    ...(returnColumns === undefined
      ? {}
      : {
          returnTableType: {
            columns: returnColumns.map(({ name, type }) => ({ name, type: standardType(type) })),
          },
        }),
    ...(text.includes(body) ? { definitionBody: body } : {}),
  };
}

/** The rows of PARAMETERS for a routine, from ordinal_position on (https://cloud.google.com/bigquery/docs/information-schema-parameters). */
export function parameterRows({ kept, routineType }: RoutineEntry): SqlValue[][] {
  const hasResult = routineType === "SCALAR_FUNCTION" || routineType === "AGGREGATE_FUNCTION";
  const returnType = kept.returnType as StandardType | undefined;
  const result = [
    "0",
    null,
    "YES",
    null,
    returnType === undefined ? null : standardText(returnType),
    null,
    null,
  ];
  const args = (kept.arguments ?? []) as readonly StandardArgument[];
  const rows = args.map(({ name, mode, dataType }, index): SqlValue[] => [
    String(index + 1),
    mode ?? null,
    "NO",
    name ?? null,
    dataType === undefined ? "ANY TYPE" : standardText(dataType),
    null,
    null,
  ]);
  return hasResult ? [result, ...rows] : rows;
}

function standardArgument(argument: RoutineArgument, ofAggregate: boolean): StandardArgument {
  const { isNotAggregate, mode, name, type } = argument;
  return {
    name,
    ...(type === undefined ? { argumentKind: "ANY_TYPE" } : { dataType: standardType(type) }),
    ...(mode === undefined ? {} : { mode }),
    ...(ofAggregate && isNotAggregate ? { isAggregate: false } : {}),
  };
}

function standardType(type: SqlType): StandardType {
  if (type.kind === "ARRAY") return { typeKind: "ARRAY", arrayElementType: standardType(type.element) };
  if (type.kind !== "STRUCT") return { typeKind: type.kind };
  const fields = type.fields.map(({ name, type: field }) => ({
    ...(name === "" ? {} : { name }),
    type: standardType(field),
  }));
  return { typeKind: "STRUCT", structType: { fields } };
}

function standardText({ arrayElementType, structType, typeKind }: StandardType): string {
  if (typeKind === "ARRAY" && arrayElementType !== undefined)
    return `ARRAY<${standardText(arrayElementType)}>`;
  if (typeKind !== "STRUCT") return typeKind;
  const fields = (structType?.fields ?? []).map(
    ({ name, type }) => `${name === undefined ? "" : `${name} `}${standardText(type)}`,
  );
  return `STRUCT<${fields.join(", ")}>`;
}
