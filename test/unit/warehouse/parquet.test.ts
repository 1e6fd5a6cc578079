import { DuckDBInstance } from "@duckdb/node-api";
import type { TableField } from "@google-cloud/bigquery";
import { describe, expect, it } from "vitest";
import { checkParquet } from "../../../generator/src/warehouse/load/parquet.ts";
import { useFolder } from "./folder.ts";

const folder = useFolder();
const FIELDS: TableField[] = [
  { name: "id", type: "STRING" },
  { name: "tags", type: "STRING", mode: "REPEATED" },
  { name: "profile", type: "RECORD", fields: [{ name: "city", type: "STRING" }] },
  {
    name: "seen",
    type: "RECORD",
    mode: "REPEATED",
    fields: [
      { name: "at", type: "INTEGER" },
      { name: "on", type: "STRING", mode: "REPEATED" },
    ],
  },
];

async function check(query: string): Promise<number> {
  const file = folder.path("rows.parquet");
  const database = await DuckDBInstance.create(":memory:");
  const connection = await database.connect();
  await connection.run(`COPY (${query}) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  database.closeSync();
  return checkParquet(file, "rows.parquet", FIELDS);
}

describe("checkParquet", () => {
  it("counts the rows of a file whose columns are the table's, nested and repeated ones too", async () => {
    const row =
      "SELECT 'a' AS ID, ['x'] AS tags, {'city': 'Rome'} AS profile, [{'at': 1, 'on': ['web']}] AS seen";
    expect(await check(`${row} FROM range(3000)`)).toBe(3000);
    expect(await check(`${row} LIMIT 0`)).toBe(0);
  });

  const refused: [string, string, string][] = [
    ["an unknown column", "SELECT 'a' AS idd", "idd: no such column in the table; did you mean id?"],
    [
      "an unknown field of a list's RECORD",
      "SELECT [{'att': 1}] AS seen",
      "seen.att: no such column in the table; did you mean at?",
    ],
    ["a value for a list", "SELECT 'x' AS tags", "tags: not a list in the file, but REPEATED in the table"],
    ["a list for a value", "SELECT ['a'] AS id", "id: a list in the file, but not REPEATED in the table"],
    [
      "a value for a RECORD",
      "SELECT 'x' AS profile",
      "profile: RECORD in the table, but a plain value in the file",
    ],
    [
      "a RECORD for a value",
      "SELECT {'a': 1} AS id",
      "id: STRING in the table, but a group of columns in the file",
    ],
  ];
  for (const [name, query, message] of refused) {
    it(`refuses ${name}`, () => expect(check(query)).rejects.toThrow(`rows.parquet: ${message}`));
  }

  it("refuses what is no Parquet, however short", async () => {
    for (const text of ["", "PAR?", "PAR1".repeat(20)]) {
      const file = await folder.write("no.parquet", text);
      await expect(checkParquet(file, "no.parquet", FIELDS)).rejects.toThrow("no.parquet: not Parquet (");
    }
  });
});
