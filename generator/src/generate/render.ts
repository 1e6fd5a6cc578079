import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import Handlebars from "handlebars";
import { quoteIdentifier, sqlxIdentifier, sqlxLiteral, sqlxString } from "../project/names.ts";
import { renderEntity } from "./describe.ts";
import { buildExample } from "./example.ts";
import { checkQuerySize } from "./limits.ts";
import { type ActionRole, type DeleteRole, type EntityModel, placeOf, updatesName } from "./model.ts";
import * as ownTables from "./own-tables.ts";
import { POLICIES } from "./policies.ts";
import { sqlType, versionsType } from "./sql-type.ts";

const TEMPLATES = fileURLToPath(new URL("templates", import.meta.url));

/** The actions of every entity, in the order of the graph; each has the template `actions/<role>.sqlx.hbs`. */
const ROLES: readonly (ActionRole | DeleteRole)[] = [
  "updates",
  "tables",
  "watermark",
  "tombstones",
  "temp",
  "final",
  "view",
  "versions",
  "runs",
  "keyAssertion",
  "badRows",
  "auditFindings",
  "audit",
  "eraseGuard",
  "erase",
  "test",
];

const handlebars = Handlebars.create();
const templates = loadTemplates();

/** Renders an entity's files, its SQLX and what includes/ say of it: path to text. Pure. */
export function renderFiles(model: EntityModel): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const leaves = model.leaves.map((leaf) => ({ ...POLICIES[leaf.policy], path: leaf.dotted }));
  const sets = leaves.filter(({ gather }) => gather === "gatherUnion");
  const gathered = sets.length > 0 ? "_batch_united" : "_batch_gathered";
  const context = {
    model,
    leaves,
    sets,
    gathered,
    recomputed: model.hasClearFloors ? "_batch_cleared" : gathered,
    merged: model.hasClearFloors ? "_batch_cleared" : "_batch_merged",
    example: buildExample(model),
    updates: updatesName(model),
    tables: ownTables,
  };
  for (const role of ROLES) {
    const name = model.tables[role];
    if (name === undefined || (role === "updates" && !model.declaresUpdates)) continue;
    const template = templates.get(role);
    if (template === undefined) throw new Error(`no template for ${role}`);
    const text = template(context);
    checkQuerySize(text, name, model);
    files.set(`definitions/${model.name}/${name}.sqlx`, text);
  }
  files.set(`includes/entities/${model.name}.js`, renderEntity(model));
  return files;
}

function loadTemplates(): ReadonlyMap<string, HandlebarsTemplateDelegate> {
  // A partial stands on lines of its own and keeps its last line break; an expression stands within a line.
  for (const [name, text] of readTemplates("partials")) handlebars.registerPartial(name, text);
  for (const [name, text] of readTemplates("expressions")) handlebars.registerPartial(name, text.trimEnd());
  handlebars.registerHelper({
    eq: (a: unknown, b: unknown) => a === b,
    and: (...parts: unknown[]) => parts.slice(0, -1).every(Boolean),
    not: (a: unknown) => !a,
    isPresent: (...parts: unknown[]) => parts.slice(0, -1).some(Boolean),
    describe: (say: (entity: string) => string, options: Handlebars.HelperOptions) =>
      say(modelOf(options).name),
    identifier: sqlxIdentifier,
    key: (name: string) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : sqlxString(name)),
    jsString: sqlxString,
    columnType: sqlType,
    versionsType,
    sqlString: sqlxLiteral,
    ref: (role: ActionRole | DeleteRole, options: Handlebars.HelperOptions) =>
      `\${ref(${targetOf(role, options)})}`,
    resolve: (role: ActionRole | DeleteRole, options: Handlebars.HelperOptions) =>
      `\${resolve(${targetOf(role, options)})}`,
    target: targetOf,
    // The same within a placeholder: `ref("dataset", "table")`.
    call: (name: "ref" | "resolve", role: ActionRole | DeleteRole, options: Handlebars.HelperOptions) =>
      `${name}(${targetOf(role, options)})`,
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
    indent: (depth: number, text: string) => text.replaceAll("\n", `\n${" ".repeat(depth)}`),
  });
  const compiled = new Map<string, HandlebarsTemplateDelegate>();
  for (const [name, text] of readTemplates("actions")) {
    compiled.set(basename(name, ".sqlx"), handlebars.compile(text, { noEscape: true, strict: true }));
  }
  return compiled;
}

function modelOf(options: Handlebars.HelperOptions): EntityModel {
  return (options.data as { root: { model: EntityModel } }).root.model;
}

function targetOf(role: ActionRole | DeleteRole, options: Handlebars.HelperOptions): string {
  const model = modelOf(options);
  if (role !== "updates") return `"${model.dataset}", "${model.tables[role]}"`;
  const { project, dataset, table } = placeOf(model, role);
  return `${project === undefined ? "" : `"${project}", `}"${dataset}", "${table}"`;
}

function readTemplates(folder: string): [name: string, text: string][] {
  return readdirSync(join(TEMPLATES, folder))
    .filter((file) => file.endsWith(".hbs"))
    .sort()
    .map((file) => [basename(file, ".hbs"), readFileSync(join(TEMPLATES, folder, file), "utf8")]);
}
