import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import type { TableField } from "@google-cloud/bigquery";
import { describe, expect, it } from "vitest";
import { gatherRows } from "../../../generator/src/warehouse/load/rows.ts";
import { useFolder } from "./folder.ts";

const folder = useFolder();
const fields: TableField[] = [
  { name: "id", type: "STRING", mode: "REQUIRED" },
  { name: "count", type: "INTEGER" },
  { name: "ok", type: "BOOLEAN" },
  { name: "doc", type: "JSON" },
  { name: "tags", type: "STRING", mode: "REPEATED" },
  { name: "parts", type: "RECORD", mode: "REPEATED", fields: [{ name: "a", type: "STRING" }] },
];

async function gather(files: Record<string, string | Uint8Array>) {
  const names = [];
  for (const [name, content] of Object.entries(files)) names.push(await folder.write(name, content));
  const gathered = await gatherRows(names, fields, folder.path("rows.ndjson"));
  const lines = (await readFile(gathered.file, "utf8")).split("\n").filter((line) => line !== "");
  return { gathered, rows: lines.map((line) => JSON.parse(line) as unknown) };
}

describe("gatherRows", () => {
  it("joins NDJSON and CSV, packed or not, and knows where each row came from", async () => {
    const { gathered, rows } = await gather({
      "a.ndjson": '{"id":"1","count":1}\n\n{"id":"2"}\n',
      "b.csv.gz": gzipSync("count,id\n3,c\n4,d\n"),
      "c.csv": 'id,count\n"e\ne",5\nf,6\n',
    });
    expect(rows).toEqual([
      { id: "1", count: 1 },
      { id: "2" },
      { id: "c", count: "3" },
      { id: "d", count: "4" },
      { id: "e\ne", count: "5" },
      { id: "f", count: "6" },
    ]);
    expect(gathered.rowCount).toBe(6);
    const places = await Promise.all(Array.from({ length: 6 }, (_, row) => gathered.placeOf(row)));
    expect(places.map((place) => `${place.file.split("/").at(-1)}:${place.line}`)).toEqual([
      "a.ndjson:1",
      "a.ndjson:3",
      "b.csv.gz:2",
      "b.csv.gz:3",
      "c.csv:2",
      "c.csv:4",
    ]);
  });

  it("reads a RANGE's text in CSV as its two bounds", async () => {
    const span: TableField[] = [{ name: "span", type: "RANGE", rangeElementType: { type: "DATE" } }];
    await folder.write("r.csv", 'span\n"[2026-01-31, 2026-02-01)"\n"[unbounded, NULL)"\n\n');
    const gathered = await gatherRows([folder.path("r.csv")], span, folder.path("rows.ndjson"));
    expect(await readFile(gathered.file, "utf8")).toBe(
      '{"span":{"start":"2026-01-31","end":"2026-02-01"}}\n{"span":{"start":null,"end":null}}\n',
    );
    await folder.write("bad.csv", 'span\n"[2026-01-31,2026-02-01)"\n');
    await expect(gatherRows([folder.path("bad.csv")], span, folder.path("rows.ndjson"))).rejects.toThrow(
      /bad\.csv:2: span: RANGE<DATE>: expected/,
    );
  });

  it("lets a name stand twice in a JSON column, as BigQuery does", async () => {
    const { rows } = await gather({ "a.ndjson": '{"id":"1","doc":{"a":1,"a":2}}\n' });
    expect(rows).toHaveLength(1);
  });

  it("keeps numbers of a row as they are written", async () => {
    await folder.write("n.ndjson", '{"id":"1","count":9007199254740993}\n');
    await folder.write("most.ndjson", '{"id":"1","count":9223372036854775807}\n');
    await gatherRows([folder.path("most.ndjson")], fields, folder.path("rows.ndjson"));
    const gathered = await gatherRows([folder.path("n.ndjson")], fields, folder.path("rows.ndjson"));
    expect(await readFile(gathered.file, "utf8")).toBe('{"id":"1","count":9007199254740993}\n');
  });

  it("takes an empty CSV cell as NULL, a quoted one as the empty text where there is one", async () => {
    const { rows } = await gather({ "a.csv": 'id,count,ok,doc\na,,,\n"","","",""\nb,1,YES,"{""x"":\n1}"\n' });
    expect(rows).toEqual([{ id: "a" }, { id: "" }, { id: "b", count: "1", ok: true, doc: { x: 1 } }]);
  });

  const refused: [string, Record<string, string | Uint8Array>, RegExp][] = [
    ["bad JSON", { "a.ndjson": '{"id":"1"}\n{"id":\n' }, /a\.ndjson:2:7: not JSON/],
    [
      "pretty-printed JSON",
      { "a.json": '{\n"id":"1"\n}\n' },
      /a\.json:1:2: not JSON.*one whole JSON object per line/,
    ],
    [
      "an unknown column",
      { "a.ndjson": '{"id":"1","cuont":1}\n' },
      /a\.ndjson:1:\d+: cuont: no such column in the table; did you mean count\?/,
    ],
    [
      "a wrong value",
      { "a.csv": "id,count\na,1\nb,x\n" },
      /a\.csv:3: count: INTEGER: expected a whole number, got "x"/,
    ],
    ["an unknown header", { "a.csv": "id,nope\n" }, /a\.csv:1: nope: no such column/],
    ["a header named twice", { "a.csv": "id,ID\n" }, /a\.csv:1: id: named twice/],
    [
      "a REPEATED column in CSV",
      { "a.csv": "id,tags\n" },
      /a\.csv:1: tags: CSV cannot carry a RECORD or REPEATED/,
    ],
    [
      "semicolons",
      { "a.csv": "id;count\na;1\n" },
      /a\.csv:1: cells are separated by ";"; save the file with commas/,
    ],
    ["tabs", { "a.csv": "id\tcount\na\t1\n" }, /a\.csv:1: cells are separated by "\\t"; /],
    [
      "two values for one column",
      { "a.ndjson": '{"id":"1","count":1,"COUNT":2}\n' },
      /a\.ndjson:1:\d+: COUNT: a second value for the column count/,
    ],
    [
      "one name twice",
      { "a.ndjson": '{"id":"1","count":1,"count":2}\n' },
      /a\.ndjson:1:29: count: a second value for the column count/,
    ],
    [
      "one name twice in a RECORD of a list, its letters escaped",
      { "a.ndjson": '{"id":"\\\\","parts":[{"a":"\\":"},{"a":1,"\\u0061":2}]}\n' },
      /a\.ndjson:1:49: parts\.a: a second value for the column parts\.a/,
    ],
    [
      "a whole number just beyond an INT64, as it is written",
      { "a.ndjson": '{"id":"1","count":9223372036854775808}\n' },
      /a\.ndjson:1:19: count: INTEGER: expected a whole number from .*, got 9223372036854775808$/,
    ],
    ["too few cells", { "a.csv": "id,count\na\n" }, /a\.csv:2: 1 cell, but the header names 2 columns/],
    ["a CSV file without a header", { "a.csv": "" }, /a\.csv:1: empty; its first line must name the columns/],
    ["bad JSON in a JSON column", { "a.csv": "id,doc\na,{\n" }, /a\.csv:2: doc: JSON: not JSON/],
    [
      "another encoding",
      { "a.ndjson": Buffer.from('{"id":"a"}\n{"id":"\xe9"}\n', "latin1") },
      /a\.ndjson:2: not UTF-8/,
    ],
    ["a broken gz", { "a.ndjson.gz": Buffer.from("no gzip") }, /a\.ndjson\.gz: cannot be read/],
  ];
  for (const [name, files, message] of refused) {
    it(`refuses ${name}`, async () => {
      await expect(gather(files)).rejects.toThrow(message);
    });
  }
});
