import { CommandError } from "../project/errors.ts";
import { parseJson } from "../project/json.ts";
import { isObject } from "../project/problems.ts";
import { type GivenColumns, guessColumns, possibleKeys, possibleTimes } from "./guess-columns.ts";
import type { FoundFields } from "./read-fields.ts";
import type { FieldJson } from "./schema-json.ts";

/** An entity to be: its entry in entities.json, its schema's file, and what was decided for the person who asked. */
export interface NewEntity {
  readonly entry: Readonly<Record<string, unknown>>;
  readonly schemaFile: string;
  readonly schema: string;
  readonly said: readonly string[];
}

/**
 * Makes an entity of fields. The key and the ingest timestamp become REQUIRED, everything else may be left out of an update. Throws a
 * CommandError where neither the person nor the names say which columns are the key and the ingest timestamp.
 */
export function newEntity(name: string, found: FoundFields, given: GivenColumns): NewEntity {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name))
    throw new CommandError(
      `${name}: an entity's name has letters, digits and underscores, such as user_info`,
    );
  if (found.fields.length === 0) throw new CommandError(`${name}: its schema has no fields`);
  const { columns, said } = guessColumns(found.fields, given);
  if (columns.key === undefined)
    throw new CommandError(
      `${name}: no column is surely the key; ${sayIt("--key", possibleKeys(found.fields), "a column that says whose row it is")}`,
    );
  const times = possibleTimes(found.fields);
  const zoneless = found.fields.filter(({ type }) => type === "DATETIME");
  const why = zoneless.length === 0 ? "" : ` (${namesOf(zoneless)}: a time without a zone is a DATETIME)`;
  const lacksTime = `a TIMESTAMP column that says when a row came in`;
  if (columns.ingestTimestamp === undefined)
    throw new CommandError(
      times.length === 0
        ? `${name}: there is no TIMESTAMP among its columns${why}; add ${lacksTime}`
        : `${name}: no TIMESTAMP is surely when a row came in; ${sayIt("--ingest-timestamp", times, lacksTime)}`,
    );
  const clocks = [columns.ingestTimestamp, columns.eventTimestamp ?? columns.ingestTimestamp];
  const named = [...columns.key, ...clocks];
  const unknown = named.find((column) => !found.fields.some((field) => field.name === column));
  if (unknown !== undefined)
    throw new CommandError(`${name}: ${unknown}: no such column; there are ${namesOf(found.fields)}`);
  const noTime = clocks.find((column) => !times.some((field) => field.name === column));
  if (noTime !== undefined)
    throw new CommandError(
      `${name}: ${noTime}: a timestamp must be a TIMESTAMP column; ${times.length === 0 ? `there is none; add ${lacksTime}` : `there are ${namesOf(times)}`}`,
    );
  const schemaFile = `schemas/${name}.json`;
  const required = new Set(named);
  const relaxed = found.fields.filter((field) => field.mode === "REQUIRED" && !required.has(field.name));
  const tightened = found.fields.filter(
    (field) => field.mode !== "REQUIRED" && field.name === columns.eventTimestamp,
  );
  const fields = found.fields.map((field) => withMode(field, required.has(field.name)));
  return {
    entry: { name, schema: schemaFile, ...columns },
    schemaFile,
    schema: `[\n${fields.map((field) => `  ${inline(field)}`).join(",\n")}\n]\n`,
    said: [
      ...found.said,
      ...said,
      ...(relaxed.length === 0
        ? []
        : [
            `${relaxed.map((field) => field.name).join(", ")}: no longer REQUIRED, since an update has only what changed`,
          ]),
      ...tightened.map((field) => `${field.name}: now REQUIRED: an update that does not say it is a bad row`),
      // R5: the schema alone does not tell of which kind the table will be
      'where updates are a table of BigQuery\'s own, "cursor": "commit" in entities.json reads late rows too: docs/operate.md',
    ],
  };
}

/** Which option says it, and what it may say. */
function sayIt(option: string, possible: readonly FieldJson[], lacking: string): string {
  return possible.length === 0
    ? `add ${lacking}`
    : `say it with ${option} <column>, one of ${namesOf(possible)}`;
}

function namesOf(fields: readonly FieldJson[]): string {
  return fields.map((field) => field.name).join(", ");
}

function withMode(field: FieldJson, isRequired: boolean): FieldJson {
  const { name, type, mode, ...others } = field;
  if (isRequired) return { name, type, mode: "REQUIRED", ...others };
  return mode === undefined || mode === "REQUIRED"
    ? { name, type, ...others }
    : { name, type, mode, ...others };
}

/** JSON on one line, as people write a short object. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${inline(member)}`);
  return `{ ${members.join(", ")} }`;
}

/** The text of entities.json with one entity more; `text` undefined begins a new one. Throws where it has one of this name. */
export function addEntity(text: string | undefined, entry: NewEntity["entry"]): string {
  const before =
    text === undefined ? { $schema: SCHEMA_OF_ENTITIES, entities: [] } : parseJson(text, "entities.json");
  if (!isObject(before) || !Array.isArray(before.entities))
    throw new CommandError('entities.json: not as expected; write { "entities": [] }');
  const entities: readonly unknown[] = before.entities;
  const folded = (name: unknown): string => String(name).toLowerCase();
  if (entities.some((entity) => isObject(entity) && folded(entity.name) === folded(entry.name)))
    throw new CommandError(`${String(entry.name)}: entities.json has an entity of this name`);
  const json = JSON.stringify({ ...before, entities: [...entities, entry] }, null, 2);
  // Short lists of names stay on their line, as people write them.
  return `${json.replace(/\[\s+("[^"\n]*"(?:,\s+"[^"\n]*")*)\s+\]/g, (_, names: string) => `[${names.replace(/,\s+/g, ", ")}]`)}\n`;
}

/** Where an editor finds what entities.json may say. */
export const SCHEMA_OF_ENTITIES = "./node_modules/user-info-updater/entities.schema.json";
