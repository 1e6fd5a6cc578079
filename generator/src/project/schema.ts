import { type FieldType, parseParameters, parseRoundingMode, parseType } from "./field-types.ts";
import { columnNameFault } from "./names.ts";
import { isObject, ProblemList, parseJson, show } from "./problems.ts";

/** One field of the user schema, checked and with its aliases resolved. */
export interface SchemaField {
  readonly name: string;
  readonly type: FieldType;
  readonly mode: "NULLABLE" | "REQUIRED" | "REPEATED";
  readonly description?: string;
  /** The parameters of a parameterized type, as in `NUMERIC(10, 2)`: `10, 2`. */
  readonly typeParameters?: string;
  readonly roundingMode?: string;
  /** `defaultValueExpression` is CURRENT_TIMESTAMP(); only the ingest timestamp may have it. */
  readonly defaultsToNow: boolean;
  /** How its values become one, as the schema says it: the generator knows which policies there are. */
  readonly merge?: unknown;
  /** The fields of a STRUCT; empty for every other type. */
  readonly fields: readonly SchemaField[];
  /** Where the field stands in its file, for errors. */
  readonly path: string;
}

const MODES = ["NULLABLE", "REQUIRED", "REPEATED"] as const;
/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema */
const MAX_DESCRIPTION_LENGTH = 1_024;

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema, and our `merge`. */
const KNOWN_OPTIONS = new Set([
  "name",
  "type",
  "mode",
  "description",
  "fields",
  "maxLength",
  "precision",
  "scale",
  "roundingMode",
  "defaultValueExpression",
  "collation",
  "policyTags",
  "dataPolicies",
  "rangeElementType",
  "merge",
]);

/**
 * A field stands at most 15 levels deep, a column being the first, so 14 RECORDs may nest: BigQuery says "Schema nested
 * too deeply for field …, maximum allowed depth is 15" of the fifteenth. https://cloud.google.com/bigquery/quotas#standard_tables
 */
export const MAX_NESTED_RECORDS = 14;

/** Reads a BigQuery schema, `{"fields": […]}` or the bare array; throws an InputError that lists all faults. */
export function parseSchema(text: string, file: string): readonly SchemaField[] {
  const json = parseJson(text, file);
  const problems = new ProblemList(file);
  const isBare = Array.isArray(json);
  const list = isBare ? json : isObject(json) ? json.fields : undefined;
  if (!Array.isArray(list)) {
    problems.add(
      "",
      "not a BigQuery schema",
      'write {"fields": [{"name": …, "type": …}, …]} or the bare array of fields',
    );
    problems.throwIfAny();
    return [];
  }
  const fields = parseFields(list, isBare ? "" : "fields", 0, problems);
  problems.throwIfAny();
  return fields;
}

function parseFields(
  list: unknown[],
  path: string,
  depth: number,
  problems: ProblemList,
): readonly SchemaField[] {
  if (list.length === 0) problems.add(path, "no fields", "list at least one field");
  const seen = new Map<string, string>();
  const fields: SchemaField[] = [];
  for (const [index, item] of list.entries()) {
    const itemPath = `${path}[${index}]`;
    const field = parseField(item, itemPath, depth, problems);
    if (field === undefined) continue;
    const earlier = seen.get(field.name.toLowerCase());
    if (earlier !== undefined) {
      const how =
        earlier === field.name
          ? "appears twice"
          : `equals ${show(earlier)} but for case, which BigQuery ignores`;
      problems.add(`${itemPath}.name`, `${show(field.name)} ${how}`, "give every field a name of its own");
    }
    seen.set(field.name.toLowerCase(), field.name);
    fields.push(field);
  }
  return fields;
}

function parseField(
  item: unknown,
  path: string,
  depth: number,
  problems: ProblemList,
): SchemaField | undefined {
  if (!isObject(item)) {
    problems.add(path, `${show(item)} is not a field`, 'write {"name": "attribute1", "type": "STRING"}');
    return undefined;
  }
  const fault = (option: string, wrong: string, right: string) =>
    problems.add(`${path}.${option}`, wrong, right);
  for (const option of Object.keys(item)) {
    if (!KNOWN_OPTIONS.has(option)) {
      fault(
        option,
        "unknown option",
        `BigQuery's fields have ${[...KNOWN_OPTIONS].slice(0, 5).join(", ")}, …, and here also merge`,
      );
    }
  }
  const name = parseName(item.name, path, problems);
  const type = parseType(item, path, problems);
  const mode = parseMode(item.mode, path, problems);
  refuseUnmergeable(item, path, problems);

  let fields: readonly SchemaField[] = [];
  if (type === "STRUCT") {
    if (depth + 1 > MAX_NESTED_RECORDS) {
      problems.add(
        path,
        `RECORD nested ${depth + 1} deep`,
        `BigQuery allows ${MAX_NESTED_RECORDS} RECORDs one inside the other; flatten it`,
      );
    } else if (!Array.isArray(item.fields)) {
      fault("fields", "a RECORD without fields", "list its fields");
    } else {
      fields = parseFields(item.fields, `${path}.fields`, depth + 1, problems);
    }
  } else if (item.fields !== undefined && !(Array.isArray(item.fields) && item.fields.length === 0)) {
    fault("fields", `a ${show(item.type)} has no fields`, "make it a RECORD or leave fields out");
  }
  if (item.description !== undefined && typeof item.description !== "string") {
    fault("description", "not a text", "write a string");
  } else if ([...(item.description ?? "")].length > MAX_DESCRIPTION_LENGTH) {
    const length = [...(item.description ?? "")].length;
    fault("description", `has ${length} characters`, `BigQuery allows ${MAX_DESCRIPTION_LENGTH}; shorten it`);
  }
  if (name === undefined || type === undefined || mode === undefined) return undefined;
  return {
    name,
    type,
    mode,
    fields,
    path,
    description:
      typeof item.description === "string" && item.description !== "" ? item.description : undefined,
    typeParameters: parseParameters(item, type, path, problems),
    roundingMode: parseRoundingMode(item.roundingMode, type, path, problems),
    defaultsToNow: isNow(item.defaultValueExpression),
    merge: item.merge,
  };
}

function parseName(value: unknown, path: string, problems: ProblemList): string | undefined {
  if (typeof value !== "string") {
    problems.add(
      `${path}.name`,
      value === undefined ? "missing" : `${show(value)} is not a text`,
      "name the field",
    );
    return undefined;
  }
  const fault = columnNameFault(value);
  if (fault === undefined) return value;
  problems.add(`${path}.name`, `${show(value)}: ${fault.wrong}`, fault.right);
  return undefined;
}

function parseMode(value: unknown, path: string, problems: ProblemList): SchemaField["mode"] | undefined {
  if (value === undefined || value === null || value === "") return "NULLABLE";
  const mode = typeof value === "string" ? MODES.find((known) => known === value.toUpperCase()) : undefined;
  if (mode === undefined)
    problems.add(`${path}.mode`, `${show(value)} is not a mode`, `write one of ${MODES.join(", ")}`);
  return mode;
}

/** What a schema may say to BigQuery but a merge cannot keep. */
function refuseUnmergeable(item: Record<string, unknown>, path: string, problems: ProblemList): void {
  if (item.collation !== undefined && item.collation !== "") {
    problems.add(
      `${path}.collation`,
      `${show(item.collation)} makes different values equal, so no merge of them is exact`,
      "leave collation out and collate in the query that needs it",
    );
  }
  for (const option of ["policyTags", "dataPolicies"]) {
    if (item[option] === undefined) continue;
    problems.add(
      `${path}.${option}`,
      "generated tables and views would not carry it",
      "leave it out here and set it on the tables after `npm run init`",
    );
  }
  const standard = item.defaultValueExpression;
  if (standard !== undefined && !isNow(standard)) {
    problems.add(
      `${path}.defaultValueExpression`,
      "an update that leaves the field out would author the default",
      "leave it out; only the ingest timestamp may have CURRENT_TIMESTAMP()",
    );
  }
}

function isNow(expression: unknown): boolean {
  return typeof expression === "string" && /^\s*CURRENT_TIMESTAMP(\(\s*\))?\s*$/i.test(expression);
}
