import { unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { fieldOfType } from "../storage/schema.ts";
import type { FieldSchema, SqlType } from "../types.ts";
import type { CompileContext } from "./context.ts";
import { compileOptions } from "./ddl-options.ts";
import { childOf, flagOf, nodeOf, nodesOf, textOf } from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";

/** A column of CREATE TABLE or ADD COLUMN, as REST describes it. */
export function columnField(definition: TreeNode, context: CompileContext): FieldSchema {
  if (nodeOf(definition, "generatedColumnInfo") !== undefined) throw unsupported("generated columns");
  const type = typeOf(definition);
  const field = annotated(
    fieldOfType(textOf(definition, "name"), type),
    type,
    nodeOf(definition, "annotations"),
    context,
  );
  const byDefault = nodeOf(definition, "defaultValue");
  return byDefault === undefined ? field : { ...field, defaultValueExpression: textOf(byDefault, "sql") };
}

/** A field with what NOT NULL, OPTIONS and type parameters say of it and of the fields below it. */
function annotated(
  field: FieldSchema,
  type: SqlType,
  annotations: TreeNode | undefined,
  context: CompileContext,
): FieldSchema {
  if (annotations === undefined) return field;
  if (nodeOf(annotations, "collationName") !== undefined) throw unsupported("COLLATE");
  const children = nodesOf(annotations, "childList");
  if (type.kind === "ARRAY") {
    const { mode } = field;
    const element = annotated({ ...field, mode: "NULLABLE" }, type.element, children[0], context);
    return { ...element, ...parameters(annotations), ...options(annotations, context), mode };
  }
  const fields =
    type.kind === "STRUCT"
      ? {
          fields: (field.fields ?? []).map((inner, index) => {
            const innerType = type.fields[index]?.type;
            return innerType === undefined ? inner : annotated(inner, innerType, children[index], context);
          }),
        }
      : {};
  return {
    ...field,
    ...fields,
    ...parameters(annotations),
    ...options(annotations, context),
    mode: flagOf(annotations, "notNull") ? "REQUIRED" : field.mode,
  };
}

function options(annotations: TreeNode, context: CompileContext): Partial<FieldSchema> {
  const given = compileOptions(nodesOf(annotations, "optionList"), context);
  const result: Partial<FieldSchema> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name === "description") result.description = String(value ?? "");
    else if (name === "rounding_mode") result.roundingMode = String(value);
    else throw unsupported(`the column option ${name}`);
  }
  return result;
}

function parameters(annotations: TreeNode): Partial<FieldSchema> {
  const given = nodeOf(annotations, "typeParameters");
  return given === undefined ? {} : typeParameters(given);
}

/** `STRING(n)`, `BYTES(n)`, `NUMERIC(p, s)`, as REST keeps them. */
function typeParameters(given: TreeNode): Partial<FieldSchema> {
  const text = nodeOf(given, "stringTypeParameters");
  if (text?.maxLength !== undefined) return { maxLength: String(text.maxLength) };
  const numeric = nodeOf(given, "numericTypeParameters");
  if (numeric?.precision === undefined) return {};
  const scale = numeric.scale === undefined || numeric.scale === "0" ? {} : { scale: String(numeric.scale) };
  return { precision: String(numeric.precision), ...scale };
}

/** The field of ALTER COLUMN … SET DATA TYPE. */
export function retypedField(action: TreeNode, context: CompileContext): FieldSchema {
  const type = typeOf({ type: childOf(action, "updatedType") });
  const field = fieldOfType(textOf(action, "column"), type);
  const given = nodeOf(action, "updatedTypeParameters");
  const annotations = nodeOf(action, "updatedAnnotations");
  return annotated(
    { ...field, ...(given === undefined ? {} : typeParameters(given)) },
    type,
    annotations,
    context,
  );
}
