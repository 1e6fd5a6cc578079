import { type ActionRole, type DeleteRole, type EntityModel, ownsUpdates } from "../generate/model.ts";
import { DELETE_SUFFIXES, DESCRIPTIONS } from "../generate/own-tables.ts";
import { findTable, tableOf, type Warehouse } from "./client.ts";

/** What an entity has made in BigQuery: a statement for each, in an order in which none needs what is gone. */
export interface Drops {
  readonly entity: string;
  /** `DROP …;` for what can be made again or is only ours. */
  readonly made: readonly string[];
  /** The same for what cannot be made again: the updates, which are the producers', and the deleted users. */
  readonly kept: readonly string[];
  /** The same for a final that was another tool's, and was adopted. */
  readonly adopted: readonly string[];
}

/** From what is read to what it is read from. */
const ORDER: readonly (ActionRole | DeleteRole)[] = [
  "view",
  "versions",
  "keyAssertion",
  "badRows",
  "audit",
  "auditFindings",
  "eraseGuard",
  "temp",
  "runs",
  "final",
  "watermark",
  "tombstones",
  "updates",
];
const KEPT: ReadonlySet<ActionRole | DeleteRole> = new Set(["tombstones", "updates"]);

/** Lists what an entity's actions and `init` have made; drops nothing. */
export async function listDrops(warehouse: Warehouse, model: EntityModel): Promise<Drops> {
  const found = await Promise.all(
    ORDER.map(async (role) => {
      const table = model.tables[role] ?? formerTable(model, role);
      if (table === undefined) return [];
      // Updates of others, or that an environment only reads, are none of its own.
      if (role === "updates" && !ownsUpdates(model, warehouse.project.environment)) return [];
      const live = await findTable(tableOf(warehouse, { dataset: model.dataset, table }));
      if (live === undefined) return [];
      const kind = (live.type ?? "TABLE").replaceAll("_", " ");
      const name = `\`${warehouse.project.projectId}.${model.dataset}.${table}\``;
      const isAdopted = role === "final" && live.description !== DESCRIPTIONS.final(model.name);
      const why: Why = isAdopted ? "adopted" : KEPT.has(role) ? "kept" : "made";
      return [{ why, statement: `DROP ${kind} ${name};` }];
    }),
  );
  const statements = (of: Why) =>
    found.flat().flatMap(({ why, statement }) => (why === of ? [statement] : []));
  return {
    entity: model.name,
    made: statements("made"),
    kept: statements("kept"),
    adopted: statements("adopted"),
  };
}

/** What `deleted` made, where entities.json does not have it any more. */
function formerTable({ name }: EntityModel, role: ActionRole | DeleteRole): string | undefined {
  return role === "tombstones" || role === "eraseGuard" ? `${name}${DELETE_SUFFIXES[role]}` : undefined;
}

type Why = Exclude<keyof Drops, "entity">;
