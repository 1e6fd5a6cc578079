import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { ROOT, renderDocs } from "../../docs/render.ts";

const pages = await renderDocs();

it.each([...pages.keys()])("%s is what `npm run docs` writes", (file) => {
  expect(readFileSync(path.join(ROOT, file), "utf8")).toBe(pages.get(file));
});
