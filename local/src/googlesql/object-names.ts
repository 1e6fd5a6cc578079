import { identifierOf, pathOf, rangeOf, walkTree } from "./parse-tree.ts";
import type { Edit } from "./split-text.ts";
import type { TreeNode } from "./tree.ts";

/** The names of objects in a statement, as the parser finds them; array paths and names of WITH queries are among the tables. */
export interface ObjectNames {
  readonly tables: readonly (readonly string[])[];
  readonly functions: readonly (readonly string[])[];
  readonly tableFunctions: readonly (readonly string[])[];
  readonly procedures: readonly (readonly string[])[];
}

const TABLE_FIELDS = new Set(["pathExpr", "targetPath", "likeTableName", "tableName", "tablePath"]);
const OBJECT_FIELDS = new Set([
  ...TABLE_FIELDS,
  "function",
  "name",
  "newTableName",
  "procedureName",
  "replicaSource",
]);

function isAlterTarget(field: string, holder: TreeNode): boolean {
  return field === "path" && /^astAlter.*Statement$/.test(holder.kind ?? "");
}

/** Finds the names of tables and routines in a parse tree. */
export function findObjectNames(root: TreeNode): ObjectNames {
  const found = { tables: new Map(), functions: new Map(), tableFunctions: new Map(), procedures: new Map() };
  walkTree(root, (node, field, holder) => {
    if (!Array.isArray(node.names)) return;
    const path = splitDots(pathOf(node));
    const key = path.join("\0");
    if (TABLE_FIELDS.has(field) || isAlterTarget(field, holder)) found.tables.set(key, path);
    else if (field === "function") found.functions.set(key, path);
    else if (field === "procedureName") found.procedures.set(key, path);
    else if (field === "name" && holder.kind === "astTvf") found.tableFunctions.set(key, path);
  });
  return {
    tables: [...found.tables.values()],
    functions: [...found.functions.values()],
    tableFunctions: [...found.tableFunctions.values()],
    procedures: [...found.procedures.values()],
  };
}

/**
 * The segments of an object's path: BigQuery reads `p.d.t` between one pair of backticks as three. The project of a
 * domain (`example.com:p`) has dots of its own.
 */
export function splitDots(path: readonly string[]): string[] {
  return path.flatMap((name) => {
    const [, domain = "", rest = name] = /^([^:]+\.[^:]+:)(.*)$/.exec(name) ?? [];
    const [first = "", ...others] = rest.split(".");
    return [domain + first, ...others];
  });
}

/** Writes `` `p.d.t` `` as `` `p`.`d`.`t` `` wherever it names an object, so that its alias is `t` and its parts are found. */
export function quotedPathEdits(sql: string, root: TreeNode): Edit[] {
  const edits: Edit[] = [];
  const bytes = Buffer.from(sql, "utf8");
  walkTree(root, (node, field, holder) => {
    if (!Array.isArray(node.names) || !(OBJECT_FIELDS.has(field) || isAlterTarget(field, holder))) return;
    for (const name of node.names as readonly TreeNode[]) {
      const segments = splitDots([identifierOf(name)]);
      const range = rangeOf(name);
      // Unquoted identifiers with dots do not exist, but dashes join `a-b.c` only when no quote is there.
      if (segments.length === 1 || bytes.toString("utf8", range.start, range.start + 1) !== "`") continue;
      edits.push({ ...range, text: segments.map(quote).join(".") });
    }
  });
  return edits;
}

function quote(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}
