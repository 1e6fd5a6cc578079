import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { CostRow } from "../../generator/src/review/cost.ts";
import { formatPage } from "../../generator/src/review/page/review-page.ts";
import { compareSides } from "../../generator/src/review/review.ts";
import type { Head } from "../../generator/src/review/sides.ts";
import { action } from "../unit/review/actions.ts";
import { person } from "../unit/review/models.ts";
import { CHROMIUM, NEEDS, overflow, useBrowser } from "./browser.ts";

const sql = (column: string, lines = 40) =>
  [
    "SELECT",
    ...Array.from({ length: lines }, (_, index) => `  a_rather_long_name_of_a_column_${index},`),
    `  ${column}`,
    "FROM `p.crm.person_updates`",
  ].join("\n");

/** The actions of an entity, as they depend on each other. */
function side(column: string): Head {
  const reads = (...names: string[]) => ({ dependencies: names.map((name) => `crm.${name}`) });
  const final = {
    type: "operations" as const,
    ...reads("person_updates", "person_tables", "person_watermark", "temp_person_updates"),
  };
  const assertion = { type: "assertion" as const };
  return {
    models: [person([{ name: column, type: "STRING" }])],
    actions: [
      action("person_updates", "", { type: "declaration" }),
      action("person_tables", sql(column, 2), { type: "operations" }),
      action("person_watermark", "SELECT 1", { type: "operations" }),
      action("temp_person_updates", sql(column), {
        type: "table",
        ...reads("person_updates", "person_tables", "person_watermark"),
      }),
      action("person_final", sql(column), final),
      action("person", sql(column, 3), reads("person_final")),
      action("person_versions", sql(column, 4), reads("person_final")),
      action("person_runs", "SELECT 1", {
        type: "incremental",
        ...reads("person_final", "person_watermark"),
      }),
      action("person_key_is_unique", "SELECT 1", { ...assertion, ...reads("person_final") }),
      action("person_bad_rows", "SELECT 1", { ...assertion, ...reads("person_final", "person_watermark") }),
      action("person_audit_findings", sql(column, 5), {
        type: "operations",
        ...reads("person_updates", "person_watermark", "person_versions", "person_final"),
      }),
      action("person_audit", "SELECT 1", { ...assertion, ...reads("person_audit_findings") }),
    ],
    core: "3.0.62",
    hasDefinitions: true,
    problems: [],
    stale: [],
  };
}

const folder = mkdtempSync(path.join(tmpdir(), "pages-"));
const file = path.join(folder, "review.html");
const base = { ref: "origin/main", commit: "0123456789abcdef", isForkPoint: true };
const rows: readonly CostRow[] = [
  {
    id: "crm.person_final",
    type: "operations",
    before: { bytes: 1 << 30, accuracy: "PRECISE" },
    after: { bytes: 3 << 29, accuracy: "PRECISE" },
  },
];
writeFileSync(
  file,
  formatPage({
    ...compareSides(base, side("email"), side("e_mail"), { projectId: "acme", location: "EU" }),
    costs: { rows },
    plan: undefined,
    place: "acme.crm (EU) at BigQuery",
  }),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DESK = { viewport: { width: 1300, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

describe.skipIf(CHROMIUM === undefined)(`the review's page in a browser${NEEDS}`, () => {
  const open = useBrowser();

  it("asks the network for nothing and has no errors", async () => {
    const { page, requests, errors } = await open(file, DESK);
    await page.waitForSelector(".graph[data-ready]");
    expect(requests).toEqual([]);
    expect(errors).toEqual([]);
  });

  it("is read without a script too", async () => {
    const { page } = await open(file, { ...DESK, javaScriptEnabled: false });
    expect(await page.locator("details.diff[open] .rows.changed").count()).toBeGreaterThan(0);
    expect(await page.locator(".graph svg").isVisible()).toBe(true);
    expect(await page.locator(".graph-tools").isVisible()).toBe(false);
  });

  it("shows the SQL in two columns on a desk, and in one on a phone, which is never wider than its screen", async () => {
    const left = ".rows.changed .left:not(.void)";
    const right = ".rows.changed .right:not(.void)";
    const wide = (await open(file, DESK)).page;
    const [one, other] = [
      await wide.locator(left).first().boundingBox(),
      await wide.locator(right).first().boundingBox(),
    ];
    expect(one?.y).toBe(other?.y);
    expect(one?.x).toBeLessThan(other?.x ?? 0);
    expect(await overflow(wide)).toBe(0);
    const narrow = (await open(file, PHONE)).page;
    await narrow.waitForSelector(".graph[data-ready]");
    const name = await narrow.locator('.graph [data-change="yes"] text').first().boundingBox();
    expect(name?.height).toBeGreaterThan(7);
    const [above, below] = [
      await narrow.locator(left).first().boundingBox(),
      await narrow.locator(right).first().boundingBox(),
    ];
    expect(above?.x).toBe(below?.x);
    expect(above?.y).toBeLessThan(below?.y ?? 0);
    expect(await overflow(narrow)).toBe(0);
  });

  it("goes through changes by keyboard, and opens what a node of the graph leads to", async () => {
    const { page } = await open(file, DESK);
    await page.keyboard.press("j");
    const focused = () => page.evaluate("document.activeElement.className");
    expect(await focused()).toBe("rows changed");
    const closed = page.locator("details.diff").first();
    await closed.evaluate((element: { removeAttribute(name: string): void }) =>
      element.removeAttribute("open"),
    );
    await page.locator('a.node[href="#sql-compiled-person-person_final-sql"]').focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate("document.activeElement.tagName")).toBe("SUMMARY");
    expect(await page.locator("#sql-compiled-person-person_final-sql").getAttribute("open")).toBe("");
  });

  it("draws the names of groups in sight, within their frames, and no edge behind an action", async () => {
    const { page } = await open(file, DESK);
    await page.waitForSelector(".graph[data-ready]");
    const found = await page.evaluate<{ names: boolean[]; edges: number; hidden: string[] }>(`(() => {
      const box = (element) => element.getBoundingClientRect();
      const holds = (outer, inner, by) =>
        inner.left >= outer.left + by && inner.right <= outer.right - by && inner.top >= outer.top + by && inner.bottom <= outer.bottom - by;
      const meets = (one, other) =>
        one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
      const frame = box(document.querySelector(".graph"));
      const nodes = [...document.querySelectorAll(".graph .node rect")];
      const names = [...document.querySelectorAll(".graph .group")].map((group) => {
        const name = box(group.querySelector("text"));
        return holds(frame, name, 2) && holds(box(group.querySelector("rect")), name, 1) && !nodes.some((node) => meets(box(node), name));
      });
      const hidden = [];
      const edges = [...document.querySelectorAll(".graph path.edge:not(marker path)")];
      for (const edge of edges)
        for (let at = 2; at < edge.getTotalLength() - 2; at += 2) {
          const { x, y } = edge.getPointAtLength(at);
          for (const node of nodes) {
            const { x: left, y: top, width, height } = node.getBBox();
            if (x > left + 1 && x < left + width - 1 && y > top + 1 && y < top + height - 1) hidden.push(node.parentNode.querySelector("title").textContent);
          }
        }
      return { names, edges: edges.length, hidden };
    })()`);
    expect(found).toEqual({ names: [true], edges: 19, hidden: [] });
  });

  it("moves and zooms the graph by keyboard and by its buttons", async () => {
    const { page } = await open(file, DESK);
    await page.waitForSelector(".graph[data-ready]");
    const now = 'document.querySelector(".graph svg").style.transform';
    const transform = () => page.evaluate<string>(now);
    const seen = [await transform()];
    const press = async (key: string) => {
      await page.locator(".graph").focus();
      await page.keyboard.press(key);
      await expect.poll(transform, { timeout: 20_000 }).not.toBe(seen.at(-1));
      seen.push(await transform());
    };
    await press("ArrowRight");
    await press("+");
    await page.getByRole("button", { name: "fit" }).click();
    await expect.poll(transform, { timeout: 20_000 }).not.toBe(seen.at(-1));
  });

  it("is dark or light as the system is, and as the reader says", async () => {
    const paper = "getComputedStyle(document.body).backgroundColor";
    const { page } = await open(file, { ...DESK, colorScheme: "dark" });
    const dark = await page.evaluate(paper);
    await page.getByRole("button", { name: "Dark or light" }).click();
    const light = await page.evaluate(paper);
    expect(light).toBe("rgb(255, 255, 255)");
    expect(dark).not.toBe(light);
  });

  it.each(["light", "dark"] as const)("has nothing that keeps people out, in %s", async (colorScheme) => {
    // axe comes in from outside, which the page's policy forbids.
    const { page } = await open(file, { ...DESK, colorScheme, bypassCSP: true });
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
    const found = (await page.evaluate("axe.run()")) as {
      violations: { id: string; nodes: { html: string }[] }[];
    };
    expect(
      found.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 120))]),
    ).toEqual([]);
  });
});
