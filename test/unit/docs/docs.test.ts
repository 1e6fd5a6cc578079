import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(path.join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file.replaceAll("\\", "/")}`),
].sort();

/** Top folders of the repository: text between backticks that starts with one of them is a path. */
const FOLDERS = ["generator", "local", "test", "deploy", "docs", ".github", "samples", "includes"];

/** GitHub's anchor of a heading: https://docs.github.com/en/get-started/writing-on-github */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- _]/gu, "")
    .replaceAll(" ", "-");
}

function anchorsOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}

/** The text without its fenced blocks, where `#` is a comment and brackets are code. */
function withoutCode(text: string): string {
  return text.replace(/^ *```[\s\S]*?^ *```/gm, "");
}

describe.each(PAGES)("%s", (page) => {
  const text = read(page);

  it("links to pages, headings and files that are there", () => {
    const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const dead = targets
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [file = "", anchor] = target.split("#");
        const linked = file === "" ? page : path.posix.join(path.posix.dirname(page), file);
        if (!existsSync(path.join(ROOT, linked))) return true;
        return anchor !== undefined && !anchorsOf(read(linked)).includes(anchor);
      });
    expect(dead).toEqual([]);
  });

  it("names files that are there", () => {
    const named = [...text.matchAll(/`([\w.@-]+(?:\/[\w.@*-]+)+\/?)`/g)].map(([, name = ""]) => name);
    const missing = named
      .filter((name) => FOLDERS.includes(name.split("/")[0] ?? "") && !/[*<]/.test(name))
      .filter((name) => !existsSync(path.join(ROOT, name)));
    expect(missing).toEqual([]);
  });
});

describe("README.md", () => {
  it("stays a page", () => {
    expect(read("README.md").split("\n").length).toBeLessThan(250);
  });

  it("promises the rules of docs/rules.md, under their numbers", () => {
    const promised = [...read("README.md").matchAll(/^- \*\*(R\d+)\*\*/gm)].map(([, rule]) => rule);
    const rules = [...read("docs/rules.md").matchAll(/^## (R\d+) /gm)].map(([, rule]) => rule);
    expect(promised).toEqual(rules);
    expect(rules.length).toBeGreaterThanOrEqual(12);
  });
});

describe("docs/rules.md", () => {
  const sections = read("docs/rules.md")
    .split(/^## (?=R\d)/m)
    .slice(1);

  it.each(sections.map((section) => [section.split("\n")[0] ?? "", section]))(
    "%s names the tests that hold it",
    (_, section) => {
      expect(section).toMatch(/^Held by [\s\S]*`test\/[\w/.-]+\.test\.ts`/m);
    },
  );
});

describe("docs/README.md", () => {
  it("leads to every page", () => {
    const index = read("docs/README.md");
    for (const page of PAGES.filter((file) => /^docs\/(?!README)[\w-]+\.md$/.test(file)))
      expect(index).toContain(`(${path.posix.basename(page)})`);
  });
});

it("the decisions' index leads to every decision", () => {
  const index = read("docs/decisions/README.md");
  for (const page of PAGES.filter((file) => /^docs\/decisions\/\d/.test(file)))
    expect(index).toContain(`(${path.posix.basename(page)})`);
});
