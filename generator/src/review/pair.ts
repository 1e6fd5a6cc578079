import { type EntityModel, placeOf, placeText } from "../generate/model.ts";
import { code } from "./changes.ts";

/** An entity's options as the comparison sees them. */
export interface Pair {
  readonly before: EntityModel;
  readonly after: EntityModel;
}

/** A table as people are told of it: `dataset.table`, of a source with its project where it has one. */
export function tableName(
  model: EntityModel,
  role: "updates" | "temp" | "final" | "view" | "tombstones",
): string {
  if (role === "updates") return placeText(placeOf(model, role));
  return `${model.dataset}.${model.tables[role] ?? ""}`;
}

/** A statement over the entity's own updates; none over a source, which is only read. */
export function changeUpdates(
  model: EntityModel,
  projectId: string,
  statement: (table: string) => string,
): readonly string[] {
  return model.source === undefined ? [statement(`${projectId}.${tableName(model, "updates")}`)] : [];
}

/** Who else must do so; empty where the updates are the entity's own. */
export function byOwner(model: EntityModel): string {
  return model.source === undefined
    ? ""
    : ` ${code(tableName(model, "updates"))} is only read here: its owner does so.`;
}

/** A name as a statement of its own has it, where it may be a keyword. */
export function quoted({ name }: { readonly name: string }): string {
  return `\`${name}\``;
}
