import { Refusal } from "./define.ts";
import { parseWkt, type Shape } from "./wkt.ts";

/** Refuses a GEOGRAPHY of which BigQuery makes something by rules that are not public. */
export function refuseGeography(what: string): never {
  throw new Refusal(`a GEOGRAPHY ${what}`);
}

/** The only shape of a GEOGRAPHY, if it has just one and that of this kind. */
export function onlyShape<K extends Shape["kind"]>(wkt: string, kind: K): (Shape & { kind: K }) | undefined {
  const [shape, ...more] = parseWkt(wkt);
  return shape?.kind === kind && more.length === 0 ? (shape as Shape & { kind: K }) : undefined;
}
