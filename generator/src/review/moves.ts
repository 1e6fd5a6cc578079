import { type EntityModel, updatesName } from "../generate/model.ts";

/** What a move takes along, in the order of doing: what no run makes again; and what of it has the same meaning whatever else changes. */
const MOVED = ["updates", "final", "tombstones", "watermark", "runs"] as const;
const MOVED_WITH_CHANGES = ["updates", "tombstones"] as const;

/** Whether an entity that is there no more has become another one: the same users, by the same clock, of the same schema or updates. */
export function isMoved(before: EntityModel, after: EntityModel): boolean {
  const keys = ({ keys: columns }: EntityModel) => columns.map(({ name }) => name.toLowerCase()).join();
  const isOfOneSource = before.schemaFile === after.schemaFile || updatesName(before) === updatesName(after);
  return (
    isOfOneSource &&
    keys(before) === keys(after) &&
    before.ingest.name.toLowerCase() === after.ingest.name.toLowerCase()
  );
}

/**
 * The statements that copy an entity's tables to where they are to be, deleted users and watermark too; the old ones stay. With
 * `isOtherwiseSame` false final is left out, since it would keep the old meaning: the first run fills it from all updates.
 */
export function moveStatements(
  projectId: string,
  before: EntityModel,
  after: EntityModel,
  isOtherwiseSame: boolean,
  location?: string,
): readonly string[] {
  const roles: readonly (typeof MOVED)[number][] = isOtherwiseSame ? MOVED : MOVED_WITH_CHANGES;
  const copies = roles.flatMap((role) => {
    const [from, to] = [before, after].map((model) =>
      model.tables[role] === undefined || (role === "updates" && readsOthers(model))
        ? undefined
        : `\`${projectId}.${model.dataset}.${model.tables[role]}\``,
    );
    return from === undefined || to === undefined || from === to ? [] : [`CREATE TABLE ${to} COPY ${from};`];
  });
  return before.dataset === after.dataset
    ? copies
    : [createDataset(projectId, after.dataset, location), ...copies];
}

/** Makes a dataset where there is none; without a location in that of the job. */
export function createDataset(projectId: string, dataset: string, location: string | undefined): string {
  const where = location === undefined ? "" : ` OPTIONS (location = '${location}')`;
  return `CREATE SCHEMA IF NOT EXISTS \`${projectId}.${dataset}\`${where};`;
}

/** Whether at least half of an entity's attributes are another one's too: else they are hardly of the same users. */
export function isAlike(before: EntityModel, after: EntityModel): boolean {
  const paths = new Set(after.leaves.map(({ dotted }) => dotted.toLowerCase()));
  const kept = before.leaves.filter(({ dotted }) => paths.has(dotted.toLowerCase()));
  return kept.length * 2 >= before.leaves.length;
}

/** Whether the updates are others', or those of the project that an environment of it reads: nobody here moves them. */
function readsOthers({ source, base, dataset, tables }: EntityModel): boolean {
  const isRenamed = base !== undefined && (base.dataset !== dataset || base.tables.final !== tables.final);
  return source !== undefined || isRenamed;
}
