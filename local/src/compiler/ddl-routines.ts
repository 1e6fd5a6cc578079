import { unsupported } from "../errors.ts";
import { isJavaScript } from "../googlesql/routines.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { fromTypeProto } from "../googlesql/types.ts";
import type { CreateRoutine, RoutineArgument, RoutineSignature } from "./compiled.ts";
import type { CompileContext } from "./context.ts";
import { isTemporary, modeOf } from "./ddl-create.ts";
import { compileJavaScriptOptions } from "./ddl-javascript.ts";
import { childOf, flagOf, nodesOf, textOf, textsOf } from "./tree-access.ts";

const ROUTINES: Readonly<Record<string, CreateRoutine["routine"]>> = {
  CreateFunctionStmt: "FUNCTION",
  CreateTableFunctionStmt: "TABLE FUNCTION",
  CreateProcedureStmt: "PROCEDURE",
};

/** CREATE FUNCTION, TABLE FUNCTION and PROCEDURE. */
export function compileCreateRoutine(node: TreeNode, context: CompileContext): CreateRoutine {
  const language = textOf(node, "language").toUpperCase();
  const isInJavaScript = node.kind === "CreateFunctionStmt" && isJavaScript(node);
  if (language !== "" && language !== "SQL" && !isInJavaScript) {
    const what = flagOf(node, "isAggregate") ? "aggregate functions" : "routines";
    throw unsupported(`${what} in the language ${language}`);
  }
  if (flagOf(node, "isRemote")) throw unsupported("remote functions");
  const routine = ROUTINES[node.kind ?? ""] ?? "FUNCTION";
  return {
    kind: "create-routine",
    routine: flagOf(node, "isAggregate") ? "AGGREGATE FUNCTION" : routine,
    name: textsOf(node, "namePath"),
    mode: modeOf(node),
    temporary: isTemporary(node),
    text: context.text,
    definition: routineSignature(node),
    ...(isInJavaScript ? { javaScript: compileJavaScriptOptions(node, context) } : {}),
  };
}

const OUTPUT_MODES: ReadonlySet<string> = new Set(["OUT", "INOUT"]);

/** The signature as it stands in the resolved CREATE statement. */
function routineSignature(node: TreeNode): RoutineSignature {
  const signature = childOf(node, "signature");
  const isProcedure = node.kind === "CreateProcedureStmt";
  const args = nodesOf(signature, "argument").map((argument) => {
    const options = childOf(argument, "options");
    const mode = textOf(options, "procedureArgumentMode");
    if (argument.kind === "ARG_TYPE_RELATION")
      throw unsupported(`the parameter ${textOf(options, "argumentName")} that is a TABLE`);
    return {
      name: textOf(options, "argumentName"),
      ...(argument.kind === "ARG_TYPE_ARBITRARY" ? {} : { type: fromTypeProto(argument.type) }),
      ...(isProcedure ? { mode: (OUTPUT_MODES.has(mode) ? mode : "IN") as RoutineArgument["mode"] } : {}),
      isNotAggregate: flagOf(options, "isNotAggregate"),
    };
  });
  const columns = nodesOf(node, "outputColumnList").map(({ name, column }) => ({
    name: String(name),
    type: fromTypeProto((column as TreeNode).type),
  }));
  return {
    arguments: args,
    ...(flagOf(node, "hasExplicitReturnType") ? { returnType: fromTypeProto(node.returnType) } : {}),
    ...(flagOf(node, "hasExplicitReturnSchema") ? { returnColumns: columns } : {}),
    body: textOf(node, isProcedure ? "procedureBody" : "code"),
  };
}
