import { BigQueryError } from "../errors.ts";
import { TOO_COMPLEX } from "../googlesql/client.ts";
import type { TreeNode } from "../googlesql/tree.ts";
import { childOf, nodeOf, textOf } from "./tree-access.ts";
import type { JoinRegion, Unit } from "./unit.ts";

/** So many joins DuckDB plans as one: its time grows with their fourth power, 80 take 20 seconds. */
const JOINS_AT_ONCE = 20;
/** Of joins that cannot be taken in steps. */
const MOST_JOINS = 60;

const NONE: JoinRegion = { joins: 0, hasCross: false, ends: false };

const regions = new WeakMap<TreeNode, JoinRegion>();

/**
 * The joins that would be planned together with what reads this scan. More than BigQuery would plan in that time are refused with its
 * error (https://cloud.google.com/bigquery/docs/error-messages, `resourcesExceeded`).
 */
export function joinRegion(scan: TreeNode, unit: Unit): JoinRegion {
  const known = regions.get(scan);
  if (known !== undefined) return known;
  const region = findRegion(scan, unit);
  regions.set(scan, region);
  return region;
}

function findRegion(scan: TreeNode, unit: Unit): JoinRegion {
  switch (scan.kind) {
    case "JoinScan":
      return regionOfJoin(scan, unit);
    case "ProjectScan":
      return { ...joinRegion(childOf(scan, "inputScan"), unit), ends: false };
    case "FilterScan":
      return { ...joinRegion(childOf(scan, "inputScan"), unit), hasCross: false, ends: false };
    case "WithRefScan":
      return unit.withQueries.get(textOf(scan, "withQueryName").toLowerCase())?.region ?? NONE;
    default:
      return NONE;
  }
}

function regionOfJoin(scan: TreeNode, unit: Unit): JoinRegion {
  const sides = [childOf(scan, "leftScan"), childOf(scan, "rightScan")].map((side) => joinRegion(side, unit));
  const isCross = (textOf(scan, "joinType") || "INNER") === "INNER" && nodeOf(scan, "joinExpr") === undefined;
  const joins = sides.reduce((sum, side) => sum + side.joins, 1);
  const hasCross = isCross || sides.some((side) => side.hasCross);
  if (joins < JOINS_AT_ONCE) return { joins, hasCross, ends: false };
  // A cross product that is cut off from its filter would be worked out as a whole.
  if (!hasCross && !unit.correlated) return { ...NONE, ends: true };
  if (joins > MOST_JOINS) throw new BigQueryError("resourcesExceeded", TOO_COMPLEX, "query");
  return { joins, hasCross, ends: false };
}

/** A query that DuckDB plans on its own, whatever reads it: nothing is moved across a LIMIT. */
export function plannedAlone(sql: string): string {
  return `${sql} LIMIT 9223372036854775807`;
}
