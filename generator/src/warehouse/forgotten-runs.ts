import { type EntityModel, placeOf, placeText } from "../generate/model.ts";
import { CommandError } from "../project/errors.ts";
import { findTable, tableOf, type Warehouse } from "./client.ts";

/** Runs in the log of an entity of which its watermark knows nothing: it was lost. */
export interface ForgottenRuns {
  /** The log, as `dataset.table`. */
  readonly table: string;
  readonly runs: number;
}

/** Those of an entity whose watermark names no run, as the log's metadata says; undefined where there are none. */
export async function findForgottenRuns(
  warehouse: Warehouse,
  entity: EntityModel,
): Promise<ForgottenRuns | undefined> {
  const place = placeOf(entity, "runs");
  const runs = Number((await findTable(tableOf(warehouse, place)))?.numRows ?? 0);
  return runs === 0 ? undefined : { table: placeText(place), runs };
}

/** What is said of them (R10). */
export function describeForgottenRuns({ table, runs }: ForgottenRuns): string {
  return `the log has ${runs.toLocaleString("en")} ${runs === 1 ? "run" : "runs"}, and of none is anything known any more: the watermark was lost, and maybe tombstones and final; bring them back from time travel, or drop ${table} to begin anew: then nobody is known who was deleted`;
}

/**
 * Throws where an entity with deletes is to begin, its watermark naming no run, although runs have been: whose updates are erased would come back
 * with a late row (R10). Beside a final with rows the run itself stops.
 */
export async function refuseForgetting(warehouse: Warehouse, entity: EntityModel): Promise<void> {
  if (entity.deletes === undefined) return;
  const forgotten = await findForgottenRuns(warehouse, entity);
  if (forgotten !== undefined) throw new CommandError(`${entity.name}: ${describeForgottenRuns(forgotten)}`);
}
