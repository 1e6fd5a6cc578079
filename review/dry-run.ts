import { checkEndpoint, emulatorAddress, openWarehouse } from "../warehouse/client.ts";
import { explainServiceError, messageOf } from "../warehouse/errors.ts";
import type { Project } from "../warehouse/project.ts";
import { type Costs, type DryRun, estimateCosts } from "./cost.ts";
import type { ActionChange } from "./graph-changes.ts";

/** The cost of the changed actions, where a warehouse answers; where none does, what it says instead. */
export async function readCosts(project: Project, actions: readonly ActionChange[]): Promise<Costs> {
  if (actions.every(({ before, after }) => before?.sql === after?.sql)) return { rows: [] };
  try {
    const warehouse = openWarehouse(project);
    await checkEndpoint(warehouse);
    const dryRun: DryRun = async (query) => {
      const [job] = await warehouse.client.createQueryJob({
        query,
        dryRun: true,
        location: project.location,
      });
      return Number(job.metadata.statistics?.totalBytesProcessed ?? 0);
    };
    await dryRun("SELECT 1");
    return { rows: await estimateCosts(actions, dryRun) };
  } catch (error) {
    return { unknown: messageOf(explainServiceError(error, emulatorAddress())) };
  }
}
