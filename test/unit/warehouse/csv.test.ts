import { describe, expect, it } from "vitest";
import { readCsv } from "../../../generator/src/warehouse/load/csv.ts";
import { useFolder } from "./folder.ts";

const folder = useFolder();

async function read(text: string) {
  const file = await folder.write("a.csv", text);
  const records = [];
  for await (const record of readCsv(file)) records.push(record);
  return records;
}

const cases: [string, string, (string | null)[][]][] = [
  [
    "plain cells",
    "a,b\n1,2\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    "no line end at the end",
    "a,b\n1,2",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    "empty cells",
    "a,,c\n,,\n",
    [
      ["a", null, "c"],
      [null, null, null],
    ],
  ],
  [
    "an empty cell at the end of the file",
    "a,b\n1,",
    [
      ["a", "b"],
      ["1", null],
    ],
  ],
  [
    "CRLF",
    "a,b\r\n1,\r\n",
    [
      ["a", "b"],
      ["1", null],
    ],
  ],
  ["blank lines are no records", "a\n\n\r\n1\n", [["a"], ["1"]]],
  ["quotes", 'a\n"x, ""y"""\n', [["a"], ['x, "y"']]],
  ["a quoted empty cell is not an empty one", '"",\n', [["", null]]],
  ["a lone quoted empty cell is a record", 'a\n""\n', [["a"], [""]]],
  ["a byte order mark is no part of the first name", "\uFEFFa\n1\n", [["a"], ["1"]]],
  [
    "a quote within a bare cell",
    'a,b\n5" pipe,""\n',
    [
      ["a", "b"],
      ['5" pipe', ""],
    ],
  ],
  ["a cell that begins with a quote", 'a\n"""x"" y"\n', [["a"], ['"x" y']]],
  ["text beyond the first plane", "a\n😀é\n", [["a"], ["😀é"]]],
];

describe("readCsv", () => {
  for (const [name, text, want] of cases) {
    it(name, async () => {
      expect((await read(text)).map(({ cells }) => cells)).toEqual(want);
    });
  }

  it("numbers each record by the line it begins at, line breaks within quotes included", async () => {
    expect((await read('a\n"1\n2"\n3\n')).map((record) => record.line)).toEqual([1, 2, 4]);
  });

  it("says where a quote opens that never closes", async () => {
    await expect(read('a,b\n1,"2\n3,4\n')).rejects.toThrow(/a\.csv:2: column 2: the quote that opens here/);
  });

  it("refuses text after a closing quote", async () => {
    await expect(read('a\n"1"2\n')).rejects.toThrow(/a\.csv:2: column 1: text after the closing quote/);
  });

  it("reads a file that comes in many pieces", async () => {
    const text = `a,b\n${Array.from({ length: 40_000 }, (_, index) => `${index},"é ${index}"`).join("\n")}\n`;
    const records = await read(text);
    expect(records).toHaveLength(40_001);
    expect(records.at(-1)).toEqual({
      line: 40_001,
      cells: ["39999", "é 39999"],
    });
  });
});
