import { expect, it } from "vitest";
import { costCells, costReasons, estimateCosts, formatBytes } from "../../../generator/src/review/cost.ts";
import { compareGraphs } from "../../../generator/src/review/graph-changes.ts";
import type { DryRunBytes } from "../../../generator/src/warehouse/dry-run.ts";
import { action } from "./actions.ts";

const precisely = (bytes: number): DryRunBytes => ({ bytes, accuracy: "PRECISE" });

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
    return precisely(bytes[sql] ?? 0);
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
    return precisely(7);
  });
  expect(rows.map(costCells)).toEqual([
    ["7 B", "not known", ""],
    ["7 B", "not known", ""],
  ]);
  expect(costReasons(rows)).toEqual([{ id: "crm.a", side: "after", reason: "Unrecognized name" }]);
});

it.each<[string, readonly DryRunBytes[], string]>([
  ["at most", [precisely(1024), { bytes: 1024, accuracy: "UPPER_BOUND" }], "≤ 2.0 KiB"],
  ["at least", [{ bytes: 1024, accuracy: "LOWER_BOUND" }], "≥ 1.0 KiB"],
  [
    "bounds of both kinds",
    [
      { bytes: 1024, accuracy: "LOWER_BOUND" },
      { bytes: 1024, accuracy: "UPPER_BOUND" },
    ],
    "~ 2.0 KiB",
  ],
  ["not said", [{ bytes: 1024, accuracy: "UNKNOWN" }], "~ 1.0 KiB"],
  ["nothing that may be more", [{ bytes: 0, accuracy: "LOWER_BOUND" }], "not known"],
  ["nothing at all said", [precisely(1024), { bytes: 0, accuracy: "UNKNOWN" }], "not known"],
])("shows how exactly the bytes are known: %s", async (_, jobs, cell) => {
  const names = jobs.map((_job, index) => String(index));
  const { actions } = compareGraphs([], [action("a", "sql", { jobs: names })]);
  const rows = await estimateCosts(actions, async (sql) => jobs[Number(sql)] ?? precisely(0));
  expect(rows.map((row) => costCells(row)[1])).toEqual([cell]);
});
