import type { Environment } from "./config.ts";

/** A dataset's name in an environment. */
export function datasetIn(dataset: string, { schemaSuffix }: Environment): string {
  return schemaSuffix === undefined ? dataset : `${dataset}_${schemaSuffix}`;
}

/** A table's name in an environment. */
export function tableIn(table: string, { tablePrefix }: Environment): string {
  return tablePrefix === undefined ? table : `${tablePrefix}_${table}`;
}

/** Whether the updates are another environment's, and are only read here: a suffix or prefix leaves declared sources where they are. */
export function onlyReadsUpdates(environment: Environment | undefined): boolean {
  return environment?.schemaSuffix !== undefined || environment?.tablePrefix !== undefined;
}

/** The environment as flags of `dataform run`. */
export function flagsOf({ defaultDatabase, schemaSuffix, tablePrefix }: Environment): readonly string[] {
  const given = {
    "default-database": defaultDatabase,
    "schema-suffix": schemaSuffix,
    "table-prefix": tablePrefix,
  };
  return Object.entries(given).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}=${value}`],
  );
}
