/** The text of a geography in WKT as ST_ASTEXT prints it; undefined where the text is no WKT. */
export function canonicalWkt(text: string): string | undefined {
  const compact = text.trim().replace(/\s+/g, " ");
  const head =
    /^(POINT|LINESTRING|POLYGON|MULTIPOINT|MULTILINESTRING|MULTIPOLYGON|GEOMETRYCOLLECTION)\s*(EMPTY|\()/i;
  const match = head.exec(compact);
  if (match === null) return undefined;
  if (match[2]?.toUpperCase() === "EMPTY") {
    // An empty GEOGRAPHY is of no kind (https://cloud.google.com/bigquery/docs/reference/standard-sql/geography_functions#st_isempty).
    return compact.length === match[0].length ? "GEOMETRYCOLLECTION EMPTY" : undefined;
  }
  if (!/^[A-Za-z0-9 (),.+-]*$/.test(compact) || depthAtEnd(compact) !== 0) return undefined;
  const point = POINT.exec(compact);
  if (point !== null) return canonicalPoint(Number(point[1]), Number(point[2]));
  const upper = compact.replace(/[A-Za-z]{2,}/g, (word) => word.toUpperCase());
  return upper
    .replace(/\s*([(),])\s*/g, "$1")
    .replace(/,/g, ", ")
    .replace(/[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/g, (number) => coordinateText(Number(number)));
}

const POINT = /^POINT ?\( ?([-+0-9.eE]+) ([-+0-9.eE]+) ?\)$/i;

function canonicalPoint(longitude: number, latitude: number): string | undefined {
  if (!(Math.abs(latitude) <= 90) || !Number.isFinite(longitude)) return undefined;
  const turned = (((longitude + 180) % 360) + 360) % 360;
  const wrapped = Math.abs(longitude) <= 180 ? longitude : turned - 180;
  return `POINT(${coordinateText(wrapped)} ${coordinateText(latitude)})`;
}

/** A coordinate with the fifteen digits that ST_ASTEXT prints. */
function coordinateText(value: number): string {
  return String(Number(value.toPrecision(15)));
}

function depthAtEnd(text: string): number {
  let depth = 0;
  for (const character of text) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (depth < 0) return -1;
  }
  return depth;
}
