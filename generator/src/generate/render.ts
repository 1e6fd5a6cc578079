import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import Handlebars from "handlebars";
import { quoteIdentifier, sqlxIdentifier, sqlxLiteral, sqlxString } from "../project/names.ts";
import { InputError } from "../project/problems.ts";
import type { SchemaField } from "../project/schema.ts";
import { buildExample } from "./example.ts";
import type { ActionRole, DeleteRole, EntityModel } from "./model.ts";

const TEMPLATES = fileURLToPath(new URL("templates", import.meta.url));

/** BigQuery's limit for one query's text: https://cloud.google.com/bigquery/quotas#query_jobs */
const MAX_QUERY_BYTES = 1_024 * 1_024;
/** What Dataform adds when it compiles: full table names, the CREATE statement around a query. */
const QUERY_MARGIN = 16_384;

/** The actions of every entity, in the order of the graph; each has the template `actions/<role>.sqlx.hbs`. */
const ROLES: readonly (ActionRole | DeleteRole)[] = [
  "updates",
  "tables",
  "watermark",
  "tombstones",
  "temp",
  "final",
  "view",
  "runs",
  "keyAssertion",
  "badRows",
  "audit",
  "eraseGuard",
  "erase",
  "test",
];

const handlebars = Handlebars.create();
const templates = loadTemplates();

/** Renders an entity's SQLX files: path to text. Pure. */
export function renderFiles(model: EntityModel): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const context = {
    model,
    example: buildExample(model),
    tempColumns: [
      { name: "_versions", description: "For each attribute, the version of the update that set it." },
      {
        name: "_batch",
        description: "Where and when the batch was read; per user, how many updates it holds.",
      },
    ],
    finalColumns: [
      { name: "_versions", description: "For each attribute, the version of the update that set it." },
    ],
  };
  for (const role of ROLES) {
    const name = model.tables[role];
    if (name === undefined) continue;
    const template = templates.get(role);
    if (template === undefined) throw new Error(`no template for ${role}`);
    const text = template(context);
    checkQuerySize(text, name, model);
    files.set(`definitions/${model.name}/${name}.sqlx`, text);
  }
  return files;
}

function checkQuerySize(text: string, action: string, model: EntityModel): void {
  const sql = text.slice(text.indexOf("\n}\n"));
  const limit = MAX_QUERY_BYTES - QUERY_MARGIN;
  const largest = Math.max(...sql.split(/^---$/m).map((job) => Buffer.byteLength(job)));
  if (largest <= limit) return;
  const count = model.leaves.length;
  const fitting = Math.floor((count * limit) / largest);
  throw new InputError([
    {
      file: model.schemaFile,
      path: "",
      wrong: `the query of ${action} (entity ${model.name}) has ${Math.ceil(largest / 1_024)} KB with ${count} ${count === 1 ? "leaf" : "leaves"}, and BigQuery refuses more than 1024 KB`,
      right:
        fitting > 0
          ? `about ${fitting} leaves fit; split the entity, or make some RECORDs atomic`
          : "its RECORDs that move as one value have too many fields: split them, or the entity",
    },
  ]);
}

function loadTemplates(): ReadonlyMap<string, HandlebarsTemplateDelegate> {
  // A partial stands on lines of its own and keeps its last line break; an expression stands within a line.
  for (const [name, text] of readTemplates("partials")) handlebars.registerPartial(name, text);
  for (const [name, text] of readTemplates("expressions")) handlebars.registerPartial(name, text.trimEnd());
  handlebars.registerHelper({
    eq: (a: unknown, b: unknown) => a === b,
    and: (...parts: unknown[]) => parts.slice(0, -1).every(Boolean),
    first: (list: readonly unknown[]) => list[0],
    ordinal: (index: number) => index + 1,
    not: (a: unknown) => !a,
    // GoogleSQL loses count of the brackets after a RANGE<…> and then takes >> for a shift.
    beforeBracket: (field: SchemaField) => (hasRange(field) ? " " : ""),
    or: (a: unknown, b: unknown) => Boolean(a) || Boolean(b),
    join: (...parts: unknown[]) => parts.slice(0, -1).join(""),
    default: (value: unknown, fallback: unknown) => value ?? fallback,
    identifier: sqlxIdentifier,
    key: (name: string) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : sqlxString(name)),
    jsString: sqlxString,
    sqlString: sqlxLiteral,
    ref: (role: ActionRole | DeleteRole, options: Handlebars.HelperOptions) =>
      `\${ref(${targetOf(role, options)})}`,
    resolve: (role: ActionRole | DeleteRole, options: Handlebars.HelperOptions) =>
      `\${resolve(${targetOf(role, options)})}`,
    dependency: (role: ActionRole | DeleteRole, options: Handlebars.HelperOptions) => {
      const { dataset, tables } = modelOf(options);
      return `"${dataset}.${tables[role]}"`;
    },
    // A quoted name: between backticks in SQL, escaped ones within a JavaScript template string.
    sqlx: (quoted: string) => (/'|--/.test(quoted) ? `\${${sqlxString(quoted)}}` : quoted),
    // SQL inside a JavaScript template string: the backticks of its names must not end that, nor its backslashes get lost.
    inLiteral(this: unknown, options: Handlebars.HelperOptions) {
      return options.fn(this).replaceAll("\\", "\\\\").replaceAll("`", "\\`");
    },
    inTemplate: (name: string) => quoteIdentifier(name).replaceAll("`", "\\`"),
  });
  const compiled = new Map<string, HandlebarsTemplateDelegate>();
  for (const [name, text] of readTemplates("actions")) {
    compiled.set(basename(name, ".sqlx"), handlebars.compile(text, { noEscape: true, strict: false }));
  }
  return compiled;
}

function hasRange({ type, fields = [] }: SchemaField): boolean {
  return type.startsWith("RANGE<") || fields.some(hasRange);
}

function modelOf(options: Handlebars.HelperOptions): EntityModel {
  return (options.data as { root: { model: EntityModel } }).root.model;
}

function targetOf(role: ActionRole | DeleteRole, options: Handlebars.HelperOptions): string {
  const { dataset, tables } = modelOf(options);
  return `"${dataset}", "${tables[role]}"`;
}

function readTemplates(folder: string): [name: string, text: string][] {
  return readdirSync(join(TEMPLATES, folder))
    .filter((file) => file.endsWith(".hbs"))
    .sort()
    .map((file) => [basename(file, ".hbs"), readFileSync(join(TEMPLATES, folder, file), "utf8")]);
}
