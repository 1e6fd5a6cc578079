import { BigQueryError, unsupported } from "../errors.ts";
import { typeText } from "../type-text.ts";
import { RANGE_ELEMENTS, type RangeElementKind, type SqlType } from "../types.ts";
import { appendedColumns } from "./appended-columns.ts";
import type { Message } from "./client.ts";
import type { ObjectNames } from "./object-names.ts";
import { walkTree } from "./parse-tree.ts";
import type { TreeNode } from "./tree.ts";
import { fromTypeProto, toTypeProto } from "./types.ts";

/** RANGE_SESSIONIZE as trees call it: https://cloud.google.com/bigquery/docs/reference/standard-sql/range-functions#range_sessionize */
const SESSIONIZE = "range_sessionize";

const STRING: SqlType = { kind: "STRING" };

/** Whether RANGE_SESSIONIZE is among these names. */
export function callsSessionize({ tableFunctions }: ObjectNames): boolean {
  return tableFunctions.some((path) => path.length === 1 && path[0]?.toLowerCase() === SESSIONIZE);
}

/**
 * RANGE_SESSIONIZE as a catalog takes it: it gives its input's columns and `session_range`, which has one type, that of a
 * RANGE of this element.
 */
export function sessionizeFunction(element: RangeElementKind): Message {
  const constant = (type: SqlType, options: Message = {}): Message => ({
    kind: "ARG_TYPE_FIXED",
    type: toTypeProto(type),
    numOccurrences: 1,
    options: { mustBeConstant: true, mustBeNonNull: true, ...options },
  });
  const relation: Message = { kind: "ARG_TYPE_RELATION", numOccurrences: 1 };
  return {
    namePath: [SESSIONIZE],
    type: "FORWARD_INPUT_SCHEMA_TO_OUTPUT_SCHEMA_WITH_APPENDED_COLUMNS",
    customContext: appendedColumns([
      { name: "session_range", type: { kind: "RANGE", element: { kind: element } } },
    ]),
    signature: {
      argument: [
        relation,
        constant(STRING),
        constant({ kind: "ARRAY", element: STRING }),
        constant(STRING, { cardinality: "OPTIONAL" }),
      ],
      returnType: relation,
    },
  };
}

/** A call of RANGE_SESSIONIZE, its names looked up. Columns are counted in the input's order. */
export interface SessionizeCall {
  /** The column that is sessionized, a RANGE. */
  readonly range: number;
  readonly element: RangeElementKind;
  /** The columns that keep sessions apart. */
  readonly partition: readonly number[];
  /** Whether ranges that only meet are one session. */
  readonly meets: boolean;
}

/** Reads the scan of a call, with BigQuery's errors. */
export function readSessionize(scan: TreeNode): SessionizeCall {
  const [, range, partition, mode] = (scan.argumentList ?? []) as readonly TreeNode[];
  const columns = inputColumns(scan);
  const find = (name: string): number => {
    const index = columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
    if (index < 0) throw invalid(`RANGE_SESSIONIZE: the input has no column ${name}`);
    return index;
  };
  const name = literalOf(range, "range_column").stringValue as string;
  const index = find(name);
  const type = columns[index]?.type;
  if (type?.kind !== "RANGE") {
    throw invalid(`RANGE_SESSIONIZE: the column ${name} is no RANGE but ${type && typeText(type)}`);
  }
  const list = literalOf(partition, "partitioning_columns").arrayValue as { element?: readonly Message[] };
  return {
    range: index,
    element: type.element.kind,
    partition: (list.element ?? []).map(({ stringValue }) => find(String(stringValue))),
    meets: mode === undefined || readsMeets(literalOf(mode, "sessionize_option").stringValue),
  };
}

/** The elements of the RANGEs that a statement sessionizes. */
function sessionizedElements(statement: TreeNode): ReadonlySet<RangeElementKind> {
  const elements = new Set<RangeElementKind>();
  walkTree(statement, (node) => {
    if (isSessionize(node)) elements.add(readSessionize(node).element);
  });
  return elements;
}

/**
 * A statement with calls of RANGE_SESSIONIZE, resolved with the type that its ranges have. Only the analysis tells which, and it asks for
 * one first.
 */
export async function resolveSessions(
  resolve: (element: RangeElementKind) => Promise<TreeNode>,
): Promise<TreeNode> {
  let failure: unknown;
  for (const element of RANGE_ELEMENTS) {
    const statement = await resolve(element).catch((error: unknown) => {
      failure ??= error;
      return undefined;
    });
    if (statement === undefined) continue;
    const [found, ...others] = sessionizedElements(statement);
    if (others.length > 0)
      throw unsupported("RANGE_SESSIONIZE of ranges of different types in one statement");
    return found === undefined || found === element ? statement : await resolve(found);
  }
  throw failure;
}

/** Whether a scan is a call of RANGE_SESSIONIZE. */
export function isSessionize(scan: TreeNode): boolean {
  return scan.kind === "TVFScan" && (scan.tvf as { name?: string } | undefined)?.name === SESSIONIZE;
}

/** The columns of a call's input, which its signature names as the caller does. */
export function inputColumns(scan: TreeNode): readonly { name: string; type: SqlType }[] {
  const { argument } = scan.signature as {
    argument: readonly [{ relationArgument: { column?: readonly { name?: string; type: unknown }[] } }];
  };
  const columns = argument[0].relationArgument.column ?? [];
  return columns.map(({ name = "", type }) => ({ name, type: fromTypeProto(type) }));
}

function readsMeets(mode: unknown): boolean {
  if (mode === "MEETS" || mode === "OVERLAPS") return mode === "MEETS";
  throw invalid(`RANGE_SESSIONIZE: the option must be MEETS or OVERLAPS, not ${String(mode)}`);
}

function literalOf(argument: TreeNode | undefined, name: string): Message {
  const expr = argument?.expr as TreeNode | undefined;
  if (expr?.kind !== "Literal") throw unsupported(`RANGE_SESSIONIZE with a ${name} that is no literal`);
  return (expr.value as { value: Message }).value;
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}
