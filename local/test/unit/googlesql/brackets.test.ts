import { afterAll, describe, expect, it } from "vitest";
import { Analyzer } from "../../../src/googlesql/analyzer.ts";
import { ByteText, walkTree } from "../../../src/googlesql/parse-tree.ts";

const TWO = "STRUCT<a RANGE<DATE>, b RANGE<DATE>>";

describe("types with several RANGEs, which GoogleSQL's parser loses count of", () => {
  const analyzer = new Analyzer();
  afterAll(() => analyzer.close());

  it.each([
    TWO,
    `ARRAY<${TWO}>`,
    "ARRAY<STRUCT<a RANGE<DATE>, b RANGE<DATE>, c INT64>>",
    "STRUCT<a STRUCT<b RANGE<DATE>, c RANGE<DATE>>, d ARRAY<RANGE<DATE>>>",
    `STRUCT<a ${TWO}, b ARRAY<STRUCT<c ${TWO}, d ARRAY<RANGE<DATETIME>>>>>`,
  ])("%s", async (type) => {
    const sql = `-- é😀\n\tDECLARE x ${type};\r\nSELECT 8 >> 1, CAST(x AS ${type}), '>>', \`z\``;
    const script = await analyzer.parseScript(sql);
    const text = new ByteText(sql);
    const found = new Map<string, string[]>();
    walkTree(script, (node) => {
      const kind = node.kind ?? "";
      found.set(kind, [...(found.get(kind) ?? []), text.textOf(node)]);
    });
    expect(found.get("astVariableDeclaration")).toEqual([`DECLARE x ${type}`]);
    expect(found.get("astCastExpression")).toEqual([`CAST(x AS ${type})`]);
    expect([...found.values()].flat()).toEqual(expect.arrayContaining(["8 >> 1", "'>>'", "`z`"]));
  });

  it.each([
    [`SELECT CAST(x AS ${TWO}), FROM FROM`, "Syntax error: Unexpected keyword FROM at [1:62]"],
    [`\tSELECT\n\tCAST(x AS ${TWO}>)`, 'Syntax error: Expected ")" but got ">" at [2:55]'],
    ["SELECT CAST(x AS STRUCT<a RANGE<DATE>>>>)", 'Syntax error: Expected ")" but got ">>" at [1:39]'],
    ["SELECT CAST(x AS STRUCT<a INT64, b >>)", "Syntax error: "],
  ])("%s is still an error, at its place", async (sql, message) => {
    await expect(analyzer.parseScript(sql)).rejects.toThrow(message);
  });
});
