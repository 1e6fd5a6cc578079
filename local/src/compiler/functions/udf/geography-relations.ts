import { bool, EvaluationError, float, partialUdf, text, type Udf } from "./define.ts";
import { onlyShape, refuseGeography } from "./geography-values.ts";
import { isClosed } from "./spherical-lines.ts";
import { EMPTY, type Position, parseWkt, type Shape } from "./wkt.ts";

/** Degrees below which two points may be one, or a point be on an edge: coordinates are not kept to the last digit. */
const NEAR = 1e-6;

function isEmpty(wkt: string): boolean {
  return parseWkt(wkt).length === 0;
}

function pointOf(wkt: string): Position {
  return onlyShape(wkt, "point")?.at ?? refuseGeography("that is no point");
}

/** Whether two single points are one. */
function isSamePoint(a: string, b: string): boolean {
  const [p, q] = [pointOf(a), pointOf(b)];
  if (p[0] === q[0] && p[1] === q[1]) return true;
  // A pole has every longitude, and 180 is -180.
  const isSeam = [p, q].some(([x, y]) => 180 - Math.abs(x) < NEAR || 90 - Math.abs(y) < NEAR);
  const isNear = Math.abs(p[0] - q[0]) < NEAR && Math.abs(p[1] - q[1]) < NEAR;
  return isSeam || isNear ? refuseGeography("that may be another point's") : false;
}

function equals(a: string, b: string): boolean {
  return isEmpty(a) || isEmpty(b) ? isEmpty(a) && isEmpty(b) : isSamePoint(a, b);
}

/** Whether points have a point in common, and so all there is of them: of points each covers, contains and meets the other. */
function meets(a: string, b: string): boolean {
  return !isEmpty(a) && !isEmpty(b) && isSamePoint(a, b);
}

/** Two points that meet have no boundary to touch with. */
function touches(a: string, b: string): boolean {
  if (isEmpty(a) || isEmpty(b)) return false;
  pointOf(a);
  pointOf(b);
  return false;
}

function isBetween(value: number, low: number, high: number): boolean {
  if (Math.abs(value - low) < NEAR || Math.abs(value - high) < NEAR)
    return refuseGeography("at a box's edge");
  return low < value && value < high;
}

/** Whether a point is in a box of longitudes and latitudes; where the first longitude is the greater one, it goes round. */
function intersectsBox(wkt: string, west: number, south: number, east: number, north: number): boolean {
  const isLatitude = (value: number): boolean => Math.abs(value) <= 90;
  const isLongitude = (value: number): boolean => Math.abs(value) <= 180;
  const isTurn = (isLongitude(west) || isLongitude(east)) && east - west >= 0 && east - west <= 360;
  if (!isLatitude(south) || !isLatitude(north))
    throw new EvaluationError("ST_IntersectsBox: latitudes must be between -90 and 90 degrees");
  if (!(isLongitude(west) && isLongitude(east)) && !isTurn)
    throw new EvaluationError("ST_IntersectsBox: invalid longitudes");
  if (isEmpty(wkt)) return false;
  const [x, y] = pointOf(wkt);
  if (180 - Math.abs(x) < NEAR || 90 - Math.abs(y) < NEAR) return refuseGeography("at a seam of the map");
  const turned = east < west ? east + 360 : east;
  const isInside = [x - 360, x, x + 360].some((longitude) => isBetween(longitude, west, turned));
  return isInside && isBetween(y, south, north);
}

/** Zero, the measure of a GEOGRAPHY without parts of the kind that has one. */
function zeroWithout(kind: Shape["kind"], measure: string) {
  return (wkt: string): number =>
    parseWkt(wkt).some((shape) => shape.kind === kind) ? refuseGeography(`with ${measure}`) : 0;
}

/** Points and closed lines have no boundary. */
function boundary(wkt: string): string {
  const hasNone = (shape: Shape): boolean =>
    shape.kind === "point" || (shape.kind === "line" && isClosed(shape.points));
  return parseWkt(wkt).every(hasNone) ? EMPTY : refuseGeography("with a boundary");
}

/**
 * How points are related, and measures that are zero
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/geography_functions).
 */
export const geographyRelationUdfs: readonly Udf[] = [
  partialUdf("st_equals", [text, text], bool, equals),
  partialUdf("st_intersects", [text, text], bool, meets),
  partialUdf("st_touches", [text, text], bool, touches),
  partialUdf("st_intersectsbox", [text, float, float, float, float], bool, intersectsBox),
  partialUdf("st_area", [text], float, zeroWithout("polygon", "an area")),
  partialUdf("st_perimeter", [text], float, zeroWithout("polygon", "a perimeter")),
  partialUdf("st_length", [text], float, zeroWithout("line", "a length")),
  partialUdf("st_boundary", [text], text, boundary),
];
