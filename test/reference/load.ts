/** entities.json and its schemas as the oracle sees them, read without the generator. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Entity } from "../exactness/oracle.ts";
import type { Field, Kind, Merge } from "../exactness/values.ts";

interface EntityJson {
  readonly name: string;
  readonly schema: string;
  readonly key: readonly string[];
  readonly ingestTimestamp: string;
  readonly eventTimestamp?: string;
  readonly clearedFields?: string;
  readonly deleted?: string;
  readonly lookback?: string;
  readonly tables?: { readonly updates?: string; readonly temp?: string; readonly final?: string };
  readonly dataset?: string;
}

interface FieldJson {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly merge?: string;
  readonly rangeElementType?: { readonly type: string };
  readonly fields?: readonly FieldJson[];
}

/** An entity with the names of its tables. */
export interface LoadedEntity {
  readonly entity: Entity;
  readonly dataset: string;
  readonly updates: string;
  readonly watermark: string;
  readonly temp: string;
  readonly final: string;
}

const ALIASES: Partial<Record<string, Kind>> = {
  INTEGER: "INT64",
  FLOAT: "FLOAT64",
  BOOLEAN: "BOOL",
  STRUCT: "RECORD",
  DECIMAL: "NUMERIC",
  BIGDECIMAL: "BIGNUMERIC",
};
const UNITS: Partial<Record<string, bigint>> = { second: 1n, minute: 60n, hour: 3_600n, day: 86_400n };

/** All entities of a configuration file. */
export function loadEntities(configFile: string, defaultDataset: string): LoadedEntity[] {
  const config = JSON.parse(readFileSync(configFile, "utf8")) as { entities: readonly EntityJson[] };
  return config.entities.map((json) => {
    const schema: unknown = JSON.parse(readFileSync(join(dirname(configFile), json.schema), "utf8"));
    const list = (
      Array.isArray(schema) ? schema : (schema as { fields: unknown }).fields
    ) as readonly FieldJson[];
    const { name, tables = {}, lookback = "1 hour", ...rest } = json;
    const [count = "1", unit = "hour"] = lookback.split(" ");
    return {
      entity: {
        ...rest,
        // R9, R10: the columns of clears and deletes may stand in the schema; attributes of the user they are not.
        fields: list.filter(({ name }) => name !== json.clearedFields && name !== json.deleted).map(toField),
        lookback: BigInt(count) * (UNITS[unit.replace(/s$/, "")] ?? 1n) * 1_000_000n,
      },
      dataset: json.dataset ?? defaultDataset,
      updates: tables.updates ?? `${name}_updates`,
      watermark: `${name}_watermark`,
      temp: tables.temp ?? `temp_${name}_updates`,
      final: tables.final ?? `${name}_final`,
    };
  });
}

function toField({ name, type, mode, merge, rangeElementType, fields }: FieldJson): Field {
  const bounds = rangeElementType === undefined ? "" : `<${rangeElementType.type}>`;
  const kind = `${type}${bounds}`.toUpperCase();
  return {
    name,
    type: ALIASES[kind] ?? (kind as Kind),
    ...(mode === undefined ? {} : { mode: mode.toUpperCase() as NonNullable<Field["mode"]> }),
    ...(merge === undefined ? {} : { merge: merge as Merge }),
    ...(fields === undefined ? {} : { fields: fields.map(toField) }),
  };
}
