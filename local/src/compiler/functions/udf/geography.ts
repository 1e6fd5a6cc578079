import { bool, bytes, EvaluationError, float, int, list, partialUdf, text, type Udf, udf } from "./define.ts";
import { onlyShape, refuseGeography } from "./geography-values.ts";
import { geohash, geohashMiddle } from "./geohash.ts";
import { type Json, parseJson } from "./json-value.ts";
import { isClosed, isSimple } from "./spherical-lines.ts";
import { parseWkb } from "./wkb.ts";
import { coordinateText, EMPTY, type Position, parseWkt, type Shape, type Shapes, shapeText } from "./wkt.ts";

function fail(what: string): never {
  throw new EvaluationError(what);
}

function checked([longitude, latitude]: Position): Position {
  if (!(latitude >= -90 && latitude <= 90))
    fail(`Latitude must be between -90 and 90 degrees. Actual value was ${latitude}`);
  if (!Number.isFinite(longitude)) fail(`Longitude must be finite. Actual value was ${longitude}`);
  const turned = (((longitude + 180) % 360) + 360) % 360;
  return [longitude >= -180 && longitude <= 180 ? longitude : turned - 180, latitude];
}

function point(position: Position): string {
  return shapeText({ kind: "point", at: checked(position) });
}

/** A line through these vertices; of vertices that follow each other and are equal one remains. */
function line(vertices: readonly Position[]): string {
  const printed = vertices.map((vertex) => checked(vertex).map((each) => Number(coordinateText(each))));
  const points = (printed as unknown as readonly Position[]).filter(
    ([x, y], index, all) => x !== all[index - 1]?.[0] || y !== all[index - 1]?.[1],
  );
  const [first] = points;
  if (first !== undefined && points.length === 1) return point(first);
  return isSimple(points)
    ? shapeText({ kind: "line", points })
    : refuseGeography("whose line passes a point twice, or nearly so");
}

/** The GEOGRAPHY of parsed shapes, where BigQuery keeps them as they are. */
function made(shapes: Shapes, isPlanar: boolean): string {
  const [shape, ...more] = shapes;
  if (shape === undefined) return EMPTY;
  if (more.length > 0) return refuseGeography("with several parts");
  if (shape.kind === "point") return point(shape.at);
  if (shape.kind === "polygon") return refuseGeography("with a polygon");
  if (isPlanar) return refuseGeography("with planar edges");
  return shape.points.length < 2 ? fail("A linestring must have at least two vertices") : line(shape.points);
}

const GEOJSON_TYPES: readonly string[] = [
  "MultiPoint",
  "LineString",
  "MultiLineString",
  "Polygon",
  "MultiPolygon",
  "GeometryCollection",
];

function numberOf(value: Json | undefined): number {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    if ("integer" in value) return Number(value.integer);
    if ("float" in value) return value.float;
  }
  return fail("Invalid GeoJSON: a position consists of exactly two numbers");
}

function fromGeoJson(source: string): string {
  const geometry = parseJson(source);
  const type = geometry instanceof Map ? geometry.get("type") : undefined;
  if (typeof type === "string" && GEOJSON_TYPES.includes(type))
    return refuseGeography(`of GeoJSON's type ${type}`);
  if (!(geometry instanceof Map) || type !== "Point") return fail("Invalid GeoJSON: no geometry");
  const position = geometry.get("coordinates") as Json | undefined;
  if (!Array.isArray(position)) return fail("Invalid GeoJSON: no coordinates");
  const [longitude, latitude, more] = position as readonly Json[];
  if (more !== undefined) fail("Invalid GeoJSON: a position consists of exactly two numbers");
  return position.length === 0 ? EMPTY : point([numberOf(longitude), numberOf(latitude)]);
}

function fromHex(hex: string, isPlanar: boolean): string {
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) fail("Invalid WKB: the text is not hexadecimal");
  return made(parseWkb(Buffer.from(hex, "hex")), isPlanar);
}

/** WKT, GeoJSON or WKB in hexadecimal, whichever the text is. */
function fromAnyText(source: string): string {
  if (source.trimStart().startsWith("{")) return fromGeoJson(source);
  return /^[0-9a-f]+$/i.test(source) ? fromHex(source, false) : made(parseWkt(source), false);
}

/** The shapes of a GEOGRAPHY whose number BigQuery would find the same: points that differ, or one shape. */
function parts(wkt: string): Shapes {
  const shapes = parseWkt(wkt);
  if (shapes.length < 2) return shapes;
  if (shapes.some(({ kind }) => kind !== "point"))
    return refuseGeography("with several parts that are no points");
  const distinct = new Map(shapes.map((shape) => [shapeText(shape), shape]));
  return [...distinct.values()];
}

function coordinates(caller: string, wkt: string): Position {
  return onlyShape(wkt, "point")?.at ?? fail(`${caller}: the input is not a single point`);
}

function vertex(caller: string, wkt: string, index: bigint): string {
  const points = onlyShape(wkt, "line")?.points ?? fail(`${caller}: the input is not a single linestring`);
  const found = index === 0n ? undefined : points.at(index > 0n ? Number(index) - 1 : Number(index));
  return found === undefined ? fail(`${caller}: there is no vertex ${index}`) : point(found);
}

function verticesOf(shape: Shape): readonly Position[] {
  if (shape.kind === "point") return [shape.at];
  return shape.kind === "line" ? shape.points : shape.rings.flat();
}

function makeLine(wkts: readonly (string | null)[]): string | null {
  if (wkts.includes(null)) return null;
  const vertices = wkts.flatMap((wkt) => {
    const shape = onlyShape(wkt as string, "point") ?? onlyShape(wkt as string, "line");
    return shape === undefined
      ? fail("ST_MakeLine: each input must be a single point or a single linestring")
      : verticesOf(shape);
  });
  return vertices.length === 0 ? refuseGeography("made of no points") : line(vertices);
}

const TYPES = { point: "Point", line: "LineString", polygon: "Polygon" };
const DIMENSIONS = { point: 0n, line: 1n, polygon: 2n };

function geometryType(wkt: string): string {
  const [shape, ...more] = parts(wkt);
  if (shape === undefined) return "ST_GeometryCollection";
  return `ST_${more.length > 0 ? "Multi" : ""}${TYPES[shape.kind]}`;
}

/** The highest dimension of a part, -1 where there is none. */
function dimension(wkt: string): bigint {
  return parseWkt(wkt).reduce((most, { kind }) => (DIMENSIONS[kind] > most ? DIMENSIONS[kind] : most), -1n);
}

function isClosedShape(shape: Shape): boolean {
  return shape.kind === "point" || (shape.kind === "line" && isClosed(shape.points));
}

function isRing(wkt: string): boolean {
  const points = onlyShape(wkt, "line")?.points;
  if (points === undefined || !isClosed(points)) return false;
  return isSimple(points) || refuseGeography("whose line passes a point twice, or nearly so");
}

function dump(wkt: string, wanted: bigint): readonly string[] {
  const shapes = parseWkt(wkt);
  if (shapes.length > 1) return refuseGeography("with several parts");
  return shapes.filter(({ kind }) => wanted === -1n || wanted === DIMENSIONS[kind]).map(shapeText);
}

function hashed(wkt: string, length: bigint): string | null {
  if (parseWkt(wkt).length === 0) return null;
  return geohash(coordinates("ST_GeoHash", wkt), length >= 1n && length <= 20n ? Number(length) : 20);
}

function asGeoJson(wkt: string): string {
  const [x, y] = onlyShape(wkt, "point")?.at ?? refuseGeography("that is no point, as GeoJSON");
  return `{ "type": "Point", "coordinates": [${coordinateText(x)}, ${coordinateText(y)}] }`;
}

/**
 * What is exact about GEOGRAPHY without any geodesy
 * (https://cloud.google.com/bigquery/docs/reference/standard-sql/geography_functions).
 */
export const geographyUdfs: readonly Udf[] = [
  udf("st_geogpoint", [float, float], text, (longitude, latitude) => point([longitude, latitude])),
  udf("st_x", [text], float, (wkt) => coordinates("ST_X", wkt)[0]),
  udf("st_y", [text], float, (wkt) => coordinates("ST_Y", wkt)[1]),
  partialUdf("st_geogfromtext", [text, bool], text, (wkt, isPlanar) => made(parseWkt(wkt), isPlanar)),
  partialUdf("st_geogfromwkb", [bytes, bool], text, (wkb, isPlanar) => made(parseWkb(wkb), isPlanar)),
  partialUdf("st_geogfromhex", [text, bool], text, fromHex),
  partialUdf("st_geogfromgeojson", [text], text, fromGeoJson),
  partialUdf("st_geogfromany", [text], text, fromAnyText),
  udf("st_geogpointfromgeohash", [text], text, (hash) =>
    point(geohashMiddle(hash) ?? fail(`Invalid geohash: ${hash}`)),
  ),
  udf("st_geohash", [text, int], text, hashed),
  partialUdf("st_asgeojson", [text], text, asGeoJson),
  partialUdf("geojson_quoted", [text], text, (wkt) => JSON.stringify(asGeoJson(wkt))),
  partialUdf("st_makeline", [list(text)], text, makeLine),
  udf("st_startpoint", [text], text, (wkt) => vertex("ST_StartPoint", wkt, 1n)),
  udf("st_endpoint", [text], text, (wkt) => vertex("ST_EndPoint", wkt, -1n)),
  udf("st_pointn", [text, int], text, (wkt, index) => vertex("ST_PointN", wkt, index)),
  partialUdf("st_geometrytype", [text], text, geometryType),
  udf("st_dimension", [text], int, dimension),
  udf("st_isempty", [text], bool, (wkt) => parseWkt(wkt).length === 0),
  partialUdf("st_iscollection", [text], bool, (wkt) => parts(wkt).length > 1),
  partialUdf("st_numgeometries", [text], int, (wkt) => BigInt(parts(wkt).length)),
  partialUdf("st_numpoints", [text], int, (wkt) => BigInt(parts(wkt).flatMap(verticesOf).length)),
  udf("st_isclosed", [text], bool, (wkt) => {
    const shapes = parseWkt(wkt);
    return shapes.length > 0 && shapes.every(isClosedShape);
  }),
  partialUdf("st_isring", [text], bool, isRing),
  partialUdf("st_dump", [text, int], list(text), dump),
];
