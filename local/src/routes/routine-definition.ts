import { z } from "zod";
import { BigQueryError } from "../errors.ts";
import { stringLiteral } from "../string-literal.ts";
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
  determinismLevel: z.string().nullish(),
  importedLibraries: z.array(z.string()).nullish(),
  returnTableType: z
    .looseObject({ columns: z.array(z.looseObject({ name: z.string(), type: dataType })).nullish() })
    .nullish(),
  definitionBody: z.string({ error: "Required parameter is missing: definitionBody" }),
  description: z.string().nullish(),
});

/** The body of routines.insert and update (https://cloud.google.com/bigquery/docs/reference/rest/v2/routines#Routine). */
export type RoutineBody = z.infer<typeof routineSchema>;

/** Checks the body of routines.insert and update. */
export const routineBody: z.ZodType<RoutineBody> = routineSchema;

/** Members that would change what the routine does, and are not done here. */
const REFUSED = [
  "strictMode",
  "remoteFunctionOptions",
  "sparkOptions",
  "pythonOptions",
  "externalRuntimeOptions",
  "dataGovernanceType",
] as const;

/** The Java client writes what is not there as an empty list. */
function isUnset(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value == null || value === "DETERMINISM_LEVEL_UNSPECIFIED";
}

/** The statement that makes the routine; what it cannot say is refused by name. */
export function createStatement(path: readonly string[], body: RoutineBody, replace: boolean): string {
  const type = body.routineType ?? "SCALAR_FUNCTION";
  if (type !== "SCALAR_FUNCTION" && type !== "TABLE_VALUED_FUNCTION") {
    throw notSupported(`routines of type ${type} made by REST; use SQL`, "routineType");
  }
  const language = (body.language ?? "SQL").toUpperCase();
  const isJavaScript = language === "JAVASCRIPT" && type === "SCALAR_FUNCTION";
  if (language !== "SQL" && !isJavaScript) throw notSupported(`routines in ${language}`, "language");
  if (!isUnset(body.importedLibraries)) {
    throw notSupported("JavaScript libraries, which are in Cloud Storage", "importedLibraries");
  }
  for (const member of REFUSED) {
    if (!isUnset(body[member])) throw notSupported(`the routine's ${member}`, member);
  }
  const parameters = (body.arguments ?? []).map(({ name, argumentKind, dataType }) => {
    const isAny = argumentKind === "ANY_TYPE";
    if (!isAny && dataType == null) throw invalid(`Argument ${name} has no dataType`);
    return `${quote(name)} ${isAny || dataType == null ? "ANY TYPE" : typeText(dataType)}`;
  });
  const name = `${path.map(quote).join(".")}(${parameters.join(", ")})`;
  const create = `CREATE ${replace ? "OR REPLACE " : ""}`;
  if (type === "TABLE_VALUED_FUNCTION") {
    const columns = (body.returnTableType?.columns ?? []).map(
      (column) => `${quote(column.name)} ${typeText(column.type)}`,
    );
    const returns = columns.length === 0 ? "" : ` RETURNS TABLE<${columns.join(", ")}>`;
    return `${create}TABLE FUNCTION ${name}${returns} AS\n${body.definitionBody}\n`;
  }
  const returns = body.returnType == null ? "" : ` RETURNS ${typeText(body.returnType)}`;
  if (isJavaScript) {
    const determinism = determinismText(body.determinismLevel ?? "DETERMINISM_LEVEL_UNSPECIFIED");
    return `${create}FUNCTION ${name}${returns}${determinism} LANGUAGE js AS ${stringLiteral(body.definitionBody)}`;
  }
  if (!isUnset(body.determinismLevel)) throw invalid("Only JavaScript functions have a determinismLevel");
  return `${create}FUNCTION ${name}${returns} AS (\n${body.definitionBody}\n)`;
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/routines#DeterminismLevel */
function determinismText(level: string): string {
  if (level === "DETERMINISM_LEVEL_UNSPECIFIED") return "";
  if (level === "DETERMINISTIC" || level === "NOT_DETERMINISTIC") return ` ${level.replace("_", " ")}`;
  throw invalid(`Invalid determinismLevel: ${level.slice(0, 100)}`);
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
