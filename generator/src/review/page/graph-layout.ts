import { posix } from "node:path";
import { Graph, layout } from "@dagrejs/dagre";
import type { ActionText } from "../../dataform/actions.ts";
import { type ActionChange, type GraphChanges, idOf } from "../graph-changes.ts";

/** An action in the drawing. */
export interface DrawnNode {
  readonly id: string;
  readonly name: string;
  readonly type: ActionText["type"];
  readonly change: ActionChange | undefined;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** An edge in the drawing, from what is read to what reads it. */
export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: "same" | "added" | "removed";
  /** Between two of them it may only rise or fall in the gap between columns; where it passes actions it is level. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** The actions of one folder, which are one entity's. */
interface DrawnGroup {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A graph with places for everything; x and y of nodes and groups are their middles. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
  readonly groups: readonly DrawnGroup[];
  /** How many actions are left out, being far from any change. */
  readonly hidden: number;
}

/** More than this is drawn only as far as it is next to a change. */
const MAX_NODES = 160;
const NODE_HEIGHT = 46;
/** The widths of a letter of a node's name and of the smaller line above it, and what stands around them. */
const LETTER = 7.4;
const SMALL_LETTER = 6.8;
const PADDING = 26;

interface Node {
  readonly id: string;
  readonly action: ActionText;
  readonly change: ActionChange | undefined;
}

/**
 * Places the graph of a review from left to right, what is read before what reads it. `smallLetters` says how many letters
 * stand above an action's name.
 */
export function layoutGraph(
  changes: GraphChanges,
  smallLetters: (action: ActionText, change: ActionChange | undefined) => number,
  maxNodes = MAX_NODES,
): Drawing {
  const all = nodesOf(changes);
  const nodes = all.size <= maxNodes ? all : nearChanges(all);
  const edges = edgesOf(nodes);
  const graph = new Graph({ compound: true, multigraph: false });
  graph.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 64, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, action, change } of nodes.values()) {
    const width =
      Math.max(action.name.length * LETTER, smallLetters(action, change) * SMALL_LETTER) + PADDING;
    graph.setNode(id, { width: Math.round(width), height: NODE_HEIGHT });
    const group = `group ${posix.dirname(action.path)}`;
    graph.setNode(group, {});
    graph.setParent(id, group);
  }
  for (const { from, to } of edges) graph.setEdge(from, to, {});
  layout(graph);
  const columns = columnsOf([...nodes.keys()].map((id) => placeOf(graph, id)));
  const size = graph.graph() as { width?: number; height?: number };
  return {
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    nodes: [...nodes.values()].map(({ id, action, change }) => ({
      id,
      name: action.name,
      type: action.type,
      change,
      ...placeOf(graph, id),
    })),
    edges: edges.map((edge) => ({ ...edge, points: pointsOf(graph, edge, columns) })),
    groups: graph
      .nodes()
      .filter((name: string) => name.startsWith("group "))
      .map((name: string) => ({ name: name.slice("group ".length), ...placeOf(graph, name) })),
    hidden: all.size - nodes.size,
  };
}

function nodesOf({ actions, untouched }: GraphChanges): ReadonlyMap<string, Node> {
  const changed = actions.flatMap((change): Node[] => {
    const action = change.after ?? change.before;
    return action === undefined ? [] : [{ id: change.id, action, change }];
  });
  const same = untouched.map((action): Node => ({ id: idOf(action), action, change: undefined }));
  const sorted = [...same, ...changed].sort((one, other) => (one.id < other.id ? -1 : 1));
  return new Map(sorted.map((node) => [node.id, node]));
}

/** The changed actions with those next to them; or as many changed ones as fit, in a graph where everything changes. */
function nearChanges(all: ReadonlyMap<string, Node>): ReadonlyMap<string, Node> {
  const changed = [...all.values()].filter(({ change }) => change !== undefined).slice(0, MAX_NODES);
  const near = new Set(changed.map(({ id }) => id));
  for (const { from, to } of edgesOf(all)) {
    if (near.size >= 2 * MAX_NODES) break;
    if (changed.some(({ id }) => id === from)) near.add(to);
    if (changed.some(({ id }) => id === to)) near.add(from);
  }
  return new Map([...all].filter(([id]) => near.has(id)));
}

function edgesOf(nodes: ReadonlyMap<string, Node>): readonly Omit<DrawnEdge, "points">[] {
  return [...nodes.values()].flatMap(({ id, action, change }) => {
    const lost = change?.kind === "removed" ? action.dependencies : (change?.lostEdges ?? []);
    const added = change?.kind === "removed" ? [] : (change?.newEdges ?? []);
    const now = change?.kind === "removed" ? [] : action.dependencies;
    return [
      ...now.map((from) => ({
        from,
        to: id,
        kind: added.includes(from) ? ("added" as const) : ("same" as const),
      })),
      ...lost.map((from) => ({ from, to: id, kind: "removed" as const })),
    ].filter(({ from }) => nodes.has(from));
  });
}

/** Where an action stands: its middle, and its size. */
type Box = Pick<DrawnNode, "x" | "y" | "width" | "height">;

/** Actions that stand below each other, by their middle, with the half of the widest. */
interface Column {
  readonly x: number;
  readonly half: number;
}

function placeOf(graph: Graph, name: string): Box {
  const {
    x = 0,
    y = 0,
    width = 0,
    height = 0,
  } = graph.node(name) as Partial<Record<"x" | "y" | "width" | "height", number>>;
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
}

function columnsOf(boxes: readonly Box[]): readonly Column[] {
  const middles = [...new Set(boxes.map(({ x }) => x))];
  return middles.map((x) => ({
    x,
    half: Math.max(...boxes.filter((box) => box.x === x).map(({ width }) => width / 2)),
  }));
}

/**
 * From the side of what is read to the side of what reads it, level through every column: the places that the layout keeps
 * free for an edge are in the columns, and a curve from one of them to the next would leave them beside the wider actions.
 */
function pointsOf(
  graph: Graph,
  { from, to }: { from: string; to: string },
  columns: readonly Column[],
): DrawnEdge["points"] {
  const { points = [] } = graph.edge(from, to) as { points?: { x: number; y: number }[] };
  const [source, target] = [placeOf(graph, from), placeOf(graph, to)];
  // An edge that is gone may lead back.
  const ahead = source.x <= target.x ? 1 : -1;
  const columnAt = (middle: number) => columns.find(({ x }) => Math.abs(x - middle) <= 1);
  const level = (y: number, first: number, last: number) => [
    { x: Math.round(first), y: Math.round(y) },
    { x: Math.round(last), y: Math.round(y) },
  ];
  const [own, other] = [columnAt(source.x)?.half ?? 0, columnAt(target.x)?.half ?? 0];
  return [
    ...level(source.y, source.x + (ahead * source.width) / 2, source.x + ahead * own),
    ...points.slice(1, -1).flatMap(({ x, y }) => {
      const column = columnAt(Math.round(x));
      return column === undefined
        ? []
        : level(y, column.x - ahead * column.half, column.x + ahead * column.half);
    }),
    ...level(target.y, target.x - ahead * other, target.x - (ahead * target.width) / 2),
  ];
}
