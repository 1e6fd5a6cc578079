import type { SqlType } from "../types.ts";
import type { PhysicalTable } from "./context.ts";
import { columnExpression } from "./physical-columns.ts";

/**
 * DuckDB expressions over a row of the physical table `t` for the least and the greatest value that the partitioning column may have in the
 * row's partition; NULL in the partition of NULL (https://cloud.google.com/bigquery/docs/partitioned-tables).
 */
export function partitionBounds(table: PhysicalTable, name: string): { least: string; greatest: string } {
  const column = columnExpression(table, name);
  const { timePartitioning, rangePartitioning } = table.partitioning;
  if (rangePartitioning !== undefined) {
    const { start, end, interval } = rangePartitioning.range;
    const least = `(${start} + ((${column} - ${start}) // ${interval}) * ${interval})`;
    return { least, greatest: `least(${least} + ${interval} - 1, ${end} - 1)` };
  }
  const type = table.columns.find((each) => each.name.toLowerCase() === name.toLowerCase())?.type;
  // The pseudo columns of ingestion time hold the partition's own time.
  if (timePartitioning?.field === undefined || type === undefined) return { least: column, greatest: column };
  const unit = timePartitioning.type.toLowerCase();
  return timeBounds(type, column, unit);
}

function timeBounds(type: SqlType, column: string, unit: string): { least: string; greatest: string } {
  const [duck, step] =
    type.kind === "DATE"
      ? ["DATE", "DAY"]
      : [type.kind === "TIMESTAMP" ? "TIMESTAMPTZ" : "TIMESTAMP", "MICROSECOND"];
  const start = `date_trunc('${unit}', ${column})`;
  return {
    least: `CAST(${start} AS ${duck})`,
    greatest: `CAST(${start} + INTERVAL 1 ${unit} - INTERVAL 1 ${step} AS ${duck})`,
  };
}
