import { readFile, writeFile } from "node:fs/promises";
import type { TableField } from "@google-cloud/bigquery";
import { describe, expect, it } from "vitest";
import { checkParquet, type ParquetContents } from "../../../generator/src/warehouse/load/parquet.ts";
import { writeParquet } from "../../write-parquet.ts";
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

async function check(query: string, fields = FIELDS, options = ""): Promise<ParquetContents> {
  const file = folder.path("rows.parquet");
  await writeParquet(file, query, options);
  return checkParquet(file, "rows.parquet", fields);
}

describe("checkParquet", () => {
  it("counts the rows of a file whose columns are the table's, nested and repeated ones too", async () => {
    const row =
      "SELECT 'a' AS ID, ['x'] AS tags, {'city': 'Rome'} AS profile, [{'at': 1, 'on': ['web']}] AS seen";
    const columns = ["ID", "tags", "profile", "seen"];
    expect(await check(`${row} FROM range(3000)`)).toEqual({ rows: 3000, columns });
    expect(await check(`${row} LIMIT 0`)).toEqual({ rows: 0, columns });
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

  // A list that holds NULL cannot be an array of BigQuery, whose load job may yet take it: then no query of the column succeeds.
  const withNull: [string, string, string][] = [
    ["a list", "SELECT CASE i WHEN 2500 THEN ['a', NULL] ELSE ['a'] END AS tags", "row 2501: tags[1]"],
    ["a list of RECORDs", "SELECT [{'at': 1}, NULL] AS seen", "row 1: seen[1]"],
    [
      "a list within one",
      "SELECT [{'at': 1, 'on': ['web']}, {'at': 2, 'on': [NULL]}] AS SEEN",
      "row 1: seen[1].on[0]",
    ],
  ];
  for (const [name, query, message] of withNull) {
    for (const codec of ["snappy", "gzip", "zstd", "lz4_raw", "uncompressed, ROW_GROUP_SIZE 2048"]) {
      it(`refuses NULL in ${name}, packed by ${codec}`, () =>
        expect(check(`${query} FROM range(3000) AS t(i)`, FIELDS, `, CODEC ${codec}`)).rejects.toThrow(
          `rows.parquet: ${message}: an array in BigQuery cannot hold NULL`,
        ));
    }
  }

  it("takes lists that are empty or NULL themselves, which are empty arrays", async () => {
    const query = 'SELECT [] :: VARCHAR[] AS tags, NULL :: STRUCT("at" BIGINT, "on" VARCHAR[])[] AS seen';
    expect(await check(`${query} UNION ALL SELECT NULL, [{'at': NULL, 'on': NULL}]`)).toMatchObject({
      rows: 2,
    });
  });

  it("refuses a file whose values cannot be read, by its name", async () => {
    const file = folder.path("rows.parquet");
    await writeParquet(file, "SELECT CASE i WHEN 1 THEN NULL ELSE ['a'] END AS tags FROM range(9) AS t(i)");
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0xff, 4, 40));
    await expect(checkParquet(file, "rows.parquet", FIELDS)).rejects.toThrow(
      /^rows\.parquet: cannot be read: /,
    );
  });

  it("refuses NULL in a column with a default value, and takes a file without the column", async () => {
    const fields: TableField[] = [
      { name: "id", type: "STRING" },
      { name: "at", type: "TIMESTAMP", mode: "REQUIRED", defaultValueExpression: "CURRENT_TIMESTAMP()" },
    ];
    expect(await check("SELECT 'a' AS id", fields)).toEqual({ rows: 1, columns: ["id"] });
    await expect(
      check("SELECT 'a' AS id, CASE i WHEN 1 THEN NULL ELSE now() END AS at FROM range(3) AS t(i)", fields),
    ).rejects.toThrow(
      "rows.parquet: row 2: at: NULL; give every row a value, or leave the column out of the file and all get its default, CURRENT_TIMESTAMP()",
    );
  });

  it("refuses a file without a REQUIRED column, or with NULL in it", async () => {
    const fields: TableField[] = [
      { name: "id", type: "STRING" },
      { name: "at", type: "TIMESTAMP", mode: "REQUIRED" },
    ];
    await expect(check("SELECT 'a' AS id", fields)).rejects.toThrow(
      "rows.parquet: at: REQUIRED in the table, and no column of the file",
    );
    const rows = "SELECT CASE i WHEN 1 THEN NULL ELSE now() END AS at FROM range(3) AS t(i)";
    await expect(check(rows, fields)).rejects.toThrow("rows.parquet: row 2: at: NULL, but REQUIRED");
  });

  it("refuses what is no Parquet, however short", async () => {
    for (const text of ["", "PAR?", "PAR1".repeat(20)]) {
      const file = await folder.write("no.parquet", text);
      await expect(checkParquet(file, "no.parquet", FIELDS)).rejects.toThrow("no.parquet: not Parquet (");
    }
  });
});
