import type { EntityModel } from "../generate/model.ts";
import { CommandError } from "../project/errors.ts";
import { findTable, type TableMetadataFound, tableOf, type Warehouse } from "./client.ts";

/** What the project makes by itself: views, and tables with a column by which one that stands there is known to be its own. */
const VIEWS = ["view", "keyAssertion", "badRows", "audit"] as const;
const TABLES = [
  { role: "temp", column: "_batch" },
  { role: "watermark", column: "recent_runs" },
  { role: "runs", column: "run_id" },
  { role: "tombstones", column: "key_hash" },
  { role: "eraseGuard", column: "made_at" },
  { role: "auditFindings", column: "_leaves" },
] as const;

/**
 * Throws where something of somebody else has the name of what a run makes: Dataform drops a table that stands where a
 * view shall be, and the other way round, and replaces one of its own kind, whatever it holds.
 */
export async function refuseObstacles(warehouse: Warehouse, model: EntityModel): Promise<void> {
  const refuse = async (table: string | undefined, isOwn: (live: TableMetadataFound) => boolean) => {
    if (table === undefined) return;
    const live = await findTable(tableOf(warehouse, { dataset: model.dataset, table }));
    if (live !== undefined && !isOwn(live)) throw obstacle(model, table, live);
  };
  await Promise.all([
    ...VIEWS.map((role) => refuse(model.tables[role], (live) => live.type === "VIEW")),
    ...TABLES.map(({ role, column }) =>
      refuse(
        model.tables[role],
        ({ type, schema }) => type === "TABLE" && (schema?.fields ?? []).some(({ name }) => name === column),
      ),
    ),
  ]);
}

function obstacle(model: EntityModel, table: string, live: TableMetadataFound): CommandError {
  const kind = (live.type ?? "TABLE").toLowerCase().replaceAll("_", " ");
  const rename =
    table === model.tables.temp ? "name another temp in its tables" : "give the entity another name";
  return new CommandError(
    `${model.dataset}.${table} exists and is a ${kind} that ${model.name} did not make, and that a run would replace; move it away, or ${rename} in entities.json`,
  );
}
