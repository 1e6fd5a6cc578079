import type { EntityModel } from "../../../generator/src/generate/model.ts";
import { buildModels } from "../../../generator/src/generate/project.ts";
import type { Change, EntityChanges } from "../../../generator/src/review/changes.ts";
import { compareEntities } from "../../../generator/src/review/entity-changes.ts";

/** A field of a schema file. */
export type Field = Record<string, unknown>;

const OWN: readonly Field[] = [
  { name: "userId", type: "STRING", mode: "REQUIRED" },
  { name: "ingestTimestamp", type: "TIMESTAMP", mode: "REQUIRED" },
];

/** The entity `person` with these attributes beside its key and timestamp. */
export function person(fields: readonly Field[], options: Record<string, unknown> = {}): EntityModel {
  const entity = {
    name: "person",
    schema: "schemas/person.json",
    key: ["userId"],
    ingestTimestamp: "ingestTimestamp",
    ...options,
  };
  const schemas = new Map([["schemas/person.json", JSON.stringify([...OWN, ...fields])]]);
  const [model] = buildModels({ entities: [entity] }, schemas, { defaultDataset: "crm" });
  if (model === undefined) throw new Error("one entity makes one model");
  return model;
}

/** What changes from one entity to the other. */
export function changesOf(before: EntityModel, after: EntityModel): readonly Change[] {
  return entityChanges(before, after)[0]?.changes ?? [];
}

/** The same with the entity around it. */
export function entityChanges(
  before: EntityModel | undefined,
  after: EntityModel | undefined,
): readonly EntityChanges[] {
  return compareEntities(before === undefined ? [] : [before], after === undefined ? [] : [after], "acme");
}
