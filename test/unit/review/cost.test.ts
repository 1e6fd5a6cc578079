import { expect, it } from "vitest";
import { costCells, costReasons, estimateCosts, formatBytes } from "../../../generator/src/review/cost.ts";
import { compareGraphs } from "../../../generator/src/review/graph-changes.ts";
import { action } from "./actions.ts";

it.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [200 * 1024 ** 2, "200 MiB"],
  [3 * 1024 ** 4, "3.0 TiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it("dry-runs both sides of what changes, each text once, and adds up an action's jobs", async () => {
  const jobs = ["A", "B"];
  const before = [action("same", "S"), action("final", "old", { jobs }), action("gone", "G")];
  const after = [action("same", "S"), action("final", "new", { jobs: ["A", "C"] }), action("fresh", "F")];
  const asked: string[] = [];
  const bytes: Record<string, number> = { A: 1024, B: 1024, C: 2048, G: 5, F: 0 };
  const rows = await estimateCosts(compareGraphs(before, after).actions, async (sql) => {
    asked.push(sql);
    return bytes[sql] ?? 0;
  });
  expect(asked.sort()).toEqual(["A", "B", "C", "F", "G"]);
  expect(rows.map((row) => [row.id, ...costCells(row)])).toEqual([
    ["crm.final", "2.0 KiB", "3.0 KiB", "+1.0 KiB (+50 %)"],
    ["crm.gone", "5 B", "", "-5 B (-100 %)"],
  ]);
});

it("says why there is no estimate, each reason once", async () => {
  const { actions } = compareGraphs(
    [action("a", "1"), action("b", "2")],
    [action("a", "3"), action("b", "4")],
  );
  const rows = await estimateCosts(actions, async (sql) => {
    if (sql > "2") throw new Error("Unrecognized\n name");
    return 7;
  });
  expect(rows.map(costCells)).toEqual([
    ["7 B", "not known", ""],
    ["7 B", "not known", ""],
  ]);
  expect(costReasons(rows)).toEqual([{ id: "crm.a", side: "after", reason: "Unrecognized name" }]);
});
