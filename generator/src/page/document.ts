import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Html, html } from "./html.ts";

/** What a page is made of. */
export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Styles and scripts beside those that every page has. */
  readonly styles?: readonly string[];
  readonly scripts?: readonly string[];
}

/** The text of a file beside this module. */
function readAsset(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}

/**
 * A page that is whole in one file: it asks the network for nothing, and its policy forbids it to. Only the scripts placed
 * here run, by their hash, whatever the names and descriptions in it hold.
 */
export function renderDocument({ title, body, styles = [], scripts = [] }: Page): string {
  // The theme is set before anything is painted, so no page flashes in the other one.
  const inHead = readAsset("theme.js");
  const atEnd = [...scripts, readAsset("page.js")];
  const hashes = [inHead, ...atEnd].map((script) => `'sha256-${sha256(script)}'`);
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${hashes.join(" ")}; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${[readAsset("page.css"), ...styles].map((style) => new Html(style))}</style>
<script>${new Html(inHead)}</script>
</head>
<body>
${body}
${atEnd.map((script) => html`<script>${new Html(script)}</script>\n`)}</body>
</html>
`.markup;
}

/** The button that goes from the system's theme to the other one and back; hidden where no script runs. */
export const THEME_BUTTON = html`<button type="button" class="quiet" id="theme" hidden aria-label="Dark or light">◐</button>`;

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
