import { BigQueryError, unsupported } from "../errors.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import { literalSql, quoteText, type SqlValue } from "../values.ts";
import { CallScope } from "./call-scope.ts";
import { compileFunctionCall } from "./calls.ts";
import type { TypedValue } from "./context.ts";
import { factsOf } from "./facts.ts";
import { castSql } from "./functions/cast.ts";
import { isQuiet } from "./functions/safe.ts";
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
  return { ...unit.columnOperand(refId(node)), type: typeOf(childOf(node, "column")) };
}

function compileArgumentRef(node: TreeNode, unit: Unit): CompiledExpr {
  const name = textOf(node, "name");
  const found = unit.functionArguments.get(name.toLowerCase());
  if (found === undefined) throw new Error(`argument ${name} has no value`);
  return found;
}

function compileCast(node: TreeNode, unit: Unit): CompiledExpr {
  const arg = unit.expr(childOf(node, "expr"));
  const [format, timeZone] = [nodeOf(node, "format"), nodeOf(node, "timeZone")].map((each) =>
    each === undefined ? undefined : unit.expr(each),
  );
  const operands = [arg, format, timeZone].filter((each) => each !== undefined);
  const scope = new CallScope(unit, operands);
  const call: CastCall = {
    arg,
    from: arg.type,
    to: typeOf(node),
    safe: flagOf(node, "returnNullOnError"),
    ...(format === undefined ? {} : { format }),
    ...(timeZone === undefined ? {} : { timeZone }),
    parameters: typeParameters(nodeOf(nodeOf(node, "typeModifiers") ?? {}, "typeParameters")),
    context: scope,
  };
  const sql = castSql(call);
  const facts = factsOf(operands);
  const isExact = call.from.kind === "INT64" && call.to.kind === "FLOAT64";
  return {
    ...facts,
    mayFail: facts.mayFail || !(call.safe || isExact),
    hasSubquery: facts.hasSubquery || scope.made.subquery,
    sql,
    type: call.to,
  };
}

/** What a CAST names with its type: the length, or precision and scale, and those of elements and fields. */
function typeParameters(parameters: TreeNode | undefined): CastCall["parameters"] {
  if (parameters === undefined) return undefined;
  const text = nodeOf(parameters, "stringTypeParameters");
  if (text !== undefined)
    return text.isMaxLength === true ? undefined : { maxLength: BigInt(text.maxLength as string) };
  const children = nodesOf(parameters, "childList").map(typeParameters);
  if (children.some((child) => child !== undefined)) return { children };
  const numeric = nodeOf(parameters, "numericTypeParameters");
  if (numeric === undefined) return undefined;
  return {
    precision: BigInt((numeric.precision as string) ?? 0),
    scale: BigInt((numeric.scale as string) ?? 0),
  };
}

function compileMakeStruct(node: TreeNode, unit: Unit): CompiledExpr {
  const fields = nodesOf(node, "fieldList").map((field) => compileExpr(field, unit));
  const struct = { ...factsOf(fields), sql: structSql(fields.map((field) => field.sql)), type: typeOf(node) };
  return fields.every(isQuiet) ? { ...struct, fields } : struct;
}

/** A STRUCT of these fields. */
export function structSql(fields: readonly string[]): string {
  if (fields.length === 0) return literalSql({ kind: "STRUCT", fields: [] }, []);
  return `struct_pack(${fields.map((field, index) => `f${index} := ${field}`).join(", ")})`;
}

function compileGetStructField(node: TreeNode, unit: Unit): CompiledExpr {
  const struct = compileExpr(childOf(node, "expr"), unit);
  const [index, type] = [integerOf(node, "fieldIdx"), typeOf(node)];
  // DuckDB forgets the type of a field of NULL. A script's variable is a value, often a large one: its field stands alone, not all of it.
  if (struct.literal !== undefined)
    return literalExpr(type, (struct.literal as readonly SqlValue[] | null)?.[index] ?? null);
  return { ...factsOf([struct]), sql: `(${struct.sql}).f${index}`, type };
}

function compileGetJsonField(node: TreeNode, unit: Unit): CompiledExpr {
  const json = compileExpr(childOf(node, "expr"), unit);
  const name = textOf(node, "fieldName");
  const isPlain = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
  if (!isPlain && /["\\*]/.test(name)) throw unsupported(`the JSON field name ${name}`);
  const sql = `json_extract(${json.sql}, ${quoteText(`$."${name}"`)})`;
  return { ...factsOf([json]), sql, type: typeOf(node) };
}

/** `a.b.c` over arrays: the elements of all arrays on the way, in one array. */
function compileFlatten(node: TreeNode, unit: Unit): CompiledExpr {
  const start = compileExpr(childOf(node, "expr"), unit);
  const flat = nodesOf(node, "getFieldList").reduce((value, step): CompiledExpr => {
    if (value.type.kind !== "ARRAY") throw new Error("FLATTEN of no array");
    const element = unit.fresh("e");
    const inner = compileExpr(step, unit.withFlattened({ sql: element, type: value.type.element }));
    const mapped = `list_transform(${value.sql}, lambda ${element}: ${inner.sql})`;
    const facts = factsOf([value, inner]);
    if (inner.type.kind === "ARRAY") return { ...facts, sql: `flatten(${mapped})`, type: inner.type };
    return { ...facts, sql: mapped, type: { kind: "ARRAY", element: inner.type } };
  }, start);
  return { ...flat, type: typeOf(node) };
}

function compileFlattenedArg(_node: TreeNode, unit: Unit): CompiledExpr {
  if (unit.flattened === undefined) throw new Error("FlattenedArg outside FLATTEN");
  return unit.flattened;
}

/** `WITH(a AS …, b AS …, expr)`: later names see earlier ones. */
function compileWithExpr(node: TreeNode, unit: Unit): CompiledExpr {
  const assignments = nodesOf(node, "assignmentList");
  const bind = (index: number, inner: Unit): CompiledExpr => {
    const assignment = assignments[index];
    if (assignment === undefined) return inner.expr(childOf(node, "expr"));
    const value = inner.expr(childOf(assignment, "expr"));
    const id = columnId(childOf(assignment, "column"));
    return inner.bindOnce(value, (operand) => bind(index + 1, inner.withColumns(new Map([[id, operand]]))));
  };
  return { ...bind(0, unit), type: typeOf(node) };
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
