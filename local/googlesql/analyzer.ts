import { createHash } from "node:crypto";
import { BigQueryError, unsupported } from "../errors.ts";
import type { SqlType } from "../types.ts";
import { missingTablePath, tableNotFound, toBigQueryError } from "./analysis-errors.ts";
import { LruCache } from "./cache.ts";
import { buildCatalog, CatalogRegistry, type NamedTable, treeName } from "./catalog.ts";
import { GoogleSqlClient, type Message } from "./client.ts";
import { findGroupByAll, type GroupByAll, resolveGroupByAll } from "./group-by-all.ts";
import { bigQueryLanguage, SYSTEM_VARIABLES } from "./language.ts";
import { refuseStatement } from "./later-features.ts";
import { findObjectNames, type ObjectNames, quotedPathEdits } from "./object-names.ts";
import {
  type AnalyzedRoutine,
  catalogRoutine,
  checkLanguage,
  type RoutineBody,
  routineBody,
  templatedCalls,
} from "./routines.ts";
import type { AnalysisEnv, FoundTable } from "./source.ts";
import { type Edit, editText, type SplitText, writtenText } from "./split-text.ts";
import { flattenTree, type TreeNode } from "./tree.ts";
import { fromTypeProto, toTypeProto } from "./types.ts";

/** A statement as GoogleSQL resolved it, with all it depends on. */
export interface AnalyzedStatement {
  readonly statement: TreeNode;
  /** The tables by their name in the tree. */
  readonly tables: ReadonlyMap<string, FoundTable>;
  /** The views among them, analyzed on their own, by the same names. */
  readonly views: ReadonlyMap<string, AnalyzedStatement>;
  /** The bodies of the user's functions that it calls, by the name that stands in the tree after its group. */
  readonly routines: ReadonlyMap<string, RoutineBody>;
  /** The text that the byte ranges in the tree refer to. */
  readonly text: string;
  /** Equal for equal trees: what is made of the tree alone may be kept under it. */
  readonly key: string;
  /** A part of `text` as it was written before names in it were split. */
  written(part: string): string;
}

interface ParsedText {
  readonly script: TreeNode;
  readonly names: ObjectNames;
  readonly sql: string;
  /** What the analyzer is given in another form than it was written in. */
  readonly edits: readonly Edit[];
  readonly groupByAll: readonly GroupByAll[];
  readonly split: SplitText;
}

interface Catalog {
  readonly key: string;
  readonly tables: ReadonlyMap<string, FoundTable>;
  readonly views: ReadonlyMap<string, AnalyzedStatement>;
  readonly named: readonly NamedTable[];
  readonly routines: readonly AnalyzedRoutine[];
  /** The bodies of functions that those functions call, and views in them. */
  readonly inner: readonly AnalyzedStatement[];
}

/** Characters of statements whose trees are kept. */
const CACHED_TEXT = 4_000_000;
/** https://cloud.google.com/bigquery/quotas#view_limits */
const MAX_VIEW_DEPTH = 16;

/** GoogleSQL as a service: parses scripts, analyzes statements against the tables that a source knows. */
export class Analyzer {
  readonly #client: GoogleSqlClient;
  readonly #catalogs: CatalogRegistry;
  readonly #parsed = new LruCache<Promise<ParsedText>>(CACHED_TEXT);
  readonly #analyzed = new LruCache<Promise<AnalyzedStatement>>(CACHED_TEXT);
  readonly #optionsOf = new LruCache<Message>(100);
  #language: Promise<Message> | undefined;

  constructor(client = new GoogleSqlClient()) {
    this.#client = client;
    this.#catalogs = new CatalogRegistry(client);
  }

  /** Starts the server, so that the first statement does not wait for it. */
  async start(): Promise<void> {
    await this.#languageOptions();
  }

  /** Stops the server. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  /** The tree of a whole script, `astScript`; byte ranges refer to `sql`. */
  async parseScript(sql: string): Promise<TreeNode> {
    return (await this.#parse(sql)).script;
  }

  /** The names of tables and routines that a script's text has; also those of WITH queries and array paths. */
  async findNames(sql: string): Promise<ObjectNames> {
    return (await this.#parse(sql)).names;
  }

  /** Analyzes one statement. */
  async analyzeStatement(sql: string, env: AnalysisEnv): Promise<AnalyzedStatement> {
    return await this.#analyzeStatement(sql, env, 0);
  }

  async #analyzeStatement(sql: string, env: AnalysisEnv, depth: number): Promise<AnalyzedStatement> {
    const parsed = await this.#parse(sql);
    const { script, names, split } = parsed;
    refuseStatement(script);
    const catalog = await this.#catalog(names, env, depth);
    const options = await this.#options(env);
    const key = digest([
      split.text,
      catalog.key,
      JSON.stringify([options.queryParameters, options.positionalQueryParameters, options.targetColumnTypes]),
      String(options.allowUndeclaredParameters),
    ]);
    const known = this.#analyzed.get(key);
    if (known !== undefined) return await known;
    const analysis = this.#analyze(parsed, catalog, options, env, key, depth);
    this.#analyzed.set(key, analysis, sql.length + 1000);
    analysis.catch(() => this.#analyzed.delete(key));
    return await analysis;
  }

  async #analyze(
    parsed: ParsedText,
    catalog: Catalog,
    options: Message,
    env: AnalysisEnv,
    key: string,
    depth: number,
  ): Promise<AnalyzedStatement> {
    const language = await this.#languageOptions();
    let { split } = parsed;
    try {
      const answer = await this.#catalogs.use(
        catalog.key,
        () => buildCatalog(catalog.named, catalog.routines.map(catalogRoutine), env.variables, language),
        async (registeredCatalogId) => {
          const analyze = (sqlStatement: string): Promise<Message> =>
            this.#client.callOnce("analyze", { options, registeredCatalogId, sqlStatement });
          if (parsed.groupByAll.length > 0) {
            split = await resolveGroupByAll(parsed.sql, parsed.edits, parsed.groupByAll, analyze);
          }
          return await analyze(split.text);
        },
      );
      const statement = flattenTree(answer.resolvedStatement) as TreeNode;
      const routines = await this.#bodies(statement, catalog, env, depth);
      const inner = [...catalog.inner, ...routines.inner];
      return {
        statement,
        tables: catalog.tables,
        views: new Map([...inner.flatMap(({ views }) => [...views]), ...catalog.views]),
        routines: new Map([...inner.flatMap(({ routines }) => [...routines]), ...routines.bodies]),
        text: split.text,
        key,
        written: (part) => writtenText(split, part),
      };
    } catch (error) {
      const missing = missingTablePath(error);
      if (missing === undefined) throw toBigQueryError(error, split);
      throw (await env.source.missingTable?.(missing)) ?? tableNotFound(missing, env);
    }
  }

  async #catalog(names: ObjectNames, env: AnalysisEnv, depth: number): Promise<Catalog> {
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
    for (const path of [...names.functions, ...names.tableFunctions]) {
      const named = path[0]?.toUpperCase() === "SAFE" && path.length > 1 ? path.slice(1) : path;
      const found = await env.source.findRoutine?.(named);
      if (found === undefined || found.routine === "PROCEDURE") continue;
      const analyzed = await this.#routine(found.text, env, depth);
      checkLanguage(named, analyzed.statement);
      versions.push(named.join("."), found.version, analyzed.key);
      routines.push({ path: named, found, statement: analyzed.statement });
      inner.push(analyzed);
    }
    const variables = JSON.stringify([...env.variables].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { key: digest([...versions, variables]), tables, views, named, routines, inner };
  }

  /** The bodies of the functions that a tree calls; each call of a templated one gets a body for its types. */
  async #bodies(
    statement: TreeNode,
    catalog: Catalog,
    env: AnalysisEnv,
    depth: number,
  ): Promise<{ bodies: Map<string, RoutineBody>; inner: AnalyzedStatement[] }> {
    const bodies = new Map<string, RoutineBody>();
    const inner: AnalyzedStatement[] = [];
    const byName = new Map(catalog.routines.map((routine) => [routine.path.join("."), routine]));
    for (const [name, routine] of byName) {
      const body = routineBody(routine);
      if (body !== undefined) bodies.set(name, body);
    }
    for (const call of byName.size === 0 ? [] : templatedCalls(statement)) {
      const routine = byName.get(call.name);
      if (routine === undefined) continue;
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
    return await this.#analyzeStatement(text, inner, depth + 1);
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
    const analyzed = await this.#analyzeStatement(view.viewQuery ?? "", inner, depth + 1);
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

  async #parse(sql: string): Promise<ParsedText> {
    const known = this.#parsed.get(sql);
    if (known !== undefined) return await known;
    const parsing = this.#parseAnew(sql);
    this.#parsed.set(sql, parsing, sql.length + 1000);
    parsing.catch(() => this.#parsed.delete(sql));
    return await parsing;
  }

  async #parseAnew(sql: string): Promise<ParsedText> {
    const options = await this.#languageOptions();
    try {
      const answer = await this.#client.call("parse", { sqlStatement: sql, options, allowScript: true });
      const script = flattenTree(answer.parsedScript) as TreeNode;
      const edits = quotedPathEdits(sql, script);
      const split = editText(sql, edits);
      return {
        script,
        names: findObjectNames(script),
        sql,
        edits,
        groupByAll: findGroupByAll(script),
        split,
      };
    } catch (error) {
      throw toBigQueryError(error);
    }
  }

  async #options(env: AnalysisEnv): Promise<Message> {
    // Where no parameters are given, one that is named is reported by its name.
    const allowUndeclaredParameters = env.allowUndeclared === true;
    const positional =
      isPositional(env.parameters) && (env.parameters.length > 0 || allowUndeclaredParameters);
    const named = isPositional(env.parameters) ? [] : [...env.parameters];
    const options = {
      languageOptions: await this.#languageOptions(),
      defaultTimezone: "UTC",
      // What a scan lists is what the statement reads.
      pruneUnusedColumns: true,
      errorMessageMode: "ERROR_MESSAGE_ONE_LINE",
      parseLocationRecordType: "PARSE_LOCATION_RECORD_FULL_NODE_SCOPE",
      ddlPseudoColumns: [
        { name: "_PARTITIONTIME", type: toTypeProto({ kind: "TIMESTAMP" }) },
        { name: "_PARTITIONDATE", type: toTypeProto({ kind: "DATE" }) },
      ],
      allowUndeclaredParameters,
      parameterMode: positional ? "PARAMETER_POSITIONAL" : "PARAMETER_NAMED",
      queryParameters: named.map(([name, type]) => ({ name, type: toTypeProto(type) })),
      positionalQueryParameters: isPositional(env.parameters) ? env.parameters.map(toTypeProto) : [],
      targetColumnTypes: (env.targetTypes ?? []).map(toTypeProto),
      systemVariables: [...SYSTEM_VARIABLES].map(([name, type]) => ({
        namePath: name.split("."),
        type: toTypeProto(type),
      })),
    };
    // Equal options are one object, which the client writes once.
    const { parameterMode, queryParameters, positionalQueryParameters, targetColumnTypes } = options;
    const key = JSON.stringify([
      parameterMode,
      queryParameters,
      positionalQueryParameters,
      targetColumnTypes,
      allowUndeclaredParameters,
    ]);
    const known = this.#optionsOf.get(key) ?? options;
    this.#optionsOf.set(key, known);
    return known;
  }

  #languageOptions(): Promise<Message> {
    this.#language ??= this.#client
      .call("getLanguageOptions", { maximumFeatures: true })
      .then(bigQueryLanguage);
    this.#language.catch(() => {
      this.#language = undefined;
    });
    return this.#language;
  }
}

function isPositional(parameters: AnalysisEnv["parameters"]): parameters is readonly SqlType[] {
  return Array.isArray(parameters);
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

function digest(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("base64");
}
