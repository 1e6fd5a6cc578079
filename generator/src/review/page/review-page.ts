import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { renderDocument, THEME_BUTTON } from "../../page/document.ts";
import { type Content, type Html, html, prose } from "../../page/html.ts";
import { type Change, weightOf } from "../changes.ts";
import { COST_NOTE, type CostRow, costCells, costReasons } from "../cost.ts";
import type { Review } from "../review.ts";
import { compared, notKnown, planTitle, summary } from "../words.ts";
import { graphSection } from "./graph-section.ts";
import { sqlSection } from "./sql-section.ts";

/** The review as one page that is whole in itself. */
export function formatPage(review: Review): string {
  const sections = [
    ["todo", "To do", review.todos.length > 0],
    ["schema", "Schema", review.entities.length > 0],
    ["schedule", "Schedule", review.schedule.length > 0],
    ["plan", "Tables", (review.plan?.lines.length ?? 0) > 0],
    ["graph", "Graph", review.graph.total > 0],
    ["cost", "Cost", review.diffs.length > 0],
    ["notes", "Notes", review.notes.length > 0],
    ["sql", `Compiled SQL (${review.diffs.length})`, review.diffs.length > 0],
  ] as const;
  const body = html`<a class="skip" href="#content">To the content</a>
<header class="top">
<div>
<h1>What this change does</h1>
<p class="verdict ${weight(review)}">${summary(review)}</p>
<p class="dim">${prose(compared(review))}</p>
</div>
${THEME_BUTTON}
</header>
<nav class="sections" aria-label="Sections">${sections
    .filter(([, , isThere]) => isThere)
    .map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
<main id="content">
${todoSection(review)}
${schemaSection(review)}
${scheduleSection(review)}
${planSection(review)}
${graphSection(review)}
${costSection(review)}
${noteSection(review)}
${sqlSection(review)}
</main>`;
  return renderDocument({
    title: `Review: ${summary(review)}`,
    body,
    styles: [asset("review.css")],
    scripts: [panzoom(), asset("review.js")],
  });
}

function asset(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}

/** The library that moves and zooms the graph, as its package has it for a browser. */
function panzoom(): string {
  return readFileSync(createRequire(import.meta.url).resolve("@panzoom/panzoom/dist/panzoom.min.js"), "utf8");
}

function weight({ entities, todos, graph }: Review): "good" | "warn" | "bad" {
  const changes = entities.flatMap((entity) => entity.changes);
  if (changes.some((change) => weightOf(change) === "refused") || todos.some(({ step }) => step === "fix"))
    return "bad";
  return todos.length > 0 || graph.actions.some(({ kind }) => kind === "removed") ? "warn" : "good";
}

const STEPS: Readonly<Record<Review["todos"][number]["step"], string>> = {
  fix: "before merging",
  before: "before init",
  init: "after merging",
  fill: "after init",
  rebuild: "next run",
  replay: "next run",
  after: "at the end",
};

function todoSection({ todos }: Review): Content {
  if (todos.length === 0) return "";
  return html`<section id="todo" aria-labelledby="todo-title">
<h2 id="todo-title">To do, in this order</h2>
<ol class="todo">${todos.map(
    ({ step, text, commands }) => html`<li class="${step === "fix" ? "refused" : ""}">
<span class="tag ${step === "fix" ? "refused" : "none"}">${STEPS[step]}</span>
<p>${prose(text)}</p>
${commands.length === 0 ? "" : html`<pre data-copy><code>${commands.join("\n")}</code></pre>`}</li>`,
  )}</ol>
</section>`;
}

function schemaSection({ entities }: Review): Content {
  if (entities.length === 0) return "";
  return html`<section id="schema" aria-labelledby="schema-title">
<h2 id="schema-title">Schema</h2>
${entities.map(
  ({ entity, kind, changes }) => html`<h3>${entity} <span class="tag ${kind}">${kind}</span></h3>
${changeTable(["field or option", "change", "what it means for the data"], changes)}`,
)}
</section>`;
}

function scheduleSection({ schedule }: Review): Content {
  if (schedule.length === 0) return "";
  return html`<section id="schedule" aria-labelledby="schedule-title">
<h2 id="schedule-title">Schedule</h2>
${changeTable(["of schedule.json", "change", "what it means"], schedule)}
</section>`;
}

function changeTable(head: readonly string[], changes: readonly Change[]): Html {
  return html`<table class="rows"><thead><tr>${head.map((title) => html`<th>${title}</th>`)}</tr></thead>
<tbody>${changes.map((change) => {
    const isRefused = weightOf(change) === "refused";
    const tag = isRefused ? "refused" : change.kind;
    return html`<tr><td><code>${change.path}</code></td><td><span class="tag ${tag}">${tag}</span> ${prose(change.what)}</td><td>${prose(change.means)}</td></tr>`;
  })}</tbody></table>`;
}

function planSection({ plan }: Review): Content {
  if (plan === undefined || plan.lines.length === 0) return "";
  return html`<section id="plan" aria-labelledby="plan-title">
<h2 id="plan-title">Tables as they are</h2>
<p>${prose(planTitle(plan))}:</p>
<ul>${plan.lines.map((line) => html`<li>${prose(line)}</li>`)}</ul>
</section>`;
}

function costSection({ costs, diffs, todos }: Review): Content {
  if (diffs.length === 0) return "";
  return html`<section id="cost" aria-labelledby="cost-title">
<h2 id="cost-title">Cost</h2>
${"unknown" in costs ? html`<p>Not estimated: ${costs.unknown}</p>` : costTable(costs.rows, todos)}
</section>`;
}

function costTable(rows: readonly CostRow[], todos: Review["todos"]): Html {
  if (rows.length === 0) return html`<p>What changes reads no data.</p>`;
  const most = Math.max(1, ...rows.flatMap(({ before, after }) => [bytesOf(before), bytesOf(after)]));
  const bar = (side: "before" | "after", estimate: CostRow["before"]) =>
    estimate !== undefined && "bytes" in estimate
      ? html`<span class="bar ${side}" style="width:${((100 * estimate.bytes) / most).toFixed(1)}%"></span>`
      : "";
  const reasons = costReasons(rows);
  return html`<p class="dim">${COST_NOTE}</p>
<table class="rows cost"><thead><tr><th>action</th><th>type</th><th class="number">before</th><th class="number">after</th><th class="number">difference</th><th aria-hidden="true"></th></tr></thead>
<tbody>${rows.map((row) => {
    const [before, after, difference] = costCells(row);
    return html`<tr><td><code>${row.id}</code></td><td>${row.type}</td><td class="number" data-label="before">${before}</td><td class="number" data-label="after">${after}</td><td class="number" data-label="difference">${difference}</td><td class="bars" aria-hidden="true">${bar("before", row.before)}${bar("after", row.after)}</td></tr>`;
  })}</tbody></table>
${
  reasons.length === 0
    ? ""
    : html`<p>${notKnown(todos)}:</p><ul>${reasons.map(({ id, side, reason }) => html`<li><code>${id}</code>, ${side}: ${reason}</li>`)}</ul>`
}`;
}

function bytesOf(estimate: CostRow["before"]): number {
  return estimate !== undefined && "bytes" in estimate ? estimate.bytes : 0;
}

function noteSection({ notes }: Review): Content {
  if (notes.length === 0) return "";
  return html`<section id="notes" aria-labelledby="notes-title">
<h2 id="notes-title">Notes</h2>
<ul>${notes.map((note) => html`<li>${prose(note)}</li>`)}</ul>
</section>`;
}
