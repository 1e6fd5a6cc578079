import type { Accuracy, DryRunBytes } from "../warehouse/dry-run.ts";
import type { ActionChange } from "./graph-changes.ts";

/** What dry runs say of one side of an action: the bytes it would process, or why nobody can say. */
type Estimate = DryRunBytes | { readonly reason: string };

/** The cost of one action before and after; undefined where it is not there. */
export interface CostRow {
  readonly id: string;
  readonly type: string;
  readonly before: Estimate | undefined;
  readonly after: Estimate | undefined;
}

/** The cost of the changed actions, or why there is no estimate at all. */
export type Costs = { readonly rows: readonly CostRow[] } | { readonly unknown: string };

type DryRun = (sql: string) => Promise<DryRunBytes>;

/** How the figures were found, and the signs before them. */
export const COST_NOTE =
  "Bytes that one run processes, by dry runs on the tables as they are, each job without its CREATE. A read-from point is known only when it runs, so this counts all partitions. ≤ is at most, ≥ at least, ~ BigQuery does not say how exactly.";

/** How many dry runs are under way at once. */
const PARALLEL = 4;

/** Dry-runs both sides of each action whose SQL changes; one that reads nothing on either side is left out. */
export async function estimateCosts(
  actions: readonly ActionChange[],
  dryRun: DryRun,
): Promise<readonly CostRow[]> {
  const remembered = new Map<string, Promise<Estimate>>();
  const once = (sql: string): Promise<Estimate> => {
    const known = remembered.get(sql) ?? estimate(sql, dryRun);
    remembered.set(sql, known);
    return known;
  };
  const rows: CostRow[] = [];
  const waiting = actions.filter(({ before, after }) => before?.sql !== after?.sql);
  while (waiting.length > 0) {
    const batch = waiting.splice(0, PARALLEL).map(async ({ id, type, before, after }) => ({
      id,
      type,
      before: before === undefined ? undefined : await sum(before.jobs, once),
      after: after === undefined ? undefined : await sum(after.jobs, once),
    }));
    rows.push(...(await Promise.all(batch)));
  }
  return rows.filter(({ before, after }) => [before, after].some(isWorthShowing));
}

async function sum(jobs: readonly string[], once: (sql: string) => Promise<Estimate>): Promise<Estimate> {
  let bytes = 0;
  const bounds = new Set<Accuracy>();
  for (const sql of jobs) {
    const part = await once(sql);
    if ("reason" in part) return part;
    bytes += part.bytes;
    bounds.add(part.accuracy);
  }
  bounds.delete("PRECISE");
  const [only, other] = bounds;
  return { bytes, accuracy: other === undefined ? (only ?? "PRECISE") : "UNKNOWN" };
}

async function estimate(sql: string, dryRun: DryRun): Promise<Estimate> {
  try {
    const found = await dryRun(sql);
    if (found.bytes > 0 || isMost(found)) return found;
    return { reason: `its dry run gives no bytes (totalBytesProcessedAccuracy ${found.accuracy})` };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { reason: message.replace(/\s+/g, " ").trim().slice(0, 200) };
  }
}

/** Whether it processes no more than that: nothing is then really nothing. */
function isMost({ accuracy }: DryRunBytes): boolean {
  return accuracy === "PRECISE" || accuracy === "UPPER_BOUND";
}

function isWorthShowing(estimated: Estimate | undefined): boolean {
  return estimated !== undefined && ("reason" in estimated || estimated.bytes > 0);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** The units of bytes as an axis counts them, by their bytes, the smallest first. */
export const BYTE_UNITS = UNITS.map((name, power) => [1024 ** power, name] as const);

/** Bytes as people read them, such as `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

const SIGNS: Readonly<Record<Accuracy, string>> = {
  PRECISE: "",
  UPPER_BOUND: "≤ ",
  LOWER_BOUND: "≥ ",
  UNKNOWN: "~ ",
};

/** The three cells of a row: before, after, difference. */
export function costCells({ before, after }: CostRow): readonly [string, string, string] {
  const cell = (estimated: Estimate | undefined) =>
    estimated === undefined
      ? ""
      : "reason" in estimated
        ? "not known"
        : `${SIGNS[estimated.accuracy]}${formatBytes(estimated.bytes)}`;
  return [cell(before), cell(after), difference(before, after)];
}

function difference(before: Estimate | undefined, after: Estimate | undefined): string {
  const [old, now] = [before, after].map((side) =>
    side === undefined ? 0 : "bytes" in side ? side.bytes : undefined,
  );
  if (old === undefined || now === undefined) return "";
  if (old === now) return "none";
  const percent =
    old === 0 ? "" : ` (${now > old ? "+" : "-"}${Math.round((Math.abs(now - old) / old) * 100)} %)`;
  return `${now > old ? "+" : "-"}${formatBytes(Math.abs(now - old))}${percent}`;
}

/** Why rows have no estimate, each reason once. */
export function costReasons(
  rows: readonly CostRow[],
): readonly { id: string; side: string; reason: string }[] {
  const seen = new Set<string>();
  return rows
    .flatMap(({ id, before, after }) =>
      (
        [
          ["before", before],
          ["after", after],
        ] as const
      ).flatMap(([side, estimated]) =>
        estimated !== undefined && "reason" in estimated ? [{ id, side, reason: estimated.reason }] : [],
      ),
    )
    .filter(({ side, reason }) => !seen.has(`${side} ${reason}`) && seen.add(`${side} ${reason}`));
}
