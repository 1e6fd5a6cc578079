import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { findChromium } from "./chromium.ts";

/** The browser to test in, or undefined where there is none. */
export const CHROMIUM = findChromium();

/** Why tests in a browser are skipped, for their names. */
export const NEEDS = CHROMIUM === undefined ? " (skipped: no chromium, nor one from npm)" : "";

/** A page under test, with what it asked for beside its own file and what went wrong in it. */
export interface Opened {
  readonly page: Page;
  readonly requests: readonly string[];
  readonly errors: readonly string[];
}

/** One browser for the tests of a file. */
export function useBrowser(): (file: string, options?: BrowserContextOptions) => Promise<Opened> {
  let browser: Browser | undefined;
  beforeAll(async () => {
    // A container's root has no user namespaces, which chromium's sandbox wants.
    const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    if (CHROMIUM === undefined) return;
    const { program, env } = CHROMIUM;
    browser = await chromium.launch({ executablePath: program, args, env: { ...process.env, ...env } });
  });
  afterAll(() => browser?.close());
  return async (file, options = {}) => {
    if (browser === undefined) throw new Error("no browser");
    const page = await (await browser.newContext(options)).newPage();
    const requests: string[] = [];
    const errors: string[] = [];
    page.on("request", (request) => {
      if (request.url() !== `file://${file}`) requests.push(request.url());
    });
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    await page.goto(`file://${file}`);
    return { page, requests, errors };
  };
}

/** How far the page is wider than the window, in pixels. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - innerWidth");
}
