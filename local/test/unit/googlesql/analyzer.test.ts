import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BigQueryError } from "../../../src/errors.ts";
import { Analyzer } from "../../../src/googlesql/analyzer.ts";
import { type AnalysisEnv, createFixedSource, type FixedTable } from "../../../src/googlesql/source.ts";
import type { TreeNode } from "../../../src/googlesql/tree.ts";
import { fromTypeProto, toTypeProto } from "../../../src/googlesql/types.ts";
import { typeText } from "../../../src/type-text.ts";
import type { SqlType } from "../../../src/types.ts";

const INT64: SqlType = { kind: "INT64" };
const STRING: SqlType = { kind: "STRING" };

function table(tableId: string, extra: Partial<FixedTable> = {}): FixedTable {
  const columns = [
    { name: "id", type: INT64 },
    { name: "name", type: STRING },
  ];
  return { ref: { projectId: "my-project", datasetId: "d", tableId }, columns, ...extra };
}

const source = createFixedSource(
  [
    table("users"),
    table("Cased"),
    table("doubled", { viewQuery: "SELECT id * 2 AS twice FROM `my-project.d.users`" }),
    table("renamed", {
      viewQuery: "SELECT id, name FROM `d.users`",
      columns: [
        { name: "a", type: INT64 },
        { name: "b", type: STRING },
      ],
    }),
    table("endless", { viewQuery: "SELECT * FROM `d.endless`" }),
  ],
  { project: "my-project", dataset: "d" },
);

const env: AnalysisEnv = {
  source,
  variables: new Map<string, SqlType>([
    ["Limit_Date", { kind: "DATE" }],
    ["point", { kind: "STRUCT", fields: [{ name: "x", type: INT64 }] }],
  ]),
  parameters: new Map([["wanted", STRING]]),
  defaultProject: "my-project",
  defaultDataset: "d",
};

let analyzer: Analyzer;
beforeAll(async () => {
  analyzer = new Analyzer();
  await analyzer.start();
});
afterAll(() => analyzer.close());

describe("types in a tree", () => {
  it("are one object wherever they are mentioned, so that a wide STRUCT is read once", async () => {
    const { statement } = await analyzer.analyzeStatement(
      "SELECT s, s.b FROM (SELECT STRUCT(1 AS a, STRUCT('x' AS c) AS b) AS s)",
      env,
    );
    const structs = new Map<string, Set<unknown>>();
    const look = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      if ("typeKind" in node && node.typeKind === "TYPE_STRUCT") {
        const text = typeText(fromTypeProto(node));
        structs.set(text, (structs.get(text) ?? new Set()).add(node));
      }
      for (const child of Object.values(node)) look(child);
    };
    look(statement);
    expect([...structs].map(([text, objects]) => [text, objects.size])).toEqual(
      expect.arrayContaining([
        ["STRUCT<a INT64, b STRUCT<c STRING>>", 1],
        ["STRUCT<c STRING>", 1],
      ]),
    );
  });
});

async function outputs(sql: string): Promise<string[]> {
  const { statement } = await analyzer.analyzeStatement(sql, env);
  return (statement.outputColumnList as TreeNode[]).map(
    ({ name, column }) => `${String(name)} ${typeText(fromTypeProto((column as TreeNode).type))}`,
  );
}

async function failure(sql: string): Promise<BigQueryError> {
  const error: unknown = await analyzer.analyzeStatement(sql, env).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BigQueryError);
  return error as BigQueryError;
}

describe("names of tables", () => {
  it.each([
    "users",
    "d.users",
    "`d.users`",
    "`my-project.d.users`",
    "my-project.d.users",
    "`my-project.d`.users",
    "`my-project`.`d`.`users`",
  ])("finds %s and gives it the alias users", async (name) => {
    expect(await outputs(`SELECT users.id FROM ${name}`)).toEqual(["id INT64"]);
  });

  it("names tables in the tree by their full name", async () => {
    const { tables } = await analyzer.analyzeStatement(
      "SELECT 1 FROM d.users, `my-project.d.users` AS u",
      env,
    );
    expect([...tables.keys()]).toEqual(["my-project.d.users"]);
  });

  it("keeps names of tables apart by case", async () => {
    expect(await outputs("SELECT id FROM d.Cased")).toEqual(["id INT64"]);
    expect((await failure("SELECT 1 FROM d.cased")).reason).toBe("notFound");
    expect((await failure("SELECT 1 FROM d.cased, d.Cased")).reason).toBe("notFound");
  });

  it("reads every target of DML", async () => {
    for (const sql of [
      "INSERT `d.users` (id) VALUES (1)",
      "UPDATE `d.users` SET name = 'a' WHERE users.id = 1",
      "DELETE FROM `d.users` WHERE users.id = 1",
      "TRUNCATE TABLE `d.users`",
      "MERGE `d.users` USING d.Cased AS s ON users.id = s.id WHEN MATCHED THEN DELETE",
    ]) {
      expect((await analyzer.analyzeStatement(sql, env)).tables.has("my-project.d.users"), sql).toBe(true);
    }
  });
});

describe("views", () => {
  it("have the columns of their query and a tree of their own", async () => {
    expect(await outputs("SELECT * FROM d.doubled")).toEqual(["twice INT64"]);
    const { views } = await analyzer.analyzeStatement("SELECT * FROM d.doubled", env);
    expect([...(views.get("my-project.d.doubled")?.tables.keys() ?? [])]).toEqual(["my-project.d.users"]);
  });

  it("take the names of the view where it has its own", async () => {
    expect(await outputs("SELECT * FROM d.renamed")).toEqual(["a INT64", "b STRING"]);
  });

  it("do not nest without end", async () => {
    expect((await failure("SELECT * FROM d.endless")).message).toContain("nesting depth");
  });
});

describe("variables and parameters", () => {
  it("stand in the tree as constants and parameters", async () => {
    expect(
      await outputs("SELECT limit_date AS a, point.x, @wanted AS b, @@row_count AS c, @@error.message AS d"),
    ).toEqual(["a DATE", "x INT64", "b STRING", "c INT64", "d STRING"]);
  });

  it("lose against columns of the same name", async () => {
    expect(await outputs("SELECT Limit_Date FROM (SELECT 1 AS Limit_Date)")).toEqual(["Limit_Date INT64"]);
  });

  it("have positions where they have no names", async () => {
    const positional = { ...env, parameters: [INT64, STRING] };
    const { statement } = await analyzer.analyzeStatement("SELECT ?, ?", positional);
    expect((statement.outputColumnList as TreeNode[]).length).toBe(2);
  });
});

describe("errors", () => {
  it.each([
    ["SELECT zzzz FROM d.users", "Unrecognized name: zzzz at [1:8]"],
    ["SELECT id FROM `my-project.d.users` WHERE zzzz", "Unrecognized name: zzzz at [1:43]"],
    ["SELECT id\nFROM `my-project.d.users` JOIN `d.Cased` ON zzzz", "Unrecognized name: zzzz at [2:45]"],
    ["SELECT 'ä', nope", "Unrecognized name: nope at [1:13]"],
    ["SELECT", "Syntax error: Unexpected end of script at [1:7]"],
  ])("%s", async (sql, message) => {
    const error = await failure(sql);
    expect(error).toMatchObject({ reason: "invalidQuery", location: "query", message });
  });

  it.each([
    [
      "SELECT 1 FROM d.missing",
      "notFound",
      "Not found: Table my-project:d.missing was not found in location US",
    ],
    ["SELECT 1 FROM `other.d.t-1`", "notFound", "Not found: Table other:d.t-1 was not found in location US"],
    [
      "DELETE FROM missing WHERE true",
      "notFound",
      "Not found: Table my-project:d.missing was not found in location US",
    ],
  ])("%s", async (sql, reason, message) => {
    expect(await failure(sql)).toMatchObject({ reason, message });
  });

  it.each([
    "SELECT [1] = [2]",
    "SELECT TIMESTAMP '2020-01-01 00:00:00.123456789'",
    "SELECT 1 ORDER BY [1]",
    "SELECT CAST(1 AS INT32)",
  ])("refuses what BigQuery refuses: %s", async (sql) => {
    expect((await failure(sql)).reason).toBe("invalidQuery");
  });
});

describe("the server", () => {
  it("answers statements side by side", async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => outputs(`SELECT ${i} AS n${i} FROM d.users`)),
    );
    expect(answers.map(([name]) => name)).toEqual(Array.from({ length: 40 }, (_, i) => `n${i} INT64`));
  });
});

describe("types", () => {
  it("go to the server's form and back", () => {
    const type: SqlType = {
      kind: "ARRAY",
      element: {
        kind: "STRUCT",
        fields: [
          { name: "a", type: { kind: "NUMERIC" } },
          { name: "", type: { kind: "INTERVAL" } },
        ],
      },
    };
    expect(fromTypeProto(toTypeProto(type))).toEqual(type);
    expect(typeText(type)).toBe("ARRAY<STRUCT<a NUMERIC, INTERVAL>>");
  });

  it("of other databases are refused by name", () => {
    expect(() => fromTypeProto({ typeKind: "TYPE_UINT32" })).toThrow("UINT32");
  });
});

// https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all
describe("functions that BigQuery does not document", () => {
  const list = readFileSync(new URL("../../probes/undocumented-functions.txt", import.meta.url), "utf8");
  const names = list
    .split("\n")
    .flatMap((line) => (line.startsWith("#") ? [] : line.split(" ").filter(Boolean)));

  it.each(names)("%s is not found", async (name) => {
    const call = name === "ST_NEAREST_NEIGHBORS" ? `${name}(NULL, 1) OVER ()` : `${name}(NULL)`;
    expect((await failure(`SELECT ${call}`)).message.replaceAll("`", "")).toMatch(
      new RegExp(`function not found: ${name}`, "i"),
    );
  });
});
