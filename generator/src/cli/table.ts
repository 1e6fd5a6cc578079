import Table from "cli-table3";
import { plain } from "../warehouse/plain.ts";

/** A table for the terminal, without colours, so that it reads the same in a log. */
export function formatTable(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  table.push(...rows.map((row) => row.map(formatCell)));
  return table.toString();
}

/** One value of a BigQuery row as people read it: NULL and `[]`, which say nothing, are empty. */
function formatCell(value: unknown): string {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return "";
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value !== "object") return String(value);
  return typeof plain(value) === "string" ? String(plain(value)) : JSON.stringify(plain(value));
}
