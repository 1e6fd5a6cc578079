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
    const message = { signature, type: "FIXED_OUTPUT_SCHEMA_TVF", argumentName: argumentNames(statement) };
    return { path, kind: "tvf", message };
  }
  const mode = found.routine === "AGGREGATE FUNCTION" ? "AGGREGATE" : "SCALAR";
  const message: Message = { group: "UDF", mode, signature: [signature] };
  if (!isTemplated(statement)) return { path, kind: "function", message };
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
    ...(aggregates === undefined ? {} : { aggregates }),
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

/** The calls of templated functions in a resolved tree. */
export function templatedCalls(tree: TreeNode): TemplatedCall[] {
  const calls: TemplatedCall[] = [];
  walkTree(tree, (node) => {
    const callee = node.function as { name?: string } | undefined;
    if (callee?.name === undefined || !callee.name.startsWith(`${TEMPLATED}:`)) return;
    const signature = node.signature as { argument?: readonly { type?: unknown }[] };
    const types = (signature.argument ?? []).map(({ type }) => typeText(fromTypeProto(type)));
    calls.push({
      name: callee.name.slice(TEMPLATED.length + 1),
      createText: (statement) => {
        const args = argumentNames(statement).map((name, index) => `\`${name}\` ${types[index] ?? ""}`);
        return `CREATE TEMP FUNCTION f(${args.join(", ")}) AS (${String(statement.code)}\n)`;
      },
      rename: (name) => {
        callee.name = `UDF:${name}`;
      },
    });
  });
  return calls;
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
  const signature = statement.signature as { argument?: readonly { type?: unknown }[] };
  return {
    argumentNames: argumentNames(statement),
    argumentTypes: (signature.argument ?? []).map(({ type }) => fromTypeProto(type)),
    returnType: fromTypeProto(statement.returnType),
    code: String(statement.code),
  };
}

function isTemplated(statement: TreeNode): boolean {
  if (isJavaScript(statement)) return false;
  return statement.functionExpression === undefined && statement.query === undefined;
}

function argumentNames(statement: TreeNode): readonly string[] {
  return (statement.argumentNameList ?? []) as readonly string[];
}
