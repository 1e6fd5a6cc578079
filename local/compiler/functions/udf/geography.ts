import { EvaluationError, float, int, text, type Udf, udf } from "./define.ts";

const POINT = /^\s*POINT\s*\(\s*([-+0-9.eE]+)\s+([-+0-9.eE]+)\s*\)\s*$/i;

function number(value: number): string {
  // Fifteen digits, as ST_ASTEXT prints a coordinate.
  return Number(value.toPrecision(15)).toString();
}

function point(longitude: number, latitude: number): string {
  if (!(latitude >= -90 && latitude <= 90))
    throw new EvaluationError(`Latitude must be between -90 and 90 degrees. Actual value was ${latitude}`);
  if (!Number.isFinite(longitude))
    throw new EvaluationError(`Longitude must be finite. Actual value was ${longitude}`);
  const turned = (((longitude + 180) % 360) + 360) % 360;
  const wrapped = longitude >= -180 && longitude <= 180 ? longitude : turned - 180;
  return `POINT(${number(wrapped)} ${number(latitude)})`;
}

function coordinates(wkt: string): readonly [number, number] {
  const [, x, y] = POINT.exec(wkt) ?? [];
  if (x === undefined || y === undefined)
    throw new EvaluationError(
      `Not supported by the local BigQuery endpoint: a GEOGRAPHY that is no point: ${wkt}`,
    );
  return [Number(x), Number(y)];
}

/** Functions on GEOGRAPHY points. */
export const geographyUdfs: readonly Udf[] = [
  udf("st_geogpoint", [float, float], text, point),
  udf("st_coordinate", [text, int], float, (wkt, axis) => coordinates(wkt)[axis === 0n ? 0 : 1]),
  udf("st_point_text", [text], text, (wkt) => point(...coordinates(wkt))),
  udf("geojson_quoted", [text], text, (wkt) => {
    const [x, y] = coordinates(wkt);
    return JSON.stringify(`{ "type": "Point", "coordinates": [${number(x)}, ${number(y)}] }`).replaceAll(
      ", ",
      ", ",
    );
  }),
];
