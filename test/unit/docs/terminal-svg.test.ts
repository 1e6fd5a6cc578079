import { expect, it } from "vitest";
import { drawTerminal } from "../../docs/terminal-svg.ts";

const drawn = drawTerminal("npm run demo", [
  { at: 10, text: "> made 3 & more <tables>" },
  { at: 60_000, text: "x".repeat(300) },
  { at: 60_001, text: "== Done" },
]);
const texts = [...drawn.matchAll(/<text class="(\w+)"[^>]*animation-name: at-(\d+)[^>]*>([^<]*)</g)];

it("shows each line once, in order, wrapped as a terminal does", () => {
  expect(texts.map(([, kind, , text = ""]) => [kind, text.length > 60 ? text.length : text])).toEqual([
    ["prompt", "$ npm run demo"],
    ["step", "> made 3 &amp; more &lt;tables>"],
    ["out", 118],
    ["out", 118],
    ["out", "x".repeat(64).length],
    ["title", "== Done"],
  ]);
});

it("waits no minute where the program did, and moves by CSS alone", () => {
  const [, total = "0"] = /text \{ animation: (\d+)ms/.exec(drawn) ?? [];
  expect(Number(total)).toBeGreaterThan(1000);
  expect(Number(total)).toBeLessThan(20_000);
  expect(drawn).not.toContain("<script");
  expect(drawn.match(/@keyframes at-/g)).toHaveLength(texts.length);
});
