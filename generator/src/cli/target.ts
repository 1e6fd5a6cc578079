import { readProject } from "../project/dataform-json.ts";
import { checkEndpoint, openWarehouse, type Warehouse } from "../warehouse/client.ts";
import type { Context } from "./command.ts";

/** Opens the BigQuery that the project names, once it has given a sign of life. */
export async function openTarget({ root }: Context): Promise<Warehouse> {
  const warehouse = openWarehouse(await readProject(root));
  await checkEndpoint(warehouse);
  return warehouse;
}
