import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { EntityStatus } from "../../generator/src/warehouse/status.ts";
import { judge } from "../../generator/src/watch/health.ts";
import { formatStatusPage } from "../../generator/src/watch/status-page.ts";
import { weekOfRuns } from "../unit/watch/log.ts";
import { CHROMIUM, NEEDS, overflow, useBrowser } from "./browser.ts";

const PLACE = "acme.crm (EU), environment dev at BigQuery";
const NOW = Date.parse("2026-01-08T12:00:00Z");
const log = weekOfRuns(NOW - 600_000);

function watched(entity: string, rest: Partial<EntityStatus> = {}) {
  const runs = [...log]
    .reverse()
    .slice(0, 50)
    .map((run) => ({
      runId: run.merged_at,
      usersRead: 0,
      kind: run.kind,
      mergedAt: run.merged_at,
      rowsRead: run.rows_read,
      rowsChanged: run.rows_changed,
      badRows: run.bad_rows,
      futureRows: run.future_rows,
    }));
  const status: EntityStatus = {
    entity,
    state: "up to date",
    watermark: "2026-01-08 11:40:00+00",
    waiting: 12,
    lagSeconds: 300,
    users: 16_179,
    badRows: 0,
    reportedRows: 0,
    missedRows: 0,
    missedFrom: null,
    waitingUsers: 0,
    expiring: [],
    runs,
    ...rest,
  };
  return {
    status,
    health: judge(status, { maxLagSeconds: 3600 }, NOW),
    log: rest.runs?.length === 0 ? [] : log,
  };
}

const folder = mkdtempSync(path.join(tmpdir(), "pages-"));
const file = path.join(folder, "status.html");
const entities = [watched("customer"), watched("member", { state: "no tables", runs: [], users: null })];
writeFileSync(file, formatStatusPage(entities, { maxLagSeconds: 3600 }, NOW, PLACE));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DESK = { viewport: { width: 1300, height: 900 } };

describe.skipIf(CHROMIUM === undefined)(`the status page in a browser${NEEDS}`, () => {
  const open = useBrowser();

  it("asks the network for nothing, has no errors, and says first how all is", async () => {
    const { page, requests, errors } = await open(file, DESK);
    expect([...requests, ...errors]).toEqual([]);
    expect(await page.locator(".verdict").first().textContent()).toBe("Not well.");
    expect(await page.title()).toBe(`${PLACE}: not well`);
    expect(await page.locator("header").textContent()).toContain(PLACE);
    expect(await page.locator("section").count()).toBe(2);
    expect(await page.locator("#customer .facts dd").allTextContents()).toContain("5 min");
    expect(await page.locator("#customer .chart b").allTextContents()).toEqual([
      "Lag before each run, at most",
      "Rows",
      "Users",
      "Rows to look at",
      "Bytes billed",
      "From reading to the merge",
    ]);
  });

  it("says the values under the pointer, and by keyboard", async () => {
    const { page } = await open(file, DESK);
    const chart = page.locator(".chart").nth(1);
    const say = chart.locator(".say");
    await chart.locator("> svg").hover({ position: { x: 200, y: 60 } });
    expect(await say.textContent()).toMatch(/^2026-01-0\d \d\d:\d\d: read [\d.]+K? · changed [\d.]+K?$/);
    await page.mouse.move(0, 0);
    await chart.focus();
    const last = await say.textContent();
    expect(last).toContain("2026-01-08 11:50");
    await page.keyboard.press("ArrowLeft");
    expect(await say.textContent()).toContain("2026-01-08 10:50");
  });

  it("shows lines that lie on each other through the gaps of those above", async () => {
    const { page } = await open(file, DESK);
    const chart = page.locator(".chart", { hasText: "Rows to look at" });
    const gaps = (lines: string) =>
      chart
        .locator(lines)
        .evaluateAll((all: { getAttribute(name: string): string | null }[]) =>
          all.map((one) => one.getAttribute("stroke-dasharray")),
        );
    const drawn = await gaps(":scope > svg .line");
    expect(drawn).toEqual(await gaps(".name .line"));
    // What each line covers of its beginning is less than what the one below it does.
    const covered = drawn.map((gap) => (gap === null ? 100 : Number(gap.split(" ")[0])));
    expect(covered).toEqual([...new Set(covered)].sort((one, other) => other - one));
  });

  it("is not wider than a phone, and its axes are read there", async () => {
    const { page } = await open(file, {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    });
    expect(await overflow(page)).toBe(0);
    const label = await page.locator(".chart .axis").first().boundingBox();
    expect(label?.height).toBeGreaterThan(9);
  });

  it.each(["light", "dark"] as const)("has nothing that keeps people out, in %s", async (colorScheme) => {
    const { page } = await open(file, { ...DESK, colorScheme, bypassCSP: true });
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
    const found = (await page.evaluate("axe.run()")) as {
      violations: { id: string; nodes: { html: string }[] }[];
    };
    expect(
      found.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 160))]),
    ).toEqual([]);
  });
});
