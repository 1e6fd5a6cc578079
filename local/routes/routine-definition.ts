import { z } from "zod";
import { BigQueryError } from "../errors.ts";
import { notSupported } from "./request.ts";

interface DataType {
  typeKind: string;
  arrayElementType?: DataType | null | undefined;
  rangeElementType?: DataType | null | undefined;
  structType?:
    | { fields?: { name?: string | null | undefined; type: DataType }[] | null | undefined }
    | null
    | undefined;
}

const dataType: z.ZodType<DataType> = z.lazy(() =>
  z.looseObject({
    typeKind: z.string(),
    arrayElementType: dataType.nullish(),
    rangeElementType: dataType.nullish(),
    structType: z
      .looseObject({
        fields: z.array(z.looseObject({ name: z.string().nullish(), type: dataType })).nullish(),
      })
      .nullish(),
  }),
);

const routineSchema = z.looseObject({
  routineReference: z.looseObject({ routineId: z.string() }).nullish(),
  routineType: z.string().nullish(),
  language: z.string().nullish(),
  arguments: z
    .array(
      z.looseObject({
        name: z.string(),
        argumentKind: z.string().nullish(),
        dataType: dataType.nullish(),
      }),
    )
    .nullish(),
  returnType: dataType.nullish(),
  definitionBody: z.string({ error: "Required parameter is missing: definitionBody" }),
  description: z.string().nullish(),
});

/** The body of routines.insert and update (https://cloud.google.com/bigquery/docs/reference/rest/v2/routines#Routine). */
export type RoutineBody = z.infer<typeof routineSchema>;

/** Checks the body of routines.insert and update. */
export const routineBody: z.ZodType<RoutineBody> = routineSchema;

/** Members that would change what the routine does, and are not done here. */
const REFUSED = [
  "importedLibraries",
  "returnTableType",
  "determinismLevel",
  "strictMode",
  "remoteFunctionOptions",
  "sparkOptions",
  "pythonOptions",
  "externalRuntimeOptions",
  "dataGovernanceType",
] as const;

/** The statement that makes the routine; what it cannot say is refused by name. */
export function createStatement(path: readonly string[], body: RoutineBody, replace: boolean): string {
  const type = body.routineType ?? "SCALAR_FUNCTION";
  if (type !== "SCALAR_FUNCTION" && type !== "TABLE_VALUED_FUNCTION") {
    throw notSupported(`routines of type ${type} made by REST; use SQL`, "routineType");
  }
  const language = body.language ?? "SQL";
  if (language.toUpperCase() !== "SQL") throw notSupported(`routines in ${language}`, "language");
  for (const member of REFUSED) {
    if (body[member] != null) throw notSupported(`the routine's ${member}`, member);
  }
  const parameters = (body.arguments ?? []).map(({ name, argumentKind, dataType }) => {
    const isAny = argumentKind === "ANY_TYPE";
    if (!isAny && dataType == null) throw invalid(`Argument ${name} has no dataType`);
    return `${quote(name)} ${isAny || dataType == null ? "ANY TYPE" : typeText(dataType)}`;
  });
  const name = `${path.map(quote).join(".")}(${parameters.join(", ")})`;
  const create = `CREATE ${replace ? "OR REPLACE " : ""}`;
  if (type === "TABLE_VALUED_FUNCTION") return `${create}TABLE FUNCTION ${name} AS\n${body.definitionBody}\n`;
  const returns = body.returnType == null ? "" : ` RETURNS ${typeText(body.returnType)}`;
  return `${create}FUNCTION ${name}${returns} AS (\n${body.definitionBody}\n)`;
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/StandardSqlDataType */
function typeText(type: DataType): string {
  if (type.typeKind === "ARRAY") {
    if (type.arrayElementType == null) throw invalid("An ARRAY needs its arrayElementType");
    return `ARRAY<${typeText(type.arrayElementType)}>`;
  }
  if (type.typeKind === "RANGE") {
    if (type.rangeElementType == null) throw invalid("A RANGE needs its rangeElementType");
    return `RANGE<${typeText(type.rangeElementType)}>`;
  }
  if (type.typeKind === "STRUCT") {
    const fields = (type.structType?.fields ?? []).map(
      (field) => `${field.name ? `${quote(field.name)} ` : ""}${typeText(field.type)}`,
    );
    return `STRUCT<${fields.join(", ")}>`;
  }
  if (!/^[A-Z]+[0-9]*$/.test(type.typeKind))
    throw invalid(`Invalid typeKind: ${type.typeKind.slice(0, 100)}`);
  return type.typeKind;
}

function quote(name: string): string {
  return `\`${name.replaceAll(/[\\`]/g, "\\$&")}\``;
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalid", message);
}
