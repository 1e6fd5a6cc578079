import { once } from "node:events";
import { createWriteStream } from "node:fs";

/** Six attributes of as many types, mostly absent, as sparse updates are. */
export const ATTRIBUTES = [
  "attribute1",
  "attribute2",
  "attribute3",
  "attribute4",
  "attribute5",
  "attribute6",
];

/** The schema of the updates in BigQuery's words, and in DuckDB's. */
export const SCHEMA = [
  { name: "userId", type: "STRING", duck: "VARCHAR" },
  { name: "ts", type: "TIMESTAMP", duck: "TIMESTAMPTZ" },
  { name: "attribute1", type: "STRING", duck: "VARCHAR" },
  { name: "attribute2", type: "STRING", duck: "VARCHAR" },
  { name: "attribute3", type: "INTEGER", duck: "BIGINT" },
  { name: "attribute4", type: "FLOAT", duck: "DOUBLE" },
  { name: "attribute5", type: "BOOLEAN", duck: "BOOLEAN" },
  { name: "attribute6", type: "DATE", duck: "DATE" },
] as const;

const START = Date.UTC(2026, 0, 1);

/** Writes updates of `users` users as NDJSON, the same ones every time. */
export async function writeUpdates(file: string, rows: number, users: number): Promise<void> {
  const out = createWriteStream(file);
  const next = random(42);
  for (let row = 0; row < rows; ) {
    const lines: string[] = [];
    for (const end = Math.min(rows, row + 10_000); row < end; row++)
      lines.push(JSON.stringify(update(row, users, next)));
    if (!out.write(`${lines.join("\n")}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "close");
}

function update(row: number, users: number, next: () => number): Record<string, unknown> {
  const values = [
    `value ${row}`,
    `other ${Math.floor(next() * 1000)}`,
    Math.floor(next() * 1e6),
    next(),
    next() < 0.5,
    new Date(START + Math.floor(next() * 1000) * 86_400_000).toISOString().slice(0, 10),
  ];
  const line: Record<string, unknown> = {
    userId: `user${Math.floor(next() * users)}`,
    ts: new Date(START + row).toISOString(),
  };
  ATTRIBUTES.forEach((name, index) => {
    if (next() < 0.4) line[name] = values[index];
  });
  return line;
}

/** A small generator with a seed (mulberry32's recurrence). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
