import { posix } from "node:path";
import type { ActionText } from "../dataform/actions.ts";
import { code } from "./changes.ts";

/** One action and how it changes. */
export interface ActionChange {
  /** `dataset.name`. */
  readonly id: string;
  readonly kind: "added" | "removed" | "changed";
  /** table, view, incremental, operations, assertion, test or declaration. */
  readonly type: string;
  /** What of a changed action differs: SQL, tags, documentation, … */
  readonly aspects: readonly string[];
  /** What the action starts, and stops, to depend on. */
  readonly newEdges: readonly string[];
  readonly lostEdges: readonly string[];
  readonly before?: ActionText;
  readonly after?: ActionText;
}

/** What changes in the graph. */
export interface GraphChanges {
  /** How many actions there are, before or after. */
  readonly total: number;
  readonly actions: readonly ActionChange[];
  /** The actions that stay as they are. */
  readonly untouched: readonly ActionText[];
  /** Actions downstream of a change that stay as they are: `reader` reads `id`, an action of another folder. */
  readonly readers: readonly { readonly reader: string; readonly id: string }[];
}

/** Compares two graphs action by action. An action that only moves to another dataset is compared with itself. */
export function compareGraphs(before: readonly ActionText[], after: readonly ActionText[]): GraphChanges {
  const pairs = pairActions(before, after);
  const actions = pairs.flatMap(([old, now]) => compareAction(old, now) ?? []);
  const changed = new Set(actions.map((action) => action.after));
  const untouched = after.filter((action) => !changed.has(action));
  return { total: pairs.length, actions, untouched, readers: findReaders(after, actions) };
}

type Pair = readonly [before: ActionText | undefined, after: ActionText | undefined];

function pairActions(before: readonly ActionText[], after: readonly ActionText[]): readonly Pair[] {
  const left = new Map(before.map((action) => [keyOf(action), action]));
  const pairs: Pair[] = [];
  for (const action of after) {
    const same = left.get(keyOf(action));
    left.delete(keyOf(action));
    pairs.push([same, action]);
  }
  const moved = pairs.map(([old, now]): Pair => {
    if (old !== undefined || now === undefined) return [old, now];
    const candidates = [...left.values()].filter(
      (action) => action.path === now.path && action.name === now.name,
    );
    const [only] = candidates;
    if (only === undefined || candidates.length > 1) return [old, now];
    left.delete(keyOf(only));
    return [only, now];
  });
  return [...moved, ...[...left.values()].map((action): Pair => [action, undefined])];
}

/** A declaration shares its name with the action that makes the table, in some projects. */
function keyOf(action: ActionText): string {
  return `${action.type === "declaration"} ${idOf(action)}`;
}

function compareAction(
  before: ActionText | undefined,
  after: ActionText | undefined,
): ActionChange | undefined {
  const action = after ?? before;
  if (action === undefined) return undefined;
  const common = { id: idOf(action), type: action.type, before, after };
  if (before === undefined || after === undefined) {
    const kind = before === undefined ? "added" : "removed";
    return { ...common, kind, aspects: [], newEdges: after?.dependencies ?? [], lostEdges: [] };
  }
  const newEdges = after.dependencies.filter((id) => !before.dependencies.includes(id));
  const lostEdges = before.dependencies.filter((id) => !after.dependencies.includes(id));
  const aspects = [
    ...(idOf(before) === idOf(after) ? [] : [`moved from ${code(idOf(before))}`]),
    ...(before.type === after.type ? [] : [`${before.type} -> ${after.type}`]),
    ...(before.sql === after.sql ? [] : ["SQL"]),
    ...(newEdges.length + lostEdges.length === 0 ? [] : ["edges"]),
    ...(before.disabled === after.disabled ? [] : [after.disabled ? "disabled" : "enabled"]),
    ...(before.tags.join() === after.tags.join() ? [] : [`tags ${showTags(before)} -> ${showTags(after)}`]),
    ...(before.layout === after.layout ? [] : ["table options"]),
    ...(before.documentation === after.documentation ? [] : ["documentation"]),
  ];
  if (aspects.length === 0) return undefined;
  return { ...common, kind: "changed", aspects, newEdges, lostEdges };
}

/** What is downstream of a change in another folder: the actions of one entity change together, and say so themselves. */
function findReaders(
  after: readonly ActionText[],
  changes: readonly ActionChange[],
): GraphChanges["readers"] {
  const changed = new Set(changes.map(({ id }) => id));
  const actions = new Map(after.map((action) => [idOf(action), action]));
  const affected = new Set(changed);
  for (let size = 0; size < affected.size; ) {
    size = affected.size;
    for (const [id, { dependencies }] of actions) {
      if (dependencies.some((read) => affected.has(read))) affected.add(id);
    }
  }
  return after
    .filter((action) => !changed.has(idOf(action)))
    .flatMap((reader) =>
      reader.dependencies
        .filter((id) => affected.has(id) && folderOf(actions.get(id)) !== folderOf(reader))
        .map((id) => ({ reader: idOf(reader), id })),
    );
}

function folderOf(action: ActionText | undefined): string {
  return posix.dirname(action?.path ?? "");
}

function showTags({ tags }: ActionText): string {
  return tags.length === 0 ? "none" : tags.map(code).join(", ");
}

/** An action's name in the graph, `dataset.name`. */
export function idOf({ schema, name }: ActionText): string {
  return `${schema}.${name}`;
}
