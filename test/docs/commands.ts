import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./render.ts";

/** README and the pages of docs/, by their path. */
function pages(): readonly string[] {
  const docs = readdirSync(path.join(ROOT, "docs")).filter((file) => file.endsWith(".md"));
  return ["README.md", ...docs.map((file) => `docs/${file}`)].sort();
}

/** The fenced blocks of a language in the pages: their text, each with its page. */
export function blocksOf(language: string): readonly { readonly page: string; readonly text: string }[] {
  return pages().flatMap((page) =>
    [...readFileSync(path.join(ROOT, page), "utf8").matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```/gm)]
      .filter(([, , named]) => named === language)
      .map(([, indent = "", , text = ""]) => ({ page, text: text.replaceAll(`\n${indent}`, "\n") })),
  );
}

/** Each command line that a page shows, once: without its comment, and the parts of `a && b` for themselves. */
export function documentedCommands(): readonly string[] {
  const lines = blocksOf("sh").flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"));
  const commands = lines.flatMap((line) => line.replace(/\s+#.*$/, "").split(" && "));
  return [...new Set(commands.map((command) => command.replace(/\s+/g, " ").trim()))]
    .filter((text) => text !== "")
    .sort();
}
