import { BigQueryError, unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import { literalSql, quoteText, type SqlValue } from "../values.ts";
import { compileFunctionCall } from "./calls.ts";
import type { TypedValue } from "./context.ts";
import { castSql } from "./functions/cast.ts";
import type { CastCall, CompiledExpr } from "./functions/types.ts";
import { literalValue } from "./literals.ts";
import { compileSubquery } from "./subqueries.ts";
import {
  childOf,
  columnId,
  flagOf,
  integerOf,
  nodeOf,
  nodesOf,
  refId,
  textOf,
  textsOf,
} from "./tree-access.ts";
import { typeOf } from "./tree-types.ts";
import type { Unit } from "./unit.ts";

type ExprCompiler = (node: TreeNode, unit: Unit) => CompiledExpr;

/** An expression of the resolved tree as DuckDB SQL. */
export function compileExpr(node: TreeNode, unit: Unit): CompiledExpr {
  const compile = EXPRESSIONS[node.kind ?? (nodeOf(node, "column") === undefined ? "" : "ColumnRef")];
  if (compile === undefined) throw unsupported(`the expression ${node.kind}`);
  return compile(node, unit);
}

/** A value that is known now. */
function literalExpr(type: SqlType, value: SqlValue): CompiledExpr {
  return { sql: literalSql(type, value), type, literal: value };
}

function known(found: TypedValue | undefined, what: string): CompiledExpr {
  if (found === undefined) throw new BigQueryError("invalidQuery", `${what} is not set`, "query");
  return literalExpr(found.type, found.value);
}

function compileParameter(node: TreeNode, unit: Unit): CompiledExpr {
  const name = textOf(node, "name").toLowerCase();
  return name === ""
    ? known(
        unit.context.parameter(integerOf(node, "position")),
        `Query parameter ${integerOf(node, "position")}`,
      )
    : known(unit.context.parameter(name), `Query parameter '${name}'`);
}

function compileConstant(node: TreeNode, unit: Unit): CompiledExpr {
  const name = textOf(childOf(node, "constant"), "name");
  return known(unit.context.variable(name), `Variable ${name}`);
}

function compileSystemVariable(node: TreeNode, unit: Unit): CompiledExpr {
  const path = textsOf(node, "namePath");
  return known(unit.context.systemVariable(path), `System variable @@${path.join(".")}`);
}

function compileColumnRef(node: TreeNode, unit: Unit): CompiledExpr {
  return { sql: unit.columnSql(refId(node)), type: typeOf(childOf(node, "column")) };
}

function compileArgumentRef(node: TreeNode, unit: Unit): CompiledExpr {
  const name = textOf(node, "name");
  const found = unit.functionArguments.get(name.toLowerCase());
  if (found === undefined) throw new Error(`argument ${name} has no value`);
  return found;
}

function compileCast(node: TreeNode, unit: Unit): CompiledExpr {
  const arg = compileExpr(childOf(node, "expr"), unit);
  const format = nodeOf(node, "format");
  const timeZone = nodeOf(node, "timeZone");
  const call: CastCall = {
    arg,
    from: arg.type,
    to: typeOf(node),
    safe: flagOf(node, "returnNullOnError"),
    ...(format === undefined ? {} : { format: compileExpr(format, unit) }),
    ...(timeZone === undefined ? {} : { timeZone: compileExpr(timeZone, unit) }),
    parameters: typeParameters(node),
    context: unit,
  };
  const literal =
    format === undefined && call.parameters === undefined ? castLiteral(arg, call.to) : undefined;
  return { sql: castSql(call), type: call.to, ...(literal === undefined ? {} : { literal }) };
}

/** The value of a number, or of NULL, in another type, where that is as simple as the analyzer's own coercions. */
function castLiteral({ literal, type: from }: CompiledExpr, to: SqlType): SqlValue | undefined {
  if (literal === null) return null;
  if (typeof literal !== "bigint" || from.kind !== "INT64") return undefined;
  if (to.kind === "INT64") return literal;
  if (to.kind === "FLOAT64") return Number(literal);
  if (to.kind === "NUMERIC") return literal * 10n ** 9n;
  return to.kind === "BIGNUMERIC" ? literal * 10n ** 38n : undefined;
}

/** The length, or precision and scale, that a CAST names with its type. */
function typeParameters(node: TreeNode): CastCall["parameters"] {
  const parameters = nodeOf(nodeOf(node, "typeModifiers") ?? {}, "typeParameters");
  const text = parameters && nodeOf(parameters, "stringTypeParameters");
  if (text !== undefined)
    return text.isMaxLength === true ? undefined : { maxLength: BigInt(text.maxLength as string) };
  const numeric = parameters && nodeOf(parameters, "numericTypeParameters");
  if (numeric === undefined) return undefined;
  return {
    precision: BigInt((numeric.precision as string) ?? 0),
    scale: BigInt((numeric.scale as string) ?? 0),
  };
}

function compileMakeStruct(node: TreeNode, unit: Unit): CompiledExpr {
  const fields = nodesOf(node, "fieldList").map((field) => compileExpr(field, unit));
  return { sql: structSql(fields.map((field) => field.sql)), type: typeOf(node) };
}

/** A STRUCT of these fields. */
export function structSql(fields: readonly string[]): string {
  if (fields.length === 0) return literalSql({ kind: "STRUCT", fields: [] }, []);
  return `struct_pack(${fields.map((field, index) => `f${index} := ${field}`).join(", ")})`;
}

function compileGetStructField(node: TreeNode, unit: Unit): CompiledExpr {
  const struct = compileExpr(childOf(node, "expr"), unit);
  return { sql: `(${struct.sql}).f${integerOf(node, "fieldIdx")}`, type: typeOf(node) };
}

function compileGetJsonField(node: TreeNode, unit: Unit): CompiledExpr {
  const json = compileExpr(childOf(node, "expr"), unit);
  const name = textOf(node, "fieldName");
  const isPlain = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
  if (!isPlain && /["\\*]/.test(name)) throw unsupported(`the JSON field name ${name}`);
  return { sql: `json_extract(${json.sql}, ${quoteText(`$."${name}"`)})`, type: typeOf(node) };
}

/** `a.b.c` over arrays: the elements of all arrays on the way, in one array. */
function compileFlatten(node: TreeNode, unit: Unit): CompiledExpr {
  const start = compileExpr(childOf(node, "expr"), unit);
  const flat = nodesOf(node, "getFieldList").reduce((value, step): CompiledExpr => {
    if (value.type.kind !== "ARRAY") throw new Error("FLATTEN of no array");
    const element = unit.fresh("e");
    const inner = compileExpr(step, unit.withFlattened({ sql: element, type: value.type.element }));
    const mapped = `list_transform(${value.sql}, lambda ${element}: ${inner.sql})`;
    if (inner.type.kind === "ARRAY") return { sql: `flatten(${mapped})`, type: inner.type };
    return { sql: mapped, type: { kind: "ARRAY", element: inner.type } };
  }, start);
  return { sql: flat.sql, type: typeOf(node) };
}

function compileFlattenedArg(_node: TreeNode, unit: Unit): CompiledExpr {
  if (unit.flattened === undefined) throw new Error("FlattenedArg outside FLATTEN");
  return unit.flattened;
}

/** `WITH(a AS …, b AS …, expr)`: later names see earlier ones. */
function compileWithExpr(node: TreeNode, unit: Unit): CompiledExpr {
  const assignments = nodesOf(node, "assignmentList");
  const bind = (index: number, inner: Unit): string => {
    const assignment = assignments[index];
    if (assignment === undefined) return compileExpr(childOf(node, "expr"), inner).sql;
    const value = compileExpr(childOf(assignment, "expr"), inner).sql;
    const id = columnId(childOf(assignment, "column"));
    return inner.once(value, (operand) => bind(index + 1, inner.withColumns(new Map([[id, operand]]))));
  };
  return { sql: bind(0, unit), type: typeOf(node) };
}

const EXPRESSIONS: Readonly<Record<string, ExprCompiler>> = {
  Literal: (node) => {
    const type = typeOf(node);
    return literalExpr(type, literalValue(node, type));
  },
  ColumnRef: compileColumnRef,
  FunctionCall: compileFunctionCall,
  Cast: compileCast,
  MakeStruct: compileMakeStruct,
  GetStructField: compileGetStructField,
  GetJsonField: compileGetJsonField,
  SubqueryExpr: compileSubquery,
  Parameter: compileParameter,
  Constant: compileConstant,
  SystemVariable: compileSystemVariable,
  ArgumentRef: compileArgumentRef,
  Flatten: compileFlatten,
  FlattenedArg: compileFlattenedArg,
  WithExpr: compileWithExpr,
};
