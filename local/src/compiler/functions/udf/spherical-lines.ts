import type { Position } from "./wkt.ts";

type Vector = readonly [number, number, number];

/** Distances in radians below which nothing is decided: less than a meter on the Earth. */
const NEAR = 1e-7;

function unit([longitude, latitude]: Position): Vector {
  const [lambda, phi] = [(longitude * Math.PI) / 180, (latitude * Math.PI) / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function scaled(a: Vector): Vector {
  const length = Math.hypot(...a);
  return [a[0] / length, a[1] / length, a[2] / length];
}

function angle(a: Vector, b: Vector): number {
  return Math.atan2(Math.hypot(...cross(a, b)), dot(a, b));
}

/** An edge: the shorter arc between two vertices. */
interface Edge {
  readonly from: Vector;
  readonly to: Vector;
  /** Of length 1, perpendicular to the plane of the arc. */
  readonly normal: Vector;
  readonly middle: Vector;
  readonly half: number;
  /** How far the edge's points are from its middle, in a straight line. */
  readonly reach: number;
}

function edge(from: Vector, to: Vector): Edge {
  const half = angle(from, to) / 2;
  return {
    from,
    to,
    normal: scaled(cross(from, to)),
    middle: scaled([from[0] + to[0], from[1] + to[1], from[2] + to[2]]),
    half,
    reach: 2 * Math.sin(half / 2),
  };
}

/** Whether two points are surely on the same side of an edge's great circle. */
function onOneSide({ normal }: Edge, a: Vector, b: Vector): boolean {
  const [sideA, sideB] = [dot(normal, a), dot(normal, b)];
  return Math.abs(sideA) > NEAR && Math.abs(sideB) > NEAR && sideA > 0 === sideB > 0;
}

/** Whether two edges surely have no point in common. */
function apart(a: Edge, b: Edge): boolean {
  const [x, y, z] = [a.middle[0] - b.middle[0], a.middle[1] - b.middle[1], a.middle[2] - b.middle[2]];
  if (x * x + y * y + z * z > (a.reach + b.reach + NEAR) ** 2) return true;
  return onOneSide(a, b.from, b.to) || onOneSide(b, a.from, a.to);
}

/** Whether two edges that share a vertex surely share nothing else: they leave it in different directions. */
function forks(shared: Vector, a: Vector, b: Vector): boolean {
  return angle(scaled(cross(shared, a)), scaled(cross(shared, b))) > NEAR;
}

/** Whether a line ends where it starts. */
export function isClosed(points: readonly Position[]): boolean {
  const [first, last] = [points[0], points.at(-1)];
  return first !== undefined && last !== undefined && first[0] === last[0] && first[1] === last[1];
}

/**
 * Whether a line surely passes no point twice, but for an end that is its start; edges are geodesics on a sphere. Such a
 * line is kept as it was written; others are split, snapped and ordered by rules that are not public.
 */
export function isSimple(points: readonly Position[]): boolean {
  if (points.some(([x, y]) => !(Math.abs(x) < 180) || !(Math.abs(y) < 90))) return false;
  const vertices = points.map(unit);
  const edges = vertices.slice(1).map((to, index) => edge(vertices[index] as Vector, to));
  if (edges.some(({ half }) => half < NEAR || half > Math.PI / 2 - NEAR)) return false;
  const closed = isClosed(points);
  return edges.every((a, index) =>
    edges.slice(index + 1).every((b, offset) => {
      const follows = offset === 0;
      const meets = closed && index === 0 && offset === edges.length - 2;
      if (follows && meets) return false;
      if (follows) return forks(a.to, a.from, b.to);
      // Edges that overlap where a ring closes overlap others, too.
      return meets || apart(a, b);
    }),
  );
}
