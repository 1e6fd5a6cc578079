import { curveBumpX, line } from "d3-shape";
import { type Content, Html, html } from "../../page/html.ts";
import { withoutBackticks } from "../changes.ts";
import type { Review } from "../review.ts";
import { type DrawnEdge, type DrawnNode, layoutGraph } from "./graph-layout.ts";
import { anchorOf } from "./sql-section.ts";

const path = line<{ readonly x: number; readonly y: number }>(
  (point) => point.x,
  (point) => point.y,
).curve(curveBumpX);

/** What `aspects` say is short enough for a node. */
const MAX_LABEL = 30;

/** The graph, drawn: what changes is marked and leads to its SQL. */
export function graphSection({ graph, diffs }: Review): Html {
  if (graph.total === 0 && graph.actions.length === 0) return html``;
  const withSql = new Map(diffs.map((diff) => [diff.id, diff]));
  const drawing = layoutGraph(graph, (action, change) => {
    const diff = change === undefined ? undefined : withSql.get(change.id);
    const counts = diff === undefined ? 0 : countsOf(diff).length + 2;
    return smallLine(action.type, change).length + counts;
  });
  const size = `viewBox="0 0 ${drawing.width} ${drawing.height}" width="${drawing.width}" height="${drawing.height}"`;
  return html`<section id="graph" aria-labelledby="graph-title">
<h2 id="graph-title">Graph</h2>
<p>${graph.actions.length} of ${graph.total} actions change. ${legend(graph.actions.length)}${
    drawing.hidden === 0
      ? ""
      : html` <span class="dim">${drawing.hidden} actions that are not next to a change are left out.</span>`
  }</p>
<div class="graph-tools" hidden>
<button type="button" data-zoom="in" aria-label="Zoom in">+</button>
<button type="button" data-zoom="out" aria-label="Zoom out">−</button>
<button type="button" data-zoom="fit">fit</button>
<button type="button" data-zoom="change">to the change</button>
<span class="dim hint">drag to move · ctrl + wheel or pinch to zoom · arrow keys, + and − when focused</span>
</div>
<div class="graph" tabindex="0" role="group" aria-label="The graph of actions; arrow keys move it, plus and minus zoom">
<svg ${new Html(size)} role="group" aria-label="Actions">
<defs>${["same", "added", "removed"].map(
    (kind) =>
      html`<marker id="tip-${kind}" class="edge ${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>`,
  )}</defs>
${drawing.groups.map(
  ({ name, x, y, width, height }) =>
    html`<g class="group"><rect x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}" rx="10"/><text x="${x - width / 2 + 12}" y="${y - height / 2 + 15}">${name}</text></g>\n`,
)}
${drawing.edges.map(edge)}
${drawing.nodes.map((node) => drawNode(node, withSql.get(node.id)))}
</svg>
</div>
${readers(graph.readers)}
</section>`;
}

function legend(changed: number): Html {
  if (changed === 0) return html``;
  return html`<span class="legend"><span class="tag added">added</span> <span class="tag changed">changed</span> <span class="tag removed">removed</span></span>`;
}

function edge({ kind, points }: DrawnEdge): Html {
  return html`<path class="edge ${kind}" d="${path([...points]) ?? ""}" marker-end="url(#tip-${kind})"/>\n`;
}

function drawNode(
  { id, name, type, change, x, y, width, height }: DrawnNode,
  diff: { readonly file: string; readonly added: number; readonly removed: number } | undefined,
): Html {
  const kind = change?.kind ?? "same";
  const counts: Content =
    diff === undefined
      ? ""
      : html`<text class="counts" x="${x + width / 2 - 10}" y="${y - 7}" text-anchor="end">${countsOf(diff)}</text>`;
  const body = html`<title>${id}${change === undefined ? "" : `: ${labelOf(change)}`}</title><rect x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}" rx="7"/><text class="type" x="${x - width / 2 + 12}" y="${y - 7}">${smallLine(type, change)}</text><text class="name" x="${x - width / 2 + 12}" y="${y + 13}">${name}</text>`;
  if (diff === undefined)
    return html`<g class="node ${kind}" data-change="${change === undefined ? "" : "yes"}">${body}</g>\n`;
  return html`<a class="node ${kind}" data-change="yes" href="#${anchorOf(diff.file)}">${body}${counts}</a>\n`;
}

/** What stands above an action's name. */
function smallLine(type: string, change: Parameters<typeof labelOf>[0] | undefined): string {
  return change === undefined ? type : `${type} · ${shorten(labelOf(change))}`;
}

function countsOf({ added, removed }: { readonly added: number; readonly removed: number }): string {
  return `+${added} −${removed}`;
}

function labelOf({ kind, aspects }: { readonly kind: string; readonly aspects: readonly string[] }): string {
  return kind === "changed" ? withoutBackticks(aspects.join(", ")) : kind;
}

function shorten(text: string): string {
  return text.length > MAX_LABEL ? `${text.slice(0, MAX_LABEL - 1)}…` : text;
}

function readers(list: Review["graph"]["readers"]): Html {
  if (list.length === 0) return html``;
  return html`<p>These stay as they are, downstream of what changes:</p>
<ul>${list.map(({ reader, id }) => html`<li><code>${reader}</code> reads <code>${id}</code></li>`)}</ul>`;
}
