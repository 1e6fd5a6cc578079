import { BigQueryError, unsupported } from "../errors.ts";
import { splitDots } from "../googlesql/object-names.ts";
import { ByteText, identifierOf, pathOf } from "../googlesql/parse-tree.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import type { SqlType } from "../types.ts";
import { routineName } from "./ddl-schemas.ts";
import { evaluateType } from "./evaluate.ts";
import { TextParameters } from "./positional-parameters.ts";
import { Scope, type Variable } from "./scope.ts";
import type { Script } from "./script.ts";
import { scriptStatements } from "./script-tree.ts";
import type { Session } from "./session.ts";

interface Parameter {
  readonly name: string;
  readonly mode: string;
  readonly type: SqlType;
}

/** Runs CALL: the procedure's body with its arguments as variables, in the script's session. */
export async function callProcedure(caller: Script, node: TreeNode): Promise<void> {
  const { session } = caller;
  const path = splitDots(pathOf(node.procedureName as TreeNode));
  const system = SYSTEM_PROCEDURES[path.join(".").toUpperCase()];
  if (system !== undefined) return await system(caller, node);
  const { procedureId, text } = findProcedure(session, path);
  const [create] = scriptStatements(await session.parts.analyzer.parseScript(text));
  const body = create?.body as TreeNode | undefined;
  if (create === undefined || body === undefined)
    throw unsupported(`the procedure ${path.join(".")}, which is not in SQL`);
  const parameters = await parametersOf(session, new ByteText(text), create);
  const given = (node.arguments ?? []) as readonly TreeNode[];
  if (given.length !== parameters.length) {
    throw invalid(
      `Procedure ${path.join(".")} takes ${parameters.length} argument(s), but ${given.length} were given`,
    );
  }
  const scope = new Scope();
  const outputs: { from: string; to: Variable }[] = [];
  for (const [index, parameter] of parameters.entries()) {
    const argument = given[index]?.expr as TreeNode;
    if (parameter.mode === "OUT" || parameter.mode === "INOUT") {
      const to = variableOf(caller, argument, parameter.name);
      outputs.push({ from: parameter.name, to });
      scope.declare(parameter.name, parameter.type, parameter.mode === "OUT" ? null : to.value);
    } else {
      scope.declare(parameter.name, parameter.type, (await caller.evaluate(argument, parameter.type)).value);
    }
  }
  const statements = scriptStatements(body);
  const none = new TextParameters(new Map(), statements);
  await caller.runInner({ sql: text, statements, scope, parameters: none, procedureId });
  for (const { from, to } of outputs) to.value = scope.need(from).value;
}

/** https://cloud.google.com/bigquery/docs/reference/system-procedures#bqabort_session */
async function abortSession(caller: Script, node: TreeNode): Promise<void> {
  const { session } = caller;
  const [argument, ...others] = (node.arguments ?? []) as readonly TreeNode[];
  if (others.length > 0) throw invalid("Procedure BQ.ABORT_SESSION takes at most 1 argument");
  const given =
    argument === undefined
      ? session.id
      : (await caller.evaluate(argument.expr as TreeNode, { kind: "STRING" })).value;
  if (typeof given !== "string") throw invalid("BQ.ABORT_SESSION needs a session: the query runs in none");
  await session.parts.sessions.abort(given, session.request.projectId);
}

/**
 * https://cloud.google.com/bigquery/docs/reference/system-procedures#bqrefresh_materialized_view: there is nothing to do for a view
 * whose query runs whenever it is read.
 */
async function refreshMaterializedView(caller: Script, node: TreeNode): Promise<void> {
  const { session } = caller;
  const [argument, ...others] = (node.arguments ?? []) as readonly TreeNode[];
  if (argument === undefined || others.length > 0) {
    throw invalid("Procedure BQ.REFRESH_MATERIALIZED_VIEW takes 1 argument");
  }
  const { value } = await caller.evaluate(argument.expr as TreeNode, { kind: "STRING" });
  if (typeof value !== "string") throw invalid("BQ.REFRESH_MATERIALIZED_VIEW needs the name of a view");
  const { projectId, datasetId, routineId } = routineName(session, splitDots([value]));
  const entry = session.catalog.getTable({ projectId, datasetId, tableId: routineId });
  if (entry === undefined) {
    throw new BigQueryError("notFound", `Not found: Table ${projectId}:${datasetId}.${routineId}`, "query");
  }
  if (entry.kind !== "MATERIALIZED_VIEW") {
    throw invalid(`${projectId}:${datasetId}.${routineId} is not a materialized view.`);
  }
}

const SYSTEM_PROCEDURES: Readonly<Record<string, (caller: Script, node: TreeNode) => Promise<void>>> = {
  "BQ.ABORT_SESSION": abortSession,
  "BQ.REFRESH_MATERIALIZED_VIEW": refreshMaterializedView,
};

function findProcedure(session: Session, path: readonly string[]): { procedureId: string; text: string } {
  // https://cloud.google.com/bigquery/docs/reference/system-procedures
  if (path[0]?.toUpperCase() === "BQ") throw unsupported(path.join(".").toUpperCase());
  const { projectId, datasetId, routineId } = routineName(session, path);
  const entry = session.catalog.getRoutine(projectId, datasetId, routineId);
  const procedureId = `${projectId}.${datasetId}.${routineId}`;
  if (entry?.text !== undefined && entry.routineType === "PROCEDURE")
    return { procedureId, text: entry.text };
  const message = `Procedure is not found: ${procedureId}`;
  throw new BigQueryError("notFound", `Not found: ${message}`, "query");
}

async function parametersOf(session: Session, text: ByteText, create: TreeNode): Promise<Parameter[]> {
  const entries = ((create.parameters as TreeNode).parameterEntries ?? []) as readonly TreeNode[];
  const parameters: Parameter[] = [];
  for (const entry of entries) {
    const type = entry.type as TreeNode | undefined;
    const name = identifierOf(entry.name as TreeNode);
    if (type === undefined) throw unsupported(`the procedure argument ${name} of type ANY TYPE`);
    parameters.push({
      name,
      mode: String(entry.procedureParameterMode ?? "IN"),
      type: await evaluateType(session, text.textOf(type), { variables: new Scope(), parameters: new Map() }),
    });
  }
  return parameters;
}

function variableOf(caller: Script, argument: TreeNode, parameter: string): Variable {
  const path = argument.kind === "astPathExpression" ? pathOf(argument) : [];
  if (path.length !== 1)
    throw invalid(`The argument for OUT or INOUT parameter ${parameter} must be a variable`);
  return caller.scope.need(path[0] ?? "");
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}
