import { describe, expect, it } from "vitest";
import type { ActionText } from "../../../generator/src/dataform/actions.ts";
import { compareGraphs } from "../../../generator/src/review/graph-changes.ts";
import { diffSql } from "../../../generator/src/review/sql-diffs.ts";
import { action } from "./actions.ts";

describe("two graphs", () => {
  const base = [action("final", "SELECT 1"), action("view", "SELECT 2", { dependencies: ["crm.final"] })];
  const changesTo = (after: readonly ActionText[]) => compareGraphs(base, after).actions;

  it("that are equal have no changes", () => {
    expect(compareGraphs(base, base)).toMatchObject({ total: 2, actions: [], readers: [] });
  });

  it("differ by actions added and removed, which count among all", () => {
    expect(compareGraphs(base, [base[0]!, action("more", "SELECT 3")])).toMatchObject({
      total: 3,
      actions: [
        { id: "crm.more", kind: "added" },
        { id: "crm.view", kind: "removed" },
      ],
    });
  });

  it.each<[string, Partial<ActionText>, string]>([
    ["SQL", { sql: "SELECT 4" }, "SQL"],
    ["tags", { tags: ["daily"] }, "tags none -> `daily`"],
    ["type", { type: "table" }, "view -> table"],
    ["documentation", { documentation: "{}" }, "documentation"],
    ["table options", { layout: "{}" }, "table options"],
    ["whether it runs", { disabled: true }, "disabled"],
  ])("differ by an action's %s", (_, change, aspect) => {
    const after = [base[0]!, { ...base[1]!, ...change }];
    expect(changesTo(after)).toMatchObject([{ id: "crm.view", kind: "changed", aspects: [aspect] }]);
  });

  it("differ by an action's edges", () => {
    const after = [base[0]!, { ...base[1]!, dependencies: ["crm.other"] }];
    expect(changesTo(after)).toMatchObject([
      { aspects: ["edges"], newEdges: ["crm.other"], lostEdges: ["crm.final"] },
    ]);
  });

  it("compare an action that moves to another dataset with itself", () => {
    const after = [base[0]!, { ...base[1]!, schema: "new" }];
    expect(changesTo(after)).toMatchObject([
      { id: "new.view", kind: "changed", aspects: ["moved from `crm.view`"] },
    ]);
  });

  it("name who is downstream of what changes, in other folders", () => {
    const report = action("report", "SELECT 5", { path: "reports/report", dependencies: ["crm.view"] });
    const other = action("other", "SELECT 6", { path: "reports/other", dependencies: ["crm.elsewhere"] });
    const rest = [action("view", "SELECT 2", { dependencies: ["crm.final"] }), report, other];
    const { readers } = compareGraphs(
      [action("final", "SELECT 1"), ...rest],
      [action("final", "SELECT 9"), ...rest],
    );
    expect(readers).toEqual([{ reader: "crm.report", id: "crm.view" }]);
  });
});

describe("the SQL of an action", () => {
  const lines = (count: number, changed = -1) =>
    Array.from({ length: count }, (_, index) => (index === changed ? "changed" : `line ${index}`)).join("\n");

  it("is shown as a unified diff with three lines around it", () => {
    const { actions } = compareGraphs([action("final", lines(20))], [action("final", lines(20, 10))]);
    const [diff] = diffSql(actions);
    expect(diff).toMatchObject({ file: "compiled/person/final.sql", added: 1, removed: 1, cut: 0 });
    expect(diff?.lines[0]).toBe("@@ -8,7 +8,7 @@");
    expect(diff?.lines).toHaveLength(1 + 3 + 2 + 3);
  });

  it("is cut where it gets long, and says so", () => {
    const { actions } = compareGraphs([], [action("final", lines(30))]);
    const [diff] = diffSql(actions, 10);
    expect(diff).toMatchObject({ added: 30, removed: 0, cut: 21 });
    expect(diff?.lines).toHaveLength(10);
  });

  it("is left out where only something else changes", () => {
    const { actions } = compareGraphs([action("final", "x")], [action("final", "x", { tags: ["daily"] })]);
    expect(actions).toHaveLength(1);
    expect(diffSql(actions)).toEqual([]);
  });
});
