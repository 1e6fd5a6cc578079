import { unsupported } from "../errors.ts";
import type { JavaScriptFunction } from "../javascript/definition.ts";
import { typeText } from "../type-text.ts";
import type { NamedRoutine } from "./catalog.ts";
import type { Message } from "./client.ts";
import { walkTree } from "./parse-tree.ts";
import type { FoundRoutine } from "./source.ts";
import type { TreeNode } from "./tree.ts";
import { fromTypeProto } from "./types.ts";

/** What a call of a user's function stands for. */
export type RoutineBody = SqlRoutineBody | JavaScriptRoutineBody;

/** A function in JavaScript. */
interface JavaScriptRoutineBody extends JavaScriptFunction {
  readonly language: "JAVASCRIPT";
}

/** An analyzed body over arguments. */
export interface SqlRoutineBody {
  readonly language: "SQL";
  readonly argumentNames: readonly string[];
  /** An expression; a query's scan for a table function. */
  readonly body: TreeNode;
  /** Of a table function: the columns of its query that are its output. */
  readonly outputColumns?: readonly TreeNode[];
  /** Of an aggregate function: the aggregates that the body refers to by column. */
  readonly aggregates?: readonly TreeNode[];
  /** Of an aggregate function: whether each argument is NOT AGGREGATE, a constant of the call. */
  readonly constantArguments?: readonly boolean[];
}

/** Functions whose arguments may be of ANY TYPE get a body for each list of types they are called with. */
const TEMPLATED = "Templated_SQL_Function";

/** The CREATE statement of a routine, resolved. */
export interface AnalyzedRoutine {
  readonly path: readonly string[];
  readonly found: FoundRoutine;
  readonly statement: TreeNode;
}

/** The routine as a catalog takes it. */
export function catalogRoutine({ path, found, statement }: AnalyzedRoutine): NamedRoutine {
  const signature = statement.signature as Message;
  if (found.routine === "TABLE FUNCTION") {
    const argumentName = argumentNames(statement);
    const message = isTemplated(statement)
      ? { signature, type: "TEMPLATED_SQL_TVF", argumentName, parseResumeLocation: { input: statement.code } }
      : { signature, type: "FIXED_OUTPUT_SCHEMA_TVF", argumentName };
    return { path, kind: "tvf", message };
  }
  const mode = found.routine === "AGGREGATE FUNCTION" ? "AGGREGATE" : "SCALAR";
  if (!isTemplated(statement)) {
    // The compiler checks what is given for NOT AGGREGATE: GoogleSQL of this age refuses arguments of functions.
    const argument = argumentsOf(statement).map((each) => ({
      ...each,
      options: { ...each.options, isNotAggregate: false },
    }));
    const message = { group: "UDF", mode, signature: [{ ...signature, argument }] };
    return { path, kind: "function", message };
  }
  const message: Message = { group: "UDF", mode, signature: [signature] };
  return {
    path,
    kind: "function",
    message: {
      ...message,
      group: TEMPLATED,
      templatedSqlFunctionArgumentName: argumentNames(statement),
      parseResumeLocation: { input: statement.code },
    },
  };
}

/** The body for calls of the routine, unless it has none of its own (ANY TYPE). */
export function routineBody({ statement }: AnalyzedRoutine): RoutineBody | undefined {
  if (isJavaScript(statement)) return { language: "JAVASCRIPT", ...javaScriptFunction(statement) };
  if (statement.query !== undefined) {
    const outputs = (statement.outputColumnList ?? []) as readonly TreeNode[];
    return {
      language: "SQL",
      argumentNames: argumentNames(statement),
      body: statement.query as TreeNode,
      outputColumns: outputs.map(({ column }) => column as TreeNode),
    };
  }
  if (statement.functionExpression === undefined) return undefined;
  const aggregates = statement.aggregateExpressionList as readonly TreeNode[] | undefined;
  return {
    language: "SQL",
    argumentNames: argumentNames(statement),
    body: statement.functionExpression as TreeNode,
    ...(statement.isAggregate === true
      ? {
          aggregates: aggregates ?? [],
          constantArguments: argumentsOf(statement).map(({ options }) => options?.isNotAggregate === true),
        }
      : {}),
  };
}

/** One call of a templated function in a tree. */
export interface TemplatedCall {
  readonly name: string;
  /** The function with the call's types in place of ANY TYPE, as a statement to analyze. */
  readonly createText: (statement: TreeNode) => string;
  /** Makes the call refer to the body of this name. */
  rename(name: string): void;
}

/** The calls of functions in a resolved tree that may be templated ones. */
export function templatedCalls(tree: TreeNode): TemplatedCall[] {
  const calls: TemplatedCall[] = [];
  walkTree(tree, (node) => {
    const table = node.tvf as { name?: string } | undefined;
    if (table?.name !== undefined) {
      const types = ((node.argumentList ?? []) as readonly TreeNode[]).map(
        ({ expr }) => (expr as TreeNode)?.type,
      );
      calls.push({
        name: table.name,
        createText: (statement) => {
          if (statement.hasExplicitReturnSchema === true)
            throw unsupported("RETURNS TABLE of a table function with arguments of ANY TYPE");
          return `CREATE TABLE FUNCTION f(${typedArguments(statement, types)}) AS ${String(statement.code)}`;
        },
        rename: (name) => {
          table.name = name;
        },
      });
    }
    const callee = node.function as { name?: string } | undefined;
    if (callee?.name === undefined || !callee.name.startsWith(`${TEMPLATED}:`)) return;
    const types = argumentsOf(node).map(({ type }) => type);
    calls.push({
      name: callee.name.slice(TEMPLATED.length + 1),
      createText: (statement) => {
        const kind = statement.isAggregate === true ? "AGGREGATE FUNCTION" : "FUNCTION";
        const returns =
          statement.hasExplicitReturnType === true
            ? ` RETURNS ${typeText(fromTypeProto(statement.returnType))}`
            : "";
        return `CREATE TEMP ${kind} f(${typedArguments(statement, types)})${returns} AS (${String(statement.code)}\n)`;
      },
      rename: (name) => {
        callee.name = `UDF:${name}`;
      },
    });
  });
  return calls;
}

/** The arguments of a routine with the types of a call. */
function typedArguments(statement: TreeNode, types: readonly unknown[]): string {
  const declared = argumentsOf(statement);
  return argumentNames(statement)
    .map((name, index) => {
      const type = types[index] === undefined ? "" : typeText(fromTypeProto(types[index]));
      return `\`${name}\` ${type}${declared[index]?.options?.isNotAggregate === true ? " NOT AGGREGATE" : ""}`;
    })
    .join(", ");
}

interface SignatureArgument {
  readonly type?: unknown;
  readonly options?: { readonly isNotAggregate?: boolean };
}

/** The arguments of a call's or a routine's signature. */
function argumentsOf(node: TreeNode): readonly SignatureArgument[] {
  return (node.signature as { argument?: readonly SignatureArgument[] } | undefined)?.argument ?? [];
}

/** Refuses what is neither a SQL function nor a scalar one in JavaScript. */
export function checkLanguage(path: readonly string[], statement: TreeNode): void {
  const language = String(statement.language ?? "SQL").toUpperCase();
  if (language !== "SQL" && !isJavaScript(statement))
    throw unsupported(`the function ${path.join(".")} in ${language}`);
}

/** Whether this CREATE FUNCTION statement is in JavaScript. */
export function isJavaScript(statement: TreeNode): boolean {
  return String(statement.language).toUpperCase() === "JS" && statement.isAggregate !== true;
}

/** The function that a CREATE FUNCTION … LANGUAGE js statement makes. */
export function javaScriptFunction(statement: TreeNode): JavaScriptFunction {
  return {
    argumentNames: argumentNames(statement),
    argumentTypes: argumentsOf(statement).map(({ type }) => fromTypeProto(type)),
    returnType: fromTypeProto(statement.returnType),
    code: String(statement.code),
  };
}

/** Whether a routine has arguments of ANY TYPE. */
export function isTemplated(statement: TreeNode): boolean {
  if (isJavaScript(statement)) return false;
  return statement.functionExpression === undefined && statement.query === undefined;
}

function argumentNames(statement: TreeNode): readonly string[] {
  return (statement.argumentNameList ?? []) as readonly string[];
}
