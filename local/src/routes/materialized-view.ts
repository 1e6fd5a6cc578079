import { z } from "zod";
import type { JsonObject } from "../jobs/json.ts";
import type { TableEntry } from "../storage/entries.ts";
import { int64Text } from "./dataset-resource.ts";

const MINUTE_MS = 60_000;
const DEFAULT_REFRESH_MINUTES = 30;

/** The options of a materialized view, by the names under which SQL's OPTIONS keep them too. */
const OPTIONS = ["enableRefresh", "refreshIntervalMinutes", "allowNonIncrementalDefinition"] as const;

/** `materializedView` in the body of tables.insert, patch and update. */
export const materializedViewBody = z.looseObject({
  query: z.string().nullish(),
  enableRefresh: z.boolean().nullish(),
  refreshIntervalMs: int64Text.nullish(),
  allowNonIncrementalDefinition: z.boolean().nullish(),
});

/** The options that a body sets; those that it does not name stay as they are. */
export function readMaterializedView(
  before: TableEntry["kept"],
  given: z.infer<typeof materializedViewBody> | null | undefined,
): JsonObject {
  const interval = given?.refreshIntervalMs;
  const wanted: Readonly<JsonObject> = {
    enableRefresh: given?.enableRefresh,
    refreshIntervalMinutes: interval == null ? undefined : Number(interval) / MINUTE_MS,
    allowNonIncrementalDefinition: given?.allowNonIncrementalDefinition,
  };
  return Object.fromEntries(
    OPTIONS.map((name) => [name, wanted[name] ?? before[name]] as const).filter(([, value]) => value != null),
  );
}

/**
 * `materializedView` of a table's resource, with its defaults
 * (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#MaterializedViewDefinition).
 */
export function materializedView({ kept, viewQuery }: TableEntry): JsonObject {
  const minutes = Number(kept.refreshIntervalMinutes ?? DEFAULT_REFRESH_MINUTES);
  return {
    query: viewQuery,
    enableRefresh: kept.enableRefresh ?? true,
    refreshIntervalMs: String(Math.round(minutes * MINUTE_MS)),
    ...(kept.allowNonIncrementalDefinition == null
      ? {}
      : { allowNonIncrementalDefinition: kept.allowNonIncrementalDefinition }),
  };
}

/** What is kept of a table, without the options that `materializedView` shows. */
export function withoutOptions(kept: TableEntry["kept"]): JsonObject {
  return Object.fromEntries(
    Object.entries(kept).filter(([name]) => !(OPTIONS as readonly string[]).includes(name)),
  );
}
