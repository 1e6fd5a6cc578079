import { readFileSync } from "node:fs";
import { renderDocument, THEME_BUTTON } from "../page/document.ts";
import { type Content, type Html, html, prose } from "../page/html.ts";
import { BYTE_UNITS, formatBytes } from "../review/cost.ts";
import type { EntityStatus, RunLogRow } from "../warehouse/status.ts";
import { type Chart, drawChart } from "./chart.ts";
import { formatDuration, TIME_UNITS } from "./durations.ts";
import { type Health, type Thresholds, WORDS, type Word, worst } from "./health.ts";

/** What the page shows of one entity. */
export interface Watched {
  readonly status: EntityStatus;
  readonly health: Health;
  /** Its runs, oldest first. */
  readonly log: readonly RunLogRow[];
}

/** The classes that page.css has for a word. */
const COLOURS: Readonly<Record<Word, string>> = { well: "good", look: "warn", bad: "bad" };
/** Runs that the table below the charts lists. */
const LISTED = 50;

/** How all entities are, and how their runs went, as one page that is whole in itself. `now` in milliseconds; `place` says of which project, dataset and environment. */
export function formatStatusPage(
  watched: readonly Watched[],
  thresholds: Thresholds,
  now: number,
  place: string,
): string {
  const word = worst(watched.map(({ health }) => health));
  const body = html`<a class="skip" href="#content">To the content</a>
<header class="top">
<div>
<h1>Status</h1>
<p class="verdict ${COLOURS[word]}">${capital(WORDS[word])}</p>
<p><b>${place}</b></p>
<p class="dim">Read ${new Date(now).toISOString().slice(0, 19).replace("T", " ")} UTC; all times are UTC.</p>
</div>
${THEME_BUTTON}
</header>
<main id="content">
${watched.length > 1 ? overview(watched) : ""}
${watched.map((one) => entitySection(one, thresholds))}
</main>`;
  return renderDocument({
    title: `${place}: ${WORDS[word]}`,
    body,
    styles: [asset("status.css")],
    scripts: [asset("status.js")],
  });
}

function asset(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}

function overview(watched: readonly Watched[]): Html {
  return html`<table class="rows"><thead><tr><th>entity</th><th>how it is</th><th class="number">users</th><th class="number">updates waiting</th><th class="number">lag</th><th>merged up to</th></tr></thead>
<tbody>${watched.map(
    ({ status, health }) =>
      html`<tr><td><a href="#${status.entity}">${status.entity}</a></td><td><span class="tag ${COLOURS[health.word]}">${WORDS[health.word]}</span></td><td class="number" data-label="users">${number(status.users)}</td><td class="number" data-label="waiting">${number(status.waiting)}</td><td class="number" data-label="lag">${lagOf(status)}</td><td data-label="merged up to">${minute(status.watermark)}</td></tr>`,
  )}</tbody></table>`;
}

function entitySection({ status, health, log }: Watched, thresholds: Thresholds): Html {
  return html`<section id="${status.entity}" aria-labelledby="${status.entity}-title">
<h2 id="${status.entity}-title">${status.entity} <span class="tag ${COLOURS[health.word]}">${WORDS[health.word]}</span></h2>
${health.reasons.length === 0 ? "" : html`<ul class="reasons">${health.reasons.map((reason) => html`<li>${prose(reason)}</li>`)}</ul>`}
<dl class="facts">
<div><dt>users</dt><dd>${number(status.users) || "–"}</dd></div>
<div><dt>merged up to</dt><dd>${minute(status.watermark) || "–"}</dd></div>
<div><dt>updates waiting</dt><dd>${number(status.waiting) || "–"}</dd></div>
<div><dt>lag</dt><dd>${lagOf(status) || "–"}</dd></div>
<div><dt>last run</dt><dd>${minute(status.runs[0]?.mergedAt ?? null) || "–"}</dd></div>
</dl>
${log.length === 0 ? html`<p class="dim">No run in the log.</p>` : html`<div class="charts">${chartsOf(log, thresholds).map(drawChart)}</div>${runTable(log)}`}
</section>`;
}

/** The charts for which the log has values. */
function chartsOf(log: readonly RunLogRow[], thresholds: Thresholds): readonly Chart[] {
  const times = log.map((run) => Date.parse(run.merged_at));
  const column = (value: (run: RunLogRow) => unknown) =>
    log.map((run) => {
      const found = value(run);
      return found === null || found === undefined ? null : Number(found);
    });
  // An update that a run read came after the run before had read, so it waited no longer than since then.
  const waits = log.map((run, index) => {
    const before = log[index - 1];
    return before === undefined
      ? null
      : Math.max(0, (Date.parse(run.merged_at) - Date.parse(before.read_at)) / 1000);
  });
  const charts: readonly Chart[] = [
    {
      title: "Lag before each run, at most",
      times,
      series: [{ name: "lag", colour: "one", values: waits }],
      format: formatDuration,
      units: TIME_UNITS,
      limit: thresholds.maxLagSeconds,
    },
    {
      title: "Rows",
      times,
      series: [
        { name: "read", colour: "two", values: column((run) => run.rows_read) },
        { name: "changed", colour: "one", values: column((run) => run.rows_changed) },
      ],
      format: short,
    },
    {
      title: "Users",
      times,
      series: [{ name: "users", colour: "one", values: column((run) => run.users) }],
      format: short,
    },
    {
      title: "Rows to look at",
      times,
      series: [
        { name: "bad", colour: "bad", values: column((run) => run.bad_rows) },
        { name: "missed", colour: "two", values: column((run) => run.missed_rows) },
        { name: "from the future", colour: "one", values: column((run) => run.future_rows) },
      ],
      format: short,
    },
    {
      title: "Bytes billed",
      times,
      series: [
        { name: "batch", colour: "two", values: column((run) => run.batch_bytes_billed) },
        { name: "merge", colour: "one", values: column((run) => run.merge_bytes_billed) },
      ],
      format: formatBytes,
      units: BYTE_UNITS,
    },
    {
      title: "From reading to the merge",
      times,
      series: [
        {
          name: "duration",
          colour: "one",
          values: column((run) => (run.read_to_merge_ms == null ? null : run.read_to_merge_ms / 1000)),
        },
      ],
      format: took,
      units: TIME_UNITS,
    },
  ];
  return charts
    .map((chart) => ({
      ...chart,
      series: chart.series.filter(({ values }) => values.some((value) => value !== null)),
    }))
    .filter(({ series }) => series.length > 0);
}

function runTable(log: readonly RunLogRow[]): Content {
  const rows = [...log].reverse().slice(0, LISTED);
  return html`<details class="runs"><summary>The last ${rows.length} runs as a table</summary>
<div class="scroll"><table class="rows"><thead><tr><th>merged at</th><th>kind</th><th>watermark</th><th class="number">rows read</th><th class="number">changed</th><th class="number">bad</th><th class="number">from the future</th><th class="number">batch billed</th><th class="number">merge billed</th><th class="number">read to merge</th></tr></thead>
<tbody>${rows.map(
    (run) =>
      html`<tr><td>${minute(run.merged_at)}</td><td>${run.kind}</td><td data-label="watermark">${minute(run.watermark_after)}</td><td class="number" data-label="read">${number(run.rows_read)}</td><td class="number" data-label="changed">${number(run.rows_changed)}</td><td class="number" data-label="bad">${number(run.bad_rows)}</td><td class="number" data-label="from the future">${number(run.future_rows)}</td><td class="number" data-label="batch billed">${run.batch_bytes_billed == null ? "" : formatBytes(Number(run.batch_bytes_billed))}</td><td class="number" data-label="merge billed">${run.merge_bytes_billed == null ? "" : formatBytes(Number(run.merge_bytes_billed))}</td><td class="number" data-label="read to merge">${run.read_to_merge_ms == null ? "" : took(Number(run.read_to_merge_ms) / 1000)}</td></tr>`,
  )}</tbody></table></div></details>`;
}

function number(value: number | null): string {
  return value === null ? "" : Number(value).toLocaleString("en");
}

/** A number that fits an axis: 12.3k. */
function short(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/** Seconds that a run took: short ones to a tenth. */
function took(seconds: number): string {
  return seconds > 0 && seconds < 10 ? `${seconds.toFixed(1)} s` : formatDuration(seconds);
}

function lagOf({ lagSeconds }: EntityStatus): string {
  return lagSeconds === null ? "" : formatDuration(lagSeconds);
}

function minute(timestamp: string | null): string {
  if (timestamp === null) return "";
  const time = Date.parse(timestamp.replace(/([+-]\d\d)$/, "$1:00"));
  return Number.isNaN(time) ? timestamp : new Date(time).toISOString().slice(0, 16).replace("T", " ");
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
