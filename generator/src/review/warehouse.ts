import type { EntityModel } from "../generate/model.ts";
import type { Project } from "../project/dataform-json.ts";
import { CommandError, explainServiceError, messageOf } from "../project/errors.ts";
import { checkEndpoint, openWarehouse, type Warehouse } from "../warehouse/client.ts";
import { emulatorAddress } from "../warehouse/endpoint.ts";
import { planInit } from "../warehouse/init.ts";
import { type Costs, type DryRun, estimateCosts } from "./cost.ts";
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
    const dryRun = dryRunOn(warehouse);
    await dryRun("SELECT 1");
    return { costs: { rows: await estimateCosts(actions, dryRun) }, plan: await readPlan(warehouse, models) };
  } catch (error) {
    return {
      costs: { unknown: messageOf(explainServiceError(error, emulatorAddress())) },
      plan: undefined,
    };
  }
}

function dryRunOn({ client, project }: Warehouse): DryRun {
  return async (query) => {
    const [job] = await client.createQueryJob({ query, dryRun: true, location: project.location });
    return Number(job.metadata.statistics?.totalBytesProcessed ?? 0);
  };
}

async function readPlan(warehouse: Warehouse, models: readonly EntityModel[]): Promise<LivePlan> {
  try {
    return describePlan(await planInit(warehouse, models));
  } catch (error) {
    if (error instanceof CommandError) return describeRefusal(error.message);
    throw error;
  }
}
