import { BigQueryError, unsupported } from "../errors.ts";
import { tableNotFound } from "./analysis-errors.ts";
import type { AnalyzedStatement, CatalogNames } from "./analyzed-statement.ts";
import { digest } from "./cache.ts";
import { type NamedTable, treeName } from "./catalog.ts";
import type { ObjectNames } from "./object-names.ts";
import {
  type AnalyzedRoutine,
  checkLanguage,
  isTemplated,
  type RoutineBody,
  routineBody,
  templatedCalls,
} from "./routines.ts";
import type { AnalysisEnv, FoundTable } from "./source.ts";
import type { TreeNode } from "./tree.ts";
import { fromTypeProto } from "./types.ts";

/** What the names in a statement stand for. */
export interface Dependencies extends CatalogNames {
  /** Equal where all of it is equal, the script's variables with it. */
  readonly key: string;
  /** By their name in the tree, as the views. */
  readonly tables: ReadonlyMap<string, FoundTable>;
  readonly views: ReadonlyMap<string, AnalyzedStatement>;
  /** The bodies of functions that those functions call, and views in them. */
  readonly inner: readonly AnalyzedStatement[];
}

/** https://cloud.google.com/bigquery/quotas#view_limits */
const MAX_VIEW_DEPTH = 16;

/** Analyzes a text that `depth` views and routines stand around. */
type Analyze = (sql: string, env: AnalysisEnv, depth: number) => Promise<AnalyzedStatement>;

/** Finds the tables, views and routines of statements; the texts of views and routines go back to the analyzer. */
export class DependencyFinder {
  readonly #analyze: Analyze;

  constructor(analyze: Analyze) {
    this.#analyze = analyze;
  }

  /** What these names stand for, views and routines analyzed; a name of nothing is left to GoogleSQL to report. */
  async find(names: ObjectNames, env: AnalysisEnv, depth: number): Promise<Dependencies> {
    const tables = new Map<string, FoundTable>();
    const views = new Map<string, AnalyzedStatement>();
    const named: NamedTable[] = [];
    const spellings = new Map<string, string>();
    const versions: string[] = [];
    for (const path of names.tables) {
      const found = await env.source.findTable(path);
      const name = found === undefined ? "" : treeName(found);
      refuseOtherSpelling(spellings, path, name, env);
      if (found === undefined) continue;
      const table = found.viewQuery === undefined ? found : await this.#view(found, env, depth, views);
      versions.push(path.join("."), name, found.version, views.get(name)?.key ?? "");
      tables.set(name, table);
      named.push({ path, table });
    }
    const routines: AnalyzedRoutine[] = [];
    const inner: AnalyzedStatement[] = [];
    const bodies: CatalogNames[] = [];
    for (const path of [...names.functions, ...names.tableFunctions]) {
      const named = path[0]?.toUpperCase() === "SAFE" && path.length > 1 ? path.slice(1) : path;
      const found = await env.source.findRoutine?.(named);
      if (found === undefined || found.routine === "PROCEDURE") continue;
      const analyzed = await this.#routine(found.text, env, depth);
      checkLanguage(named, analyzed.statement);
      versions.push(named.join("."), found.version, analyzed.key);
      const routine = { path: named, found, statement: analyzed.statement };
      routines.push(routine);
      inner.push(analyzed);
      // GoogleSQL resolves the body of such a function where it is called, so what the body names must be known there.
      if (isTemplated(analyzed.statement)) bodies.push(analyzed.names);
    }
    const variables = JSON.stringify([...env.variables].sort(([a], [b]) => (a < b ? -1 : 1)));
    return {
      key: digest([...versions, variables]),
      tables,
      views,
      named: distinct([named, ...bodies.map((body) => body.named)].flat()),
      routines: distinct([routines, ...bodies.map((body) => body.routines)].flat()),
      inner,
    };
  }

  /** The bodies of the functions that a tree calls; each call of a templated one gets a body for its types. */
  async bodies(
    statement: TreeNode,
    dependencies: Dependencies,
    env: AnalysisEnv,
    depth: number,
  ): Promise<{ bodies: Map<string, RoutineBody>; inner: AnalyzedStatement[] }> {
    const bodies = new Map<string, RoutineBody>();
    const inner: AnalyzedStatement[] = [];
    const byName = new Map(dependencies.routines.map((routine) => [routine.path.join("."), routine]));
    for (const [name, routine] of byName) {
      const body = routineBody(routine);
      if (body !== undefined) bodies.set(name, body);
    }
    for (const call of byName.size === 0 ? [] : templatedCalls(statement)) {
      const routine = byName.get(call.name);
      if (routine === undefined || !isTemplated(routine.statement)) continue;
      const text = call.createText(routine.statement);
      const name = `${call.name}.${digest([text])}`;
      const analyzed = await this.#routine(text, env, depth);
      const body = routineBody({ ...routine, statement: analyzed.statement });
      if (body !== undefined) bodies.set(name, body);
      inner.push(analyzed);
      call.rename(name);
    }
    return { bodies, inner };
  }

  /** A routine's CREATE statement; its names are found where the caller's are. */
  async #routine(text: string, env: AnalysisEnv, depth: number): Promise<AnalyzedStatement> {
    if (depth >= MAX_VIEW_DEPTH) {
      throw new BigQueryError(
        "invalidQuery",
        `Functions call each other more than ${MAX_VIEW_DEPTH} deep`,
        "query",
      );
    }
    const inner: AnalysisEnv = {
      ...env,
      variables: new Map(),
      parameters: new Map(),
      targetTypes: undefined,
    };
    return await this.#analyze(text, inner, depth + 1);
  }

  /** A view as a table: its columns are those of its query as the tables stand now. */
  async #view(
    view: FoundTable,
    env: AnalysisEnv,
    depth: number,
    views: Map<string, AnalyzedStatement>,
  ): Promise<FoundTable> {
    if (depth >= MAX_VIEW_DEPTH) {
      throw new BigQueryError(
        "invalidQuery",
        `Query exceeds the view nesting depth limit of ${MAX_VIEW_DEPTH}`,
        "query",
      );
    }
    const inner: AnalysisEnv = {
      source: env.source,
      variables: new Map(),
      parameters: new Map(),
      defaultProject: view.ref.projectId,
    };
    const analyzed = await this.#analyze(view.viewQuery ?? "", inner, depth + 1);
    views.set(treeName(view), analyzed);
    const outputs = (analyzed.statement.outputColumnList ?? []) as readonly TreeNode[];
    const columns = outputs.map((output, index) => ({
      name:
        outputs.length === view.columns.length
          ? (view.columns[index]?.name ?? "")
          : String(output.name ?? ""),
      type: fromTypeProto((output.column as TreeNode).type),
    }));
    return { ...view, columns };
  }
}

/** One for each path. */
function distinct<T extends { readonly path: readonly string[] }>(all: readonly T[]): T[] {
  return [
    ...new Map(all.toReversed().map((each) => [each.path.join("\0").toLowerCase(), each])).values(),
  ].reverse();
}

/**
 * Names of tables and datasets tell case apart on BigQuery, and do not in GoogleSQL's own catalog: a name that is there in
 * another spelling only must not be taken for it.
 */
function refuseOtherSpelling(
  spellings: Map<string, string>,
  path: readonly string[],
  name: string,
  env: AnalysisEnv,
): void {
  const key = path.join("\0").toLowerCase();
  const other = spellings.get(key);
  spellings.set(key, name);
  if (other === undefined || other === name) return;
  if (other === "" || name === "") throw tableNotFound(path, env);
  throw unsupported(`tables whose names differ only in case in one statement (${path.join(".")})`);
}
