import type { EntityModel } from "../generate/model.ts";
import type { Project } from "../project/dataform-json.ts";
import { CommandError, explainServiceError, messageOf } from "../project/errors.ts";
import { checkEndpoint, openWarehouse, type Warehouse } from "../warehouse/client.ts";
import { dryRun } from "../warehouse/dry-run.ts";
import { emulatorAddress } from "../warehouse/endpoint.ts";
import { planInit } from "../warehouse/init/init.ts";
import { type Costs, estimateCosts } from "./cost.ts";
import type { ActionChange } from "./graph-changes.ts";
import { describePlan, describeRefusal, type LivePlan } from "./live-plan.ts";

/** What the warehouse says of a change. */
export interface WarehouseView {
  readonly costs: Costs;
  readonly plan: LivePlan | undefined;
}

/** Asks the warehouse what the changed actions cost and what the tables lack; where none answers, that is the answer. */
export async function askWarehouse(
  project: Project,
  models: readonly EntityModel[],
  actions: readonly ActionChange[],
): Promise<WarehouseView> {
  if (actions.length === 0) return { costs: { rows: [] }, plan: undefined };
  try {
    const warehouse = openWarehouse(project);
    await checkEndpoint(warehouse);
    await dryRun(warehouse, "SELECT 1");
    const rows = await estimateCosts(actions, (sql) => dryRun(warehouse, sql));
    return { costs: { rows }, plan: await readPlan(warehouse, models) };
  } catch (error) {
    return {
      costs: { unknown: messageOf(explainServiceError(error, emulatorAddress())) },
      plan: undefined,
    };
  }
}

async function readPlan(warehouse: Warehouse, models: readonly EntityModel[]): Promise<LivePlan> {
  try {
    return describePlan(await planInit(warehouse, models));
  } catch (error) {
    if (error instanceof CommandError) return describeRefusal(error.message);
    throw error;
  }
}
