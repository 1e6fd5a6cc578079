import Table from "cli-table3";

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

/** The client wraps timestamps, dates, ranges and decimals in objects of their own; this unwraps them, at any depth. */
export function plain(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if ("value" in value && Object.keys(value).length === 1) return value.value;
  if (isDecimal(value)) return value.toFixed();
  if ("apiValue" in value && typeof value.apiValue === "string") return value.apiValue;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

function isDecimal(value: object): value is { toFixed(): string } {
  return "toFixed" in value && typeof value.toFixed === "function";
}
