import type { EntityConfig } from "../project/config.ts";
import { isOwnName } from "../project/names.ts";
import { findNear } from "../project/near.ts";
import { type ProblemList, show } from "../project/problems.ts";
import type { SchemaField } from "../project/schema.ts";
import type { PlainColumn } from "./nodes.ts";
import { nodeBase, refuseDefault } from "./tree.ts";
import { KEY_TYPE_NAMES, VALUE_TYPES } from "./value-types.ts";

/** A top-level field by its name, whatever the case. */
export function findField(name: string, fields: readonly SchemaField[]): SchemaField | undefined {
  return fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
}

/** The key columns, as the schema writes them. */
export function findKeys(
  config: EntityConfig,
  fields: readonly SchemaField[],
  problems: ProblemList,
): readonly string[] {
  const names: string[] = [];
  for (const [index, name] of config.key.entries()) {
    const path = `${config.path}.key[${index}]`;
    const field = findField(name, fields);
    if (field === undefined) {
      const nested = name.includes(".") ? "a key cannot be nested; " : "";
      problems.add(
        path,
        `${config.schema} has no field ${show(name)}`,
        `${nested}${nearField(name, fields) ?? "name a top-level field of the schema"}`,
      );
    } else if (names.includes(field.name)) {
      problems.add(path, `${show(name)} appears twice`, "name each key column once");
    } else if (field.mode === "REPEATED" || !VALUE_TYPES[field.type].isKey) {
      const type =
        field.mode === "REPEATED"
          ? "a REPEATED field"
          : `${field.type}, which BigQuery cannot compare for equality`;
      problems.add(path, `${show(name)} is ${type}`, `a key is one of ${KEY_TYPE_NAMES.join(", ")}`);
    } else names.push(field.name);
  }
  return names;
}

function nearField(name: string, fields: readonly SchemaField[]): string | undefined {
  const near = findNear(
    name,
    fields.map((field) => field.name),
  );
  return near === undefined ? undefined : `did you mean ${near}?`;
}

/** The column of one of the two clocks, as the schema writes it. */
export function findTimestamp(
  option: "ingestTimestamp" | "eventTimestamp",
  name: string,
  config: EntityConfig,
  fields: readonly SchemaField[],
  problems: ProblemList,
): string | undefined {
  const path = `${config.path}.${option}`;
  const field = findField(name, fields);
  if (field === undefined) {
    problems.add(
      path,
      `${config.schema} has no field ${show(name)}`,
      nearField(name, fields) ?? "name a top-level TIMESTAMP field of the schema",
    );
    return undefined;
  }
  if (field.type !== "TIMESTAMP" || field.mode === "REPEATED") {
    const type = field.mode === "REPEATED" ? `REPEATED ${field.type}` : field.type;
    problems.add(path, `${show(name)} is ${type}`, "it must be a TIMESTAMP, NULLABLE or REQUIRED");
    return undefined;
  }
  if (option === "eventTimestamp" && field.name.toLowerCase() === config.ingestTimestamp.toLowerCase()) {
    problems.add(path, "equals ingestTimestamp", "leave it out: the ingest timestamp is the default");
    return undefined;
  }
  return field.name;
}

/** The column of `clearedFields` or `deleted`: of the schema where it has it, else one more of the updates. */
export function findInstruction(
  option: "clearedFields" | "deleted",
  config: EntityConfig,
  fields: readonly SchemaField[],
  problems: ProblemList,
): PlainColumn | undefined {
  const name = config[option];
  if (name === undefined) return undefined;
  const path = `${config.path}.${option}`;
  const kind = option === "deleted" ? "deleted" : "cleared";
  const [type, mode] =
    kind === "deleted" ? (["BOOL", "NULLABLE"] as const) : (["STRING", "REPEATED"] as const);
  const own: SchemaField = { name, type, mode, defaultsToNow: false, fields: [], path };
  const found = findField(name, fields);
  const field = found ?? own;
  const isFit = (other: SchemaField): boolean =>
    other.type === type && (other.mode === "REPEATED") === (mode === "REPEATED");
  const near = findNear(
    name,
    fields.filter(isFit).map((other) => other.name),
  );
  const known = [...config.key, config.ingestTimestamp, config.eventTimestamp];
  if (known.some((other) => other?.toLowerCase() === name.toLowerCase()) || isOwnName(name)) {
    problems.add(path, `${show(name)} is already another column`, "name a column of its own");
  } else if (kind === "deleted" && config.clearedFields?.toLowerCase() === name.toLowerCase()) {
    problems.add(path, `${show(name)} is already clearedFields`, "name a column of its own");
  } else if (!isFit(field)) {
    problems.add(path, `${show(name)} is ${field.mode} ${field.type}`, `it must be ${mode} ${type}`);
  } else if (found === undefined && near !== undefined) {
    problems.add(
      path,
      `${show(name)} is not in the schema, which has ${show(near)}`,
      `did you mean ${near}? If not, add ${mode} ${type} ${name} to ${config.schema}`,
    );
  }
  return plainColumn(field, kind, problems);
}

/** A column that is not merged. */
export function plainColumn(
  field: SchemaField,
  kind: PlainColumn["kind"],
  problems: ProblemList,
): PlainColumn {
  if (field.merge !== undefined) {
    problems.add(`${field.path}.merge`, "keys and timestamps are not merged", "leave merge out here");
  }
  if (field.defaultsToNow && kind !== "ingest") refuseDefault(field, problems);
  if (field.policyTag !== undefined) {
    problems.add(
      `${field.path}.policyTags`,
      "the lists of bad rows and of users that a run works on hold keys and timestamps unguarded",
      "guard attributes only, and identify users by what everybody may see",
    );
  }
  const descriptions = {
    cleared: "The fields that this update clears: paths such as record1.attribute1.",
    deleted: "True deletes everything the user had up to this update.",
    key: "Identifies the user.",
    ingest: "When an update came in; in final, the newest such time of the user.",
    event: "When the update's facts were true; in final, the newest such time of the user.",
  };
  return { ...nodeBase(field, descriptions[kind]), kind, isFloat: field.type === "FLOAT64" };
}
