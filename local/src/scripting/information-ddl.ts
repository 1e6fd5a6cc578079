import type { TableEntry } from "../storage/entries.ts";
import type { FieldSchema } from "../types.ts";
import { dataType, optionRows } from "./information-columns.ts";
import { constraintDdl } from "./information-constraints.ts";

/** The statement that would make the table or view, for the `ddl` column of INFORMATION_SCHEMA.TABLES. */
export function tableDdl(entry: TableEntry): string {
  const { ref, kind } = entry;
  const name = `\`${ref.projectId}.${ref.datasetId}.${ref.tableId}\``;
  const options = optionRows(entry).map(([option, , value]) => `  ${option}=${value}`);
  const optionList = options.length === 0 ? "" : `\nOPTIONS(\n${options.join(",\n")}\n)`;
  if (kind === "SNAPSHOT" && entry.base !== undefined) {
    const { projectId, datasetId, tableId } = entry.base.table;
    return `CREATE SNAPSHOT TABLE ${name}\nCLONE \`${projectId}.${datasetId}.${tableId}\`${optionList};`;
  }
  if (kind !== "TABLE")
    return `CREATE ${kind.replace("_", " ")} ${name}${optionList}\nAS ${entry.viewQuery ?? ""};`;
  const columns = [...entry.schema.map((field) => `  ${columnDdl(field)}`), ...constraintDdl(entry)].join(
    ",\n",
  );
  const clustering = entry.clustering.length === 0 ? "" : `\nCLUSTER BY ${entry.clustering.join(", ")}`;
  return `CREATE TABLE ${name}\n(\n${columns}\n)${partitionDdl(entry)}${clustering}${optionList};`;
}

function columnDdl(field: FieldSchema): string {
  const required = field.mode === "REQUIRED" ? " NOT NULL" : "";
  const value = field.defaultValueExpression === undefined ? "" : ` DEFAULT ${field.defaultValueExpression}`;
  const options =
    field.description === undefined ? "" : ` OPTIONS(description=${JSON.stringify(field.description)})`;
  return `${field.name} ${dataType(field)}${required}${value}${options}`;
}

function partitionDdl({ partitioning, schema }: TableEntry): string {
  const { timePartitioning: time, rangePartitioning } = partitioning;
  if (rangePartitioning !== undefined) {
    const { start, end, interval } = rangePartitioning.range;
    return `\nPARTITION BY RANGE_BUCKET(${rangePartitioning.field}, GENERATE_ARRAY(${start}, ${end}, ${interval}))`;
  }
  if (time === undefined) return "";
  const type =
    schema.find(({ name }) => name.toLowerCase() === time.field?.toLowerCase())?.type ?? "TIMESTAMP";
  const field = time.field ?? (time.type === "DAY" ? "_PARTITIONDATE" : "_PARTITIONTIME");
  if (time.type === "DAY") {
    return `\nPARTITION BY ${type === "DATE" || time.field === undefined ? field : `DATE(${field})`}`;
  }
  return `\nPARTITION BY ${type}_TRUNC(${field}, ${time.type})`;
}
