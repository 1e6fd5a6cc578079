import { EvaluationError } from "./define.ts";

/** Longitude and latitude in degrees. */
export type Position = readonly [longitude: number, latitude: number];

/** A point, the vertices of a line, or the rings of a polygon, each with its first vertex at the end once more. */
export type Shape =
  | { readonly kind: "point"; readonly at: Position }
  | { readonly kind: "line"; readonly points: readonly Position[] }
  | { readonly kind: "polygon"; readonly rings: readonly (readonly Position[])[] };

/** What a GEOGRAPHY consists of: collections are flat, and the empty GEOGRAPHY is of no kind. */
export type Shapes = readonly Shape[];

export const EMPTY = "GEOMETRYCOLLECTION EMPTY";

/** How deep collections may be in each other. */
export const MAX_DEPTH = 100;

const TOKEN = /\s*([A-Za-z]+|[(),]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*/y;

class Parser {
  #at = 0;
  #token = "";
  #depth = 0;

  constructor(private readonly source: string) {
    this.#next();
  }

  parse(): Shapes {
    const shapes = this.#geometry();
    return this.#token === "" ? shapes : this.#fail();
  }

  #fail(): never {
    throw new EvaluationError(`Invalid WKT: ${this.source.slice(0, 1000)}`);
  }

  #next(): void {
    TOKEN.lastIndex = this.#at;
    const found = TOKEN.exec(this.source);
    if (found === null && this.#at < this.source.length) this.#fail();
    this.#at = found === null ? this.#at : TOKEN.lastIndex;
    this.#token = (found?.[1] ?? "").toUpperCase();
  }

  #take(token: string): boolean {
    if (this.#token !== token) return false;
    this.#next();
    return true;
  }

  /** The items between parentheses, none where EMPTY stands instead. */
  #list<T>(item: () => T): readonly T[] {
    if (this.#take("EMPTY")) return [];
    if (!this.#take("(")) this.#fail();
    const items: T[] = [];
    do items.push(item());
    while (this.#take(","));
    return this.#take(")") ? items : this.#fail();
  }

  #number(): number {
    const value = /^[-+.\d]/.test(this.#token) ? Number(this.#token) : this.#fail();
    this.#next();
    return value;
  }

  readonly #position = (): Position => [this.#number(), this.#number()];

  /** A point of a MULTIPOINT, which may stand in parentheses. */
  readonly #member = (): Position => {
    if (!this.#take("(")) return this.#position();
    const position = this.#position();
    return this.#take(")") ? position : this.#fail();
  };

  readonly #line = (): readonly Position[] => this.#list(this.#position);

  readonly #polygon = (): readonly (readonly Position[])[] => this.#list(this.#line);

  readonly #geometry = (): Shapes => {
    const type = this.#token;
    this.#next();
    const points = (positions: readonly Position[]) => positions.map((at): Shape => ({ kind: "point", at }));
    const lines = (all: readonly (readonly Position[])[]) =>
      all.flatMap((line): Shapes => (line.length === 0 ? [] : [{ kind: "line", points: line }]));
    const polygons = (all: readonly (readonly (readonly Position[])[])[]) =>
      all.flatMap((rings): Shapes => (rings.length === 0 ? [] : [{ kind: "polygon", rings }]));
    switch (type) {
      case "POINT": {
        const positions = this.#list(this.#position);
        return positions.length > 1 ? this.#fail() : points(positions);
      }
      case "MULTIPOINT":
        return points(this.#list(this.#member));
      case "LINESTRING":
        return lines([this.#line()]);
      case "MULTILINESTRING":
        return lines(this.#list(this.#line));
      case "POLYGON":
        return polygons([this.#polygon()]);
      case "MULTIPOLYGON":
        return polygons(this.#list(this.#polygon));
      case "GEOMETRYCOLLECTION": {
        if (++this.#depth > MAX_DEPTH) this.#fail();
        const parts = this.#list(this.#geometry).flat();
        this.#depth--;
        return parts;
      }
      default:
        return this.#fail();
    }
  };
}

/** What WKT stands for (https://en.wikipedia.org/wiki/Well-known_text), or an EvaluationError. */
export function parseWkt(wkt: string): Shapes {
  return new Parser(wkt).parse();
}

/** A coordinate with the fifteen digits that ST_ASTEXT prints. */
export function coordinateText(value: number): string {
  return Number(value.toPrecision(15)).toString();
}

function positionText([longitude, latitude]: Position): string {
  return `${coordinateText(longitude)} ${coordinateText(latitude)}`;
}

function lineText(points: readonly Position[]): string {
  return `(${points.map(positionText).join(", ")})`;
}

/** The WKT of one shape as ST_ASTEXT prints it. */
export function shapeText(shape: Shape): string {
  if (shape.kind === "point") return `POINT(${positionText(shape.at)})`;
  if (shape.kind === "line") return `LINESTRING${lineText(shape.points)}`;
  return `POLYGON(${shape.rings.map(lineText).join(", ")})`;
}
