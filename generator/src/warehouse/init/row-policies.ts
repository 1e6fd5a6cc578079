import { type EntityModel, type Place, placeOf, placeText } from "../../generate/model.ts";
import { codeOf } from "../../project/errors.ts";
import { tableOf, type Warehouse } from "../client.ts";
import type { Step } from "./step.ts";

/** What BigQuery answers where a table is not there, may not be asked, or is one of an endpoint that knows no policies. */
const NOT_TOLD = new Set<unknown>([403, 404]);

/**
 * Notes on updates and final that have row access policies: whom they filter reads the rest without an error, and only an administrator reads the
 * history of such a table (https://cloud.google.com/bigquery/docs/using-row-level-security-with-features,
 * https://cloud.google.com/bigquery/docs/change-history#required_permissions). Nothing where the account may not list them.
 */
export async function planRowPolicies(warehouse: Warehouse, model: EntityModel): Promise<readonly Step[]> {
  const steps = (["updates", "final"] as const).map(async (role): Promise<readonly Step[]> => {
    const place = placeOf(model, role);
    const policies = await listRowPolicies(warehouse, place);
    if (policies.length === 0) return [];
    const [noun, verb] = policies.length > 1 ? ["policies", "they grant"] : ["policy", "it grants"];
    const history =
      role === "updates" && model.readsCommits
        ? `; "cursor": "commit" needs bigquery.rowAccessPolicies.overrideTimeTravelRestrictions on it besides, which BigQuery Admin has`
        : "";
    const note = `has the row access ${noun} ${policies.join(", ")}: an account sees only the rows that ${verb}, and of others no run says anything; grant the account that runs this all of them, FILTER USING (TRUE)${history}`;
    return [{ kind: "table", name: placeText(place), action: "none", changes: [], notes: [note] }];
  });
  return (await Promise.all(steps)).flat();
}

/** What of BigQuery's answer is read: https://cloud.google.com/bigquery/docs/reference/rest/v2/rowAccessPolicies/list */
interface RowAccessPolicies {
  readonly rowAccessPolicies?: readonly {
    readonly rowAccessPolicyReference: { readonly policyId: string };
  }[];
}

/** The names of a table's row access policies. */
async function listRowPolicies(warehouse: Warehouse, place: Place): Promise<readonly string[]> {
  try {
    const [answer] = await tableOf(warehouse, place).request({ uri: "/rowAccessPolicies" });
    const { rowAccessPolicies = [] } = answer as RowAccessPolicies;
    return rowAccessPolicies.map(({ rowAccessPolicyReference: { policyId } }) => policyId);
  } catch (error) {
    if (NOT_TOLD.has(codeOf(error))) return [];
    throw error;
  }
}
