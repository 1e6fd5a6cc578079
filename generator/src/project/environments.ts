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

/** The environment as Dataform's own compilation overrides, under the names of its compiler and its API; none where there is none. */
export function overridesOf(environment: Environment | undefined): Readonly<Omit<Environment, "name">> {
  const { name: _, ...overrides } = environment ?? { name: "" };
  return overrides;
}

/** The environment as flags of `dataform run`. */
export function flagsOf(environment: Environment): readonly string[] {
  return Object.entries(overridesOf(environment)).map(
    ([name, value]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}=${value}`,
  );
}
