import sql from "highlight.js/lib/languages/sql";
import { createLowlight } from "lowlight";

/** A piece of a line in one colour. */
export interface Segment {
  readonly text: string;
  /** What the highlighter takes it for: `keyword`, `string`, `comment`, …; empty for the rest. */
  readonly kind: string;
}

const lowlight = createLowlight();
lowlight.register("bigquery", (hljs) => {
  const base = sql(hljs);
  // BigQuery quotes names by backticks, which highlight.js's SQL does not know.
  return { ...base, contains: [{ scope: "name", begin: /`/, end: /`/ }, ...(base.contains ?? [])] };
});

type Node = ReturnType<typeof lowlight.highlight>["children"][number];

/** SQL as lines of coloured pieces. */
export function highlightSql(text: string): readonly (readonly Segment[])[] {
  const lines: Segment[][] = [[]];
  const place = (node: Node, kind: string): void => {
    if (node.type === "element") {
      const classes = node.properties.className;
      const [own] = Array.isArray(classes) ? classes : [];
      const inner = typeof own === "string" ? own.replace(/^hljs-/, "") : kind;
      for (const child of node.children) place(child, inner);
    } else if (node.type === "text") {
      for (const [index, part] of node.value.split("\n").entries()) {
        if (index > 0) lines.push([]);
        if (part !== "") lines.at(-1)?.push({ text: part, kind });
      }
    }
  };
  for (const node of lowlight.highlight("bigquery", text).children) place(node, "");
  return lines;
}
