import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderDocument } from "../../../generator/src/page/document.ts";
import { html, prose } from "../../../generator/src/page/html.ts";
import { layoutGraph } from "../../../generator/src/review/page/graph-layout.ts";
import { highlightSql } from "../../../generator/src/review/page/highlight.ts";
import { formatPage } from "../../../generator/src/review/page/review-page.ts";
import { type Block, sideBySide } from "../../../generator/src/review/page/side-by-side.ts";
import { compareSides, type Review } from "../../../generator/src/review/review.ts";
import type { Head } from "../../../generator/src/review/sides.ts";
import { action } from "./actions.ts";
import { type Field, person } from "./models.ts";

const BASE = { ref: "origin/main", commit: "0123456789abcdef", isForkPoint: true };
const NAME: Field = { name: "name", type: "STRING" };

function side(actions: Head["actions"], fields: Field[] = [NAME]): Head {
  return { models: [person(fields)], actions, core: "3.0.62", hasDefinitions: true, problems: [], stale: [] };
}

function review(before: Head, after: Head, costs: Review["costs"] = { unknown: "no credentials" }): Review {
  return {
    ...compareSides(BASE, before, after, { projectId: "acme", location: "EU" }),
    costs,
    plan: undefined,
    place: "acme.crm (EU) at BigQuery",
  };
}

const numbersOf = (blocks: readonly Block[], which: "left" | "right") =>
  blocks.flatMap(({ rows }) => rows.flatMap((row) => row[which]?.number ?? []));

describe("two texts side by side", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "a.x = 1,", "a.x = 2,", "", "SELECT c"), {
    maxLength: 30,
  });

  it("hold every line of both once, in order, and the same lines where they say so", () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const blocks = sideBySide(before, after);
        expect(numbersOf(blocks, "left")).toEqual(before.map((_, index) => index + 1));
        expect(numbersOf(blocks, "right")).toEqual(after.map((_, index) => index + 1));
        for (const { kind, rows } of blocks)
          for (const { left, right } of rows)
            if (kind === "same")
              expect(before[(left?.number ?? 0) - 1]).toBe(after[(right?.number ?? 0) - 1]);
      }),
    );
  });

  it("put a changed line beside what it was, and mark the words that differ", () => {
    const [first, second] = sideBySide(
      ["same", "  IF(a.version > b.version, a, b) AS name,"],
      ["same", "  new_line AS email,", "  IF(a.version >= b.version, a, b) AS name,"],
    );
    expect(first?.kind).toBe("same");
    expect(second?.rows.map(({ left, right }) => [left?.number, right?.number])).toEqual([
      [undefined, 2],
      [2, 3],
    ]);
    expect(second?.rows[1]?.left?.marks).toEqual([]);
    expect(second?.rows[1]?.right?.marks).toEqual([[16, 17]]);
  });
});

describe("highlighting", () => {
  it("changes no letter", () => {
    const sql = "SELECT `a-b.c.d` AS x, 'it''s', 12.5 -- why\nFROM t /* two\nlines */ WHERE TRUE\n";
    const text = highlightSql(sql)
      .map((line) => line.map((piece) => piece.text).join(""))
      .join("\n");
    expect(text).toBe(sql);
    fc.assert(
      fc.property(fc.string(), (any) => {
        const back = highlightSql(any).map((line) => line.map((piece) => piece.text).join(""));
        expect(back.join("\n")).toBe(any);
      }),
    );
  });

  it("knows keywords, strings, comments and BigQuery's quoted names", () => {
    const kinds = new Map(
      highlightSql("SELECT `p.d.t`, 'x' -- c")
        .flat()
        .map((piece) => [piece.text, piece.kind]),
    );
    expect(kinds.get("SELECT")).toBe("keyword");
    expect(kinds.get("`p.d.t`")).toBe("name");
    expect(kinds.get("'x'")).toBe("string");
    expect(kinds.get("-- c")).toBe("comment");
  });
});

describe("a page", () => {
  it("takes text as text", () => {
    const name = '<img src=x onerror="alert(1)">&\'';
    expect(html`<b title="${name}">${name}</b>`.markup).not.toContain("<img");
    expect(prose("see `a<b` and a lone ` here").markup).toBe("see <code>a&lt;b</code> and a lone ` here");
  });

  it("asks for nothing and runs only its own scripts", () => {
    const page = renderDocument({ title: "t", body: html`<p>x</p>`, scripts: ["1"] });
    expect(page).toContain("default-src &#39;none&#39;");
    expect(page.match(/<script>/g)).toHaveLength(page.match(/&#39;sha256-/g)?.length ?? 0);
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});

describe("a review's page", () => {
  const before = side([
    action("person_updates", "", { type: "declaration" }),
    action("person_final", "SELECT name\nFROM t", {
      type: "operations",
      dependencies: ["crm.person_updates"],
    }),
    action("old", "SELECT 1", { dependencies: ["crm.person_final"] }),
    action("report", "SELECT 2", { path: "reports/report", dependencies: ["crm.person_final"] }),
  ]);
  const after = side(
    [
      action("person_updates", "", { type: "declaration" }),
      action("person_final", "SELECT name, '</script>' AS odd\nFROM t", {
        type: "operations",
        dependencies: ["crm.person_updates"],
      }),
      action("new", "SELECT 3", { dependencies: ["crm.person_final"] }),
      action("report", "SELECT 2", { path: "reports/report", dependencies: ["crm.person_final"] }),
    ],
    [NAME, { name: "<b>bold", type: "STRING" }],
  );
  const changes = review(before, after);

  it("draws every action and edge of both sides", () => {
    const { nodes, edges, groups, hidden } = layoutGraph(changes.graph, () => 10);
    expect(nodes.map(({ name, change }) => [name, change?.kind])).toEqual([
      ["new", "added"],
      ["old", "removed"],
      ["person_final", "changed"],
      ["person_updates", undefined],
      ["report", undefined],
    ]);
    expect(edges.map(({ from, to, kind }) => `${from} ${to} ${kind}`)).toEqual([
      "crm.person_final crm.new added",
      "crm.person_final crm.old removed",
      "crm.person_updates crm.person_final same",
      "crm.person_final crm.report same",
    ]);
    expect(groups.map(({ name }) => name).sort()).toEqual(["person", "reports"]);
    expect(hidden).toBe(0);
    for (const { points } of edges) expect(points.length).toBeGreaterThan(1);
  });

  it("draws no edge behind an action that it does not join", () => {
    const links = fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { minLength: 8, maxLength: 40 });
    fc.assert(
      fc.property(links, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 14 }), (pairs, lengths) => {
        const actions = Array.from({ length: 14 }, (_, index) =>
          action(`${index}`.padEnd(lengths[index] ?? 1, "x"), "SELECT 1", {
            path: `${index % 3 === 0 ? "other" : "person"}/${index}`,
          }),
        );
        const linked = actions.map((one, index) => ({
          ...one,
          dependencies: pairs.flatMap(([from, to]) =>
            to === index && from < to ? [`crm.${actions[from]?.name}`] : [],
          ),
        }));
        const { nodes, edges } = layoutGraph(review(side(linked), side(linked)).graph, () => 1);
        for (const { from, to, points } of edges)
          for (const [index, end] of points.slice(1).entries()) {
            const start = points[index] ?? end;
            const [left, right] = [Math.min(start.x, end.x), Math.max(start.x, end.x)];
            const [top, bottom] = [Math.min(start.y, end.y), Math.max(start.y, end.y)];
            const hit = nodes.filter(
              ({ id, x, y, width, height }) =>
                (id !== from || top !== bottom) &&
                (id !== to || top !== bottom) &&
                Math.abs(x - (left + right) / 2) < (width + right - left) / 2 - 1 &&
                Math.abs(y - (top + bottom) / 2) < (height + bottom - top) / 2,
            );
            expect(hit.map(({ id }) => id)).toEqual([]);
          }
      }),
      { numRuns: 15 },
    );
  });

  it("leaves out what is far from a change in a graph too large to see", () => {
    const many = (sql: string) =>
      side(
        Array.from({ length: 300 }, (_, index) =>
          action(`a${index}`, index === 150 ? sql : "SELECT 0", {
            dependencies: index === 0 ? [] : [`crm.a${index - 1}`],
          }),
        ),
      );
    const { nodes, hidden } = layoutGraph(review(many("SELECT 1"), many("SELECT 2")).graph, () => 10);
    expect(nodes.map(({ name }) => name)).toEqual(["a149", "a150", "a151"]);
    expect(hidden).toBe(297);
  });

  it("has each section that has something to say, and no markup from names or SQL", () => {
    const page = formatPage(changes);
    for (const id of ["todo", "schema", "graph", "cost", "sql"])
      expect(page).toContain(`<section id="${id}"`);
    expect(page).not.toContain('<section id="plan"');
    expect(page).not.toContain("<b>bold");
    expect(page.match(/<\/script>/g)).toHaveLength(page.match(/<script>/g)?.length ?? 0);
    expect(formatPage(changes)).toBe(page);
  });

  it("says so when nothing changes", () => {
    const page = formatPage(review(before, before));
    expect(page).toContain("Nothing: schema, graph and SQL stay as they are.");
    expect(page).not.toContain('<section id="sql"');
  });
});
