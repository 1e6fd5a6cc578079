import type { RangeElementKind, SqlType } from "../types.ts";
import { missingTablePath, tableNotFound, toBigQueryError } from "./analysis-errors.ts";
import type { AnalyzedStatement } from "./analyzed-statement.ts";
import { parseBrackets } from "./brackets.ts";
import { type ByName, checkNames, findByName, parseByName } from "./by-name.ts";
import { digest, LruCache } from "./cache.ts";
import { buildCatalog, CatalogRegistry } from "./catalog.ts";
import { GoogleSqlClient, type Message } from "./client.ts";
import { coercedColumnsEdits } from "./coerced-columns.ts";
import { type Dependencies, DependencyFinder } from "./dependencies.ts";
import { emptyGroupingEdits } from "./empty-grouping.ts";
import { findGroupByAll, type GroupByAll, resolveGroupByAll } from "./group-by-all.ts";
import { bigQueryLanguage, SYSTEM_VARIABLES } from "./language.ts";
import { refuseStatement } from "./later-features.ts";
import { likeUnnestEdits } from "./like-unnest.ts";
import { findObjectNames, type ObjectNames, quotedPathEdits } from "./object-names.ts";
import { catalogRoutine } from "./routines.ts";
import { callsSessionize, resolveSessions } from "./sessionize.ts";
import type { AnalysisEnv } from "./source.ts";
import { type Edit, editText, type SplitText, writtenText } from "./split-text.ts";
import { flattenTree, type TreeNode } from "./tree.ts";
import { toTypeProto } from "./types.ts";

interface ParsedText {
  readonly script: TreeNode;
  readonly names: ObjectNames;
  readonly sql: string;
  /** What the analyzer is given in another form than it was written in. */
  readonly edits: readonly Edit[];
  readonly groupByAll: readonly GroupByAll[];
  readonly strict: ByName["strict"];
  readonly split: SplitText;
}

/** Characters of statements whose trees are kept; a tree takes some twenty bytes for each. */
const CACHED_TEXT = 2_000_000;
/** What the tree of the shortest statement takes, in the same measure. */
const TREE = 4_000;

/** GoogleSQL as a service: parses scripts, analyzes statements against the tables that a source knows. */
export class Analyzer {
  readonly #client: GoogleSqlClient;
  readonly #catalogs: CatalogRegistry;
  readonly #dependencies = new DependencyFinder((sql, env, depth) => this.#analyzeStatement(sql, env, depth));
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
    const parsed = coerced(await this.#parse(sql), env);
    const { script, names, split } = parsed;
    refuseStatement(script);
    const dependencies = await this.#dependencies.find(names, env, depth);
    const options = await this.#options(env);
    const key = digest([
      split.text,
      dependencies.key,
      JSON.stringify([options.queryParameters, options.positionalQueryParameters, options.targetColumnTypes]),
      String(options.allowUndeclaredParameters),
      JSON.stringify(parsed.strict),
    ]);
    const known = this.#analyzed.get(key);
    if (known !== undefined) return await known;
    const analysis = this.#analyze(parsed, dependencies, options, env, key, depth);
    this.#analyzed.set(key, analysis, sql.length + TREE);
    analysis.catch(() => this.#analyzed.delete(key));
    return await analysis;
  }

  async #analyze(
    parsed: ParsedText,
    dependencies: Dependencies,
    options: Message,
    env: AnalysisEnv,
    key: string,
    depth: number,
  ): Promise<AnalyzedStatement> {
    let { split } = parsed;
    const resolve = (sessions?: RangeElementKind): Promise<TreeNode> =>
      this.#resolve(parsed, dependencies, options, env, sessions, (analyzed) => {
        split = analyzed;
      });
    try {
      const statement = callsSessionize(parsed.names) ? await resolveSessions(resolve) : await resolve();
      const routines = await this.#dependencies.bodies(statement, dependencies, env, depth);
      const inner = [...dependencies.inner, ...routines.inner];
      return {
        statement,
        tables: dependencies.tables,
        names: dependencies,
        views: new Map([...inner.flatMap(({ views }) => [...views]), ...dependencies.views]),
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

  /** The resolved statement; `use` gets the text that is analyzed, whose places errors name. */
  async #resolve(
    parsed: ParsedText,
    dependencies: Dependencies,
    options: Message,
    env: AnalysisEnv,
    sessions: RangeElementKind | undefined,
    use: (split: SplitText) => void,
  ): Promise<TreeNode> {
    const language = await this.#languageOptions();
    const answer = await this.#catalogs.use(
      `${dependencies.key} ${sessions ?? ""}`,
      () =>
        buildCatalog(
          dependencies.named,
          dependencies.routines.map(catalogRoutine),
          env.variables,
          language,
          sessions,
        ),
      async (registeredCatalogId) => {
        const analyze = (sqlStatement: string): Promise<Message> =>
          this.#client.callOnce("analyze", { options, registeredCatalogId, sqlStatement });
        let { split, edits } = parsed;
        if (parsed.groupByAll.length > 0) {
          edits = await resolveGroupByAll(parsed.sql, parsed.edits, parsed.groupByAll, analyze);
          split = editText(parsed.sql, edits);
          use(split);
        }
        for (const operation of parsed.strict) await checkNames(operation, parsed.sql, edits, analyze);
        return await analyze(split.text);
      },
    );
    return flattenTree(answer.resolvedStatement) as TreeNode;
  }

  async #parse(sql: string): Promise<ParsedText> {
    const known = this.#parsed.get(sql);
    if (known !== undefined) return await known;
    const parsing = this.#parseAnew(sql);
    this.#parsed.set(sql, parsing, sql.length + TREE);
    parsing.catch(() => this.#parsed.delete(sql));
    return await parsing;
  }

  async #parseAnew(sql: string): Promise<ParsedText> {
    const options = await this.#languageOptions();
    try {
      const { parsed, unparsed } = await parseByName(sql, (text) =>
        parseBrackets(text, async (sqlStatement) => {
          const answer = await this.#client.call("parse", { sqlStatement, options, allowScript: true });
          return flattenTree(answer.parsedScript) as TreeNode;
        }),
      );
      const { script, edits: brackets } = parsed;
      const byName = findByName(sql, script, unparsed);
      const edits = [
        ...brackets,
        ...quotedPathEdits(sql, script),
        ...byName.edits,
        ...emptyGroupingEdits(script),
        ...likeUnnestEdits(sql, script),
      ];
      const split = editText(sql, edits);
      return {
        script,
        names: findObjectNames(script),
        sql,
        edits,
        groupByAll: findGroupByAll(script),
        strict: byName.strict,
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

/** The text in the form whose columns can be coerced, where they are to be. */
function coerced(parsed: ParsedText, env: AnalysisEnv): ParsedText {
  const more = env.targetTypes === undefined ? [] : coercedColumnsEdits(parsed.script);
  if (more.length === 0) return parsed;
  const edits = [...parsed.edits, ...more];
  return { ...parsed, edits, split: editText(parsed.sql, edits) };
}

function isPositional(parameters: AnalysisEnv["parameters"]): parameters is readonly SqlType[] {
  return Array.isArray(parameters);
}
