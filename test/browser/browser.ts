import { execFileSync } from "node:child_process";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";

/** The browser of this machine, or undefined where there is none: CHROMIUM names one that is not on the path. */
export const CHROMIUM = findChromium();

/** Why tests in a browser are skipped, for their names. */
export const NEEDS = CHROMIUM === undefined ? " (skipped: no chromium on this machine)" : "";

function findChromium(): string | undefined {
  if (process.env.CHROMIUM !== undefined) return process.env.CHROMIUM;
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("which", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {}
  }
  return undefined;
}

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
    if (CHROMIUM !== undefined) browser = await chromium.launch({ executablePath: CHROMIUM, args });
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
