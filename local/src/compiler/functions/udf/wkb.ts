import { EvaluationError } from "./define.ts";
import { MAX_DEPTH, type Position, type Shapes } from "./wkt.ts";

const POINT = 1;
const LINE = 2;
const POLYGON = 3;
const COLLECTION = 7;

/** What WKB in either byte order stands for (https://en.wikipedia.org/wiki/Well-known_text#Well-known_binary), or an EvaluationError. */
export function parseWkb(wkb: Buffer): Shapes {
  const view = new DataView(wkb.buffer, wkb.byteOffset, wkb.byteLength);
  let at = 0;
  const read = <T>(size: number, get: (offset: number) => T): T => {
    if (at + size > wkb.length) throw new EvaluationError("Invalid WKB: it ends too early");
    at += size;
    return get(at - size);
  };
  const geometry = (depth: number): Shapes => {
    if (depth > MAX_DEPTH) throw new EvaluationError("Invalid WKB: too deeply nested");
    const isLittle = read(1, (offset) => view.getUint8(offset)) === 1;
    const integer = (): number => read(4, (offset) => view.getUint32(offset, isLittle));
    const double = (): number => read(8, (offset) => view.getFloat64(offset, isLittle));
    const list = <T>(item: () => T): readonly T[] => {
      const items: T[] = [];
      for (let count = integer(); count > 0; count--) items.push(item());
      return items;
    };
    const position = (): Position => [double(), double()];
    const type = integer();
    if (type === POINT) {
      const point = position();
      return point.every(Number.isNaN) ? [] : [{ kind: "point", at: point }];
    }
    if (type === LINE) {
      const points = list(position);
      return points.length === 0 ? [] : [{ kind: "line", points }];
    }
    if (type === POLYGON) {
      const rings = list(() => list(position));
      return rings.length === 0 ? [] : [{ kind: "polygon", rings }];
    }
    if (type > POLYGON && type <= COLLECTION) return list(() => geometry(depth + 1)).flat();
    throw new EvaluationError(`Invalid WKB: the geometry type ${type}`);
  };
  const shapes = geometry(0);
  if (at < wkb.length) throw new EvaluationError("Invalid WKB: more bytes than the geometry has");
  return shapes;
}
