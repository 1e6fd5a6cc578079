import { type EntityModel, placeOf, placeText } from "../generate/model.ts";
import { type Change, code, type EntityChanges, INIT, type Need } from "./changes.ts";
import { compareClocks, compareLookback } from "./clock-changes.ts";
import { compareFields } from "./field-changes.ts";
import { compareKey, compareRequired } from "./key-changes.ts";
import { isMoved, moveStatements } from "./moves.ts";
import { type Pair, tableName } from "./pair.ts";
import { compareMergeEvery, reschedule } from "./schedule-changes.ts";

type Names = readonly [before: string | undefined, after: string | undefined];

/**
 * What changes in the entities, in the order of entities.json; entities without a change are left out. Where a location is given, the
 * statements make datasets there.
 */
export function compareEntities(
  before: readonly EntityModel[],
  after: readonly EntityModel[],
  projectId: string,
  location?: string,
): readonly EntityChanges[] {
  const find = (models: readonly EntityModel[], name: string) => models.find((model) => model.name === name);
  const gone = before.filter((model) => find(after, model.name) === undefined);
  const renamed = new Map(
    after.flatMap((model) => {
      const candidates =
        find(before, model.name) === undefined ? gone.filter((old) => isMoved(old, model)) : [];
      const [old] = candidates;
      return old === undefined || candidates.length > 1 ? [] : [[model, old] as const];
    }),
  );
  return [
    ...after.map((model): EntityChanges => {
      const former = renamed.get(model);
      if (former !== undefined) {
        const changes = compareRenamed({ before: former, after: model }, projectId, location);
        return { entity: model.name, kind: "changed", changes };
      }
      const old = find(before, model.name);
      if (old === undefined) return { entity: model.name, kind: "added", changes: [addition(model)] };
      return {
        entity: model.name,
        kind: "changed",
        changes: compareEntity({ before: old, after: model }, projectId, location),
      };
    }),
    ...gone
      .filter((model) => ![...renamed.values()].includes(model))
      .map((model): EntityChanges => ({ entity: model.name, kind: "removed", changes: [removal(model)] })),
  ].filter(({ changes }) => changes.length > 0);
}

function addition(model: EntityModel): Change {
  return {
    path: model.name,
    kind: "added",
    what: `an entity with ${model.leaves.length} attribute${model.leaves.length === 1 ? "" : "s"}`,
    means: `new tables; the first run reads all of ${code(tableName(model, "updates"))}`,
    needs: [INIT, ...reschedule({ after: model })],
  };
}

function removal(model: EntityModel): Change {
  return {
    path: model.name,
    kind: "removed",
    what: "an entity",
    means: `its tables and the view ${code(tableName(model, "view"))} stay as they are, and no run updates them any more`,
    needs: [
      {
        step: "after",
        text: `Drop the tables and the view of ${code(model.name)} if nobody needs them any more.`,
      },
      ...reschedule({ before: model }),
    ],
  };
}

/** An entity under a new name: its tables move, whatever else changes too. */
function compareRenamed(pair: Pair, projectId: string, location: string | undefined): readonly Change[] {
  const { before, after } = pair;
  const what = [before.name, after.name].map(code).join(" -> ");
  const renaming = {
    path: "name",
    kind: "changed",
    what,
    means: "a run by the new name alone would begin with empty tables, and know of no deleted user",
    needs: [moving(pair, projectId, location), INIT, dropping(before), ...reschedule(pair)],
  } as const;
  return [
    renaming,
    ...compareMeaning(pair, projectId),
    ...compareCursor(pair),
    ...compareLookback(pair),
    ...compareMergeEvery(pair),
    ...compareFields(before, after, projectId),
  ];
}

/** The statements by which an entity's tables move to its new name or dataset. */
export function statementsToMove(
  before: EntityModel,
  after: EntityModel,
  projectId: string,
  location?: string,
): readonly string[] {
  const pair = { before, after };
  const others = [...compareMeaning(pair, projectId), ...compareFields(before, after, projectId)];
  return moveStatements(projectId, before, after, others.length === 0, location);
}

function moving({ before, after }: Pair, projectId: string, location: string | undefined): Need {
  return {
    step: "before",
    text: `Stop the schedule, copy the tables of ${code(before.name)}, deleted users and watermark too (a new dataset in the old one's location), and let producers write to ${code(tableName(after, "updates"))}.`,
    sql: statementsToMove(before, after, projectId, location),
  };
}

function dropping(before: EntityModel): Need {
  return {
    step: "after",
    text: `Drop the old tables of ${code(before.name)} in ${code(before.dataset)}; \`npm run status\` names them.`,
  };
}

function compareMeaning(pair: Pair, projectId: string): readonly Change[] {
  return [
    ...compareKey(pair, projectId),
    ...compareClocks(pair, projectId),
    ...compareInstructions(pair),
    ...compareRequired(pair, projectId),
  ];
}

function compareEntity(pair: Pair, projectId: string, location: string | undefined): readonly Change[] {
  const { before, after } = pair;
  return [
    ...compareMeaning(pair, projectId),
    ...comparePlaces(pair, projectId, location),
    ...compareCursor(pair),
    ...compareLookback(pair),
    ...compareMergeEvery(pair),
    ...compareFields(before, after, projectId),
  ];
}

function compareInstructions(pair: Pair): readonly Change[] {
  const { before, after } = pair;
  const changes: Change[] = [];
  const add = (path: string, [old, now]: Names, means: string, needs: readonly Need[]) =>
    changes.push({
      path,
      kind: old === undefined ? "added" : now === undefined ? "removed" : "changed",
      what: [old, now].flatMap((name) => (name === undefined ? [] : [code(name)])).join(" -> "),
      means,
      needs,
    });
  const updates = code(after.tables.updates);
  const wasAttribute = (name: string | undefined) =>
    before.tree.some((node) => node.name.toLowerCase() === name?.toLowerCase());
  const again = (path: string): Need => ({ step: "rebuild", reason: path });
  const late = after.hasFloors ? "; one that comes late makes a run read all updates of its user" : "";
  const [clears, cleared] = [before.clears?.name, after.clears?.name];
  if (clears !== cleared) {
    if (clears === undefined)
      add(
        "clearedFields",
        [clears, cleared],
        wasAttribute(cleared)
          ? `the attribute clears from now on; what the updates so far clear by it counts from a rebuild on${late}`
          : `${updates} gets the column; the updates so far clear nothing${late}`,
        [INIT, ...(wasAttribute(cleared) ? [again("clearedFields")] : [])],
      );
    else
      add(
        "clearedFields",
        [clears, cleared],
        "what was cleared stays so in final, but a rebuild or a replay no longer sees the old clears and brings those values back",
        cleared === undefined ? [] : [INIT],
      );
  }
  const [deletes, deleted] = [before.deletes?.name, after.deletes?.name];
  if (deletes !== deleted) {
    if (deletes === undefined)
      add(
        "deleted",
        [deletes, deleted],
        wasAttribute(deleted)
          ? `the attribute deletes from now on, and ${code(after.tables.tombstones ?? "")} is made; whom the updates so far delete by it goes with a rebuild${late}`
          : `${updates} gets the column, and ${code(after.tables.tombstones ?? "")} is made; the updates so far delete nobody${late}`,
        [INIT, ...(wasAttribute(deleted) ? [again("deleted")] : []), ...reschedule(pair)],
      );
    else if (deleted === undefined)
      add(
        "deleted",
        [deletes, deleted],
        `${code(before.tables.tombstones ?? "")} stays but is read no more: a rebuild, a replay or a late update brings deleted users back`,
        [
          {
            step: "before",
            text: `Make sure that deleted users of ${code(after.name)} may come back; erase their updates first (\`npm run update -- --tags erase\`) if not.`,
          },
          INIT,
          ...reschedule(pair),
        ],
      );
    else
      add(
        "deleted",
        [deletes, deleted],
        "the tombstones stay; deletes in the old column that no run has read yet are not seen any more",
        [INIT],
      );
  }
  return changes;
}

function comparePlaces(pair: Pair, projectId: string, location: string | undefined): readonly Change[] {
  const { before, after } = pair;
  const changes: Change[] = [];
  const add = (
    path: string,
    [old, now]: readonly [string, string],
    means: string,
    needs: readonly Need[],
  ) => {
    if (old !== now)
      changes.push({ path, kind: "changed", what: `${code(old)} -> ${code(now)}`, means, needs });
  };
  const names = (role: "updates" | "temp" | "final") => [before.tables[role], after.tables[role]] as const;
  const copy: Need = {
    step: "fill",
    text: `Copy the rows of ${code(tableName(before, "updates"))} to ${code(tableName(after, "updates"))}, before the next run, and let producers write there.`,
  };
  const drop = (role: "temp" | "final"): Need => ({
    step: "after",
    text: `Drop ${code(tableName(before, role))} when nobody reads it any more.`,
  });
  add(
    "dataset",
    [before.dataset, after.dataset],
    `a run would begin with empty tables in ${code(after.dataset)}, and know of no deleted user; what is in ${code(before.dataset)} stays there`,
    isMoved(before, after) ? [moving(pair, projectId, location), INIT, dropping(before)] : [INIT, copy],
  );
  if (before.source !== undefined || after.source !== undefined)
    add(
      "source",
      [placeText(placeOf(before, "updates")), placeText(placeOf(after, "updates"))],
      "runs read the new one only, from the watermark on; without the old rows, the next rebuild forgets what they said",
      [INIT, { step: "replay", reason: "source" }],
    );
  else
    add(
      "tables.updates",
      names("updates"),
      "runs read the new table only: without the old rows, the next rebuild forgets what they said",
      [INIT, copy],
    );
  add(
    "tables.final",
    names("final"),
    "a new, empty table: the next run fills it from all history, and reads all updates to do so; the old one stays as it is",
    [INIT, drop("final")],
  );
  add("tables.temp", names("temp"), "each run makes it anew; the old one is left behind", [drop("temp")]);
  return changes;
}

function compareCursor({ before, after }: Pair): readonly Change[] {
  if (before.readsCommits === after.readsCommits) return [];
  return [
    {
      path: "cursor",
      kind: "changed",
      what: after.readsCommits ? "ingestTimestamp -> commit" : "commit -> ingestTimestamp",
      means: after.readsCommits
        ? "final means what it did; the next run reads all updates once, the runs after it what was committed since"
        : "final means what it did; rows that come too late for the lookback are named from now on, and not read",
      needs: [],
    },
  ];
}
