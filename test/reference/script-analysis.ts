/** Whole scripts through Google's analyzer, against a catalog that starts from the user schemas and grows by what the scripts create. */
import type { Analyzer } from "../../local/src/googlesql/analyzer.ts";
import { ByteText, identifierOf, pathOf } from "../../local/src/googlesql/parse-tree.ts";
import type {
  AnalysisEnv,
  FoundTable,
  SourceColumn,
  TableSchemaSource,
} from "../../local/src/googlesql/source.ts";
import type { TreeNode } from "../../local/src/googlesql/tree.ts";
import { fromTypeProto } from "../../local/src/googlesql/types.ts";
import { typeText } from "../../local/src/type-text.ts";
import type { RangeElementKind, ScalarKind, SqlType } from "../../local/src/types.ts";
import type { Entity } from "../exactness/oracle.ts";
import { boundOf, elementOf, type Field, isRange } from "../exactness/values.ts";

/** A field's type as the analyzer has it. */
export function sqlTypeOf(field: Field): SqlType {
  if (field.mode === "REPEATED") return { kind: "ARRAY", element: sqlTypeOf(elementOf(field)) };
  if (isRange(field)) return { kind: "RANGE", element: { kind: boundOf(field).type as RangeElementKind } };
  if (field.type !== "RECORD") return { kind: field.type as ScalarKind };
  const fields = (field.fields ?? []).map((member) => ({ name: member.name, type: sqlTypeOf(member) }));
  return { kind: "STRUCT", fields };
}

/** What the scripts read of https://cloud.google.com/bigquery/docs/information-schema-partitions */
export const PARTITIONS: readonly SourceColumn[] = [
  { name: "table_name", type: { kind: "STRING" } },
  { name: "partition_id", type: { kind: "STRING" } },
  { name: "last_modified_time", type: { kind: "TIMESTAMP" } },
];

/** The same of https://cloud.google.com/bigquery/docs/information-schema-tables */
export const TABLES: readonly SourceColumn[] = [
  { name: "table_name", type: { kind: "STRING" } },
  { name: "creation_time", type: { kind: "TIMESTAMP" } },
];

/** The columns of updates: the schema's, and those that clear and delete. */
export function updateColumns(entity: Entity): SourceColumn[] {
  const columns: SourceColumn[] = entity.fields.map((field) => ({
    name: field.name,
    type: sqlTypeOf(field),
  }));
  if (entity.clearedFields !== undefined) {
    columns.push({ name: entity.clearedFields, type: { kind: "ARRAY", element: { kind: "STRING" } } });
  }
  if (entity.deleted !== undefined) columns.push({ name: entity.deleted, type: { kind: "BOOL" } });
  return columns;
}

/** The columns of final: the schema's, the base version, and a TIMESTAMP for each leaf whose version is another one. */
export function finalColumns(entity: Entity): SourceColumn[] {
  const special = new Set([...entity.key, entity.ingestTimestamp, entity.eventTimestamp]);
  const attributes = entity.fields.filter(({ name }) => !special.has(name));
  return [
    ...entity.fields.map((field) => ({ name: field.name, type: sqlTypeOf(field) })),
    { name: "_base_version", type: { kind: "TIMESTAMP" } },
    { name: "_own_versions", type: versionsOf(attributes) },
  ];
}

function versionsOf(fields: readonly Field[]): SqlType {
  const versions = fields.map((field) => {
    const isInner = field.type === "RECORD" && field.mode !== "REPEATED" && field.merge !== "atomic";
    const type: SqlType = isInner ? versionsOf(field.fields ?? []) : { kind: "TIMESTAMP" };
    return { name: field.name, type };
  });
  return { kind: "STRUCT", fields: versions };
}

/** Tables that are known before any statement ran, and those the analyzed statements create. */
export class GrowingCatalog implements TableSchemaSource {
  readonly #tables = new Map<string, FoundTable>();
  readonly #project: string;

  constructor(project: string) {
    this.#project = project;
  }

  /** Adds a table, or replaces it. */
  add(path: readonly string[], columns: readonly SourceColumn[], viewQuery?: string): void {
    const [projectId = "", datasetId = "", ...rest] = this.#full(path);
    const ref = { projectId, datasetId, tableId: rest.join(".") };
    const version = `${viewQuery ?? ""}${columnsText(columns)}`;
    this.#tables.set(this.#full(path).join("."), {
      ref,
      columns,
      version,
      ...(viewQuery ? { viewQuery } : {}),
    });
  }

  findTable(path: readonly string[]): Promise<FoundTable | undefined> {
    return Promise.resolve(this.get(path));
  }

  /** A table by its path; a name alone is a temporary table's. */
  get(path: readonly string[]): FoundTable | undefined {
    return this.#tables.get(this.#full(path).join("."));
  }

  #full(path: readonly string[]): string[] {
    const split = path.flatMap((name) => name.split("."));
    return [...[this.#project, "_temporary"].slice(0, Math.max(0, 3 - split.length)), ...split];
  }
}

/** Columns as text, to compare them. */
function columnsText(columns: readonly SourceColumn[]): string {
  return columns.map(({ name, type }) => `${name} ${typeText(type)}`).join(", ");
}

/** Analyzes every statement of a script in turn; throws the analyzer's error. Gives the number of statements. */
export async function analyzeScript(
  analyzer: Analyzer,
  catalog: GrowingCatalog,
  script: string,
): Promise<number> {
  const tree = await analyzer.parseScript(script);
  const text = new ByteText(script);
  const variables = new Map<string, SqlType>();
  const env: AnalysisEnv = { source: catalog, variables, parameters: [], defaultProject: "" };
  return await analyzeList(tree.statementListNode as TreeNode);

  async function analyzeList(list: TreeNode): Promise<number> {
    const statements = (list.statementList ?? []) as readonly TreeNode[];
    let count = statements.length;
    for (const statement of statements) count += await analyzeOne(statement);
    return count;
  }

  /** Analyzes a statement; gives the number of those inside it. */
  async function analyzeOne(statement: TreeNode): Promise<number> {
    switch (statement.kind) {
      case "astVariableDeclaration": {
        const type = await declaredType(analyzer, text, statement, env);
        const names = ((statement.variableList as TreeNode).identifierList ?? []) as readonly TreeNode[];
        for (const name of names) variables.set(identifierOf(name), type);
        return 0;
      }
      case "astSingleAssignment": {
        const name = identifierOf(statement.variable as TreeNode);
        const type = variables.get(name);
        if (type === undefined) throw new Error(`SET of ${name}, which is not declared`);
        const value = text.textOf(statement.expression as TreeNode);
        const got = outputColumns(await analyze(`SELECT (${value})`))[0]?.type;
        // Fields are assigned by their places; that they also have the same names keeps the two in step.
        if (got !== undefined && typeText(got) !== typeText(type)) {
          throw new Error(`SET of ${name}, a ${typeText(type)}, to a ${typeText(got)}`);
        }
        return 0;
      }
      case "astIfStatement": {
        await analyze(`SELECT IF(${text.textOf(statement.condition as TreeNode)}, 1, 2)`);
        const lists = [statement.thenList, statement.elseList].filter((list) => list !== undefined);
        let count = 0;
        for (const list of lists) count += await analyzeList(list as TreeNode);
        return count;
      }
      case "astWhileStatement":
        await analyze(`SELECT IF(${text.textOf(statement.condition as TreeNode)}, 1, 2)`);
        return await analyzeList(statement.body as TreeNode);
      case "astRaiseStatement":
        return 0;
      case "astBeginEndBlock": {
        const handlers = ((statement.handlerList as TreeNode | undefined)?.exceptionHandlerList ??
          []) as readonly TreeNode[];
        let count = 0;
        for (const block of [statement, ...handlers])
          count += await analyzeList((block.statementListNode ?? block.statementList) as TreeNode);
        return count;
      }
      default:
        addCreated(catalog, statement, await analyze(text.textOf(statement)), text);
        return 0;
    }
  }

  async function analyze(sql: string): Promise<TreeNode> {
    return (await analyzer.analyzeStatement(sql, env)).statement;
  }
}

async function declaredType(
  analyzer: Analyzer,
  text: ByteText,
  declaration: TreeNode,
  env: AnalysisEnv,
): Promise<SqlType> {
  const types: SqlType[] = [];
  if (declaration.type)
    types.push(await typeOf(`CAST(NULL AS ${text.textOf(declaration.type as TreeNode)})`));
  if (declaration.defaultValue)
    types.push(await typeOf(`(${text.textOf(declaration.defaultValue as TreeNode)})`));
  const [type, other] = types;
  if (type === undefined) throw new Error("a declaration without type and default");
  if (other !== undefined && typeText(type) !== typeText(other)) {
    throw new Error(`a variable of ${typeText(type)} has a default of ${typeText(other)}`);
  }
  return type;

  async function typeOf(expression: string): Promise<SqlType> {
    const { statement } = await analyzer.analyzeStatement(`SELECT ${expression}`, env);
    return outputColumns(statement)[0]?.type ?? { kind: "INT64" };
  }
}

function outputColumns(statement: TreeNode): SourceColumn[] {
  const outputs = (statement.outputColumnList ?? []) as readonly TreeNode[];
  return outputs.map(({ name, column }) => ({
    name: String(name),
    type: fromTypeProto((column as TreeNode).type),
  }));
}

function addCreated(catalog: GrowingCatalog, parsed: TreeNode, resolved: TreeNode, text: ByteText): void {
  if (!["astCreateTableStatement", "astCreateViewStatement"].includes(parsed.kind ?? "")) return;
  const path = pathOf(parsed.name as TreeNode);
  const columns = parsed.query === undefined ? definedColumns(resolved) : outputColumns(resolved);
  const known = catalog.get(path);
  if (parsed.isIfNotExists === true && known !== undefined) {
    // An ALTER behind adds what the CREATE leaves out.
    const wanted = new Map(known.columns.map((column) => [column.name, columnsText([column])]));
    for (const column of columns) {
      const written = columnsText([column]);
      if (wanted.get(column.name) === written) continue;
      throw new Error(`${path.join(".")} is created with ${written}, but has ${wanted.get(column.name)}`);
    }
    return;
  }
  const isView = parsed.kind === "astCreateViewStatement";
  catalog.add(path, columns, isView ? text.textOf(parsed.query as TreeNode) : undefined);
}

function definedColumns(statement: TreeNode): SourceColumn[] {
  const definitions = (statement.columnDefinitionList ?? []) as readonly TreeNode[];
  return definitions.map(({ name, type }) => ({ name: String(name), type: fromTypeProto(type) }));
}
