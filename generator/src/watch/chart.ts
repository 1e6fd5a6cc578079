import { scaleLinear, scaleUtc } from "d3-scale";
import { area, curveMonotoneX, line } from "d3-shape";
import { type Html, html } from "../page/html.ts";

/** One line of a chart. */
interface Series {
  readonly name: string;
  /** Which of the page's colours: 1, 2 or `bad`. */
  readonly colour: "one" | "two" | "bad";
  /** A value for each time of the chart; null where the log does not say. */
  readonly values: readonly (number | null)[];
}

/** What an axis counts: so much of a chart's value, by its name. */
type Unit = readonly [size: number, name: string];

/** A chart of values over time. */
export interface Chart {
  readonly title: string;
  /** Milliseconds, from old to new. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** A value as people read it, also on an axis without units. */
  readonly format: (value: number) => string;
  /** The units in which the axis may count, the smallest first: round numbers of the largest that fits. */
  readonly units?: readonly Unit[];
  /** A value that should not be passed, drawn across. */
  readonly limit?: number;
}

const WIDTH = 560;
const HEIGHT = 170;
/** How the lines of a chart are broken, the first to be drawn first: where they lie on each other, each is seen through the gaps of the next. */
const BROKEN = [undefined, "10 6", "3 13"] as const;
const EDGE = { left: 58, right: 14, top: 12, bottom: 24 };

/** The chart as SVG, with what a script needs to say the value under the pointer. */
export function drawChart({ title, times, series, format, units = [], limit }: Chart): Html {
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const most = Math.max(1, limit ?? 0, ...known);
  const first = times[0] ?? 0;
  // One run alone has no width: an hour around it does.
  const [from, to] =
    times.length > 1 ? [first, times.at(-1) ?? first] : [first - 1_800_000, first + 1_800_000];
  const x = scaleUtc([from, to], [EDGE.left, WIDTH - EDGE.right]);
  const [size, unit] = units.findLast(([one]) => one <= most) ?? units[0] ?? [1, undefined];
  const scale = scaleLinear([0, most / size], [HEIGHT - EDGE.bottom, EDGE.top]).nice(3);
  const y = (value: number) => scale(value / size);
  const onAxis = (count: number) =>
    unit === undefined || count === 0 ? format(count * size) : `${count} ${unit}`;
  // The day where one begins, else the time of day.
  const [day, hour] = [x.tickFormat(5, "%b %-d"), x.tickFormat(5, "%H:%M")];
  const tick = (time: Date) => (time.getTime() % 86_400_000 === 0 ? day : hour)(time);
  const last = series.map(({ name, values }) => `${name} ${sayOf(values.at(-1), format)}`).join(", ");
  return html`<figure class="chart" tabindex="0" aria-label="${title}: ${last} in the last run"
data-x="${times.map((time) => x(time).toFixed(1)).join(" ")}"
data-when="${times.map((time) => new Date(time).toISOString().slice(0, 16).replace("T", " ")).join("|")}"
data-say="${times.map((_, index) => series.map(({ name, values }) => `${name} ${sayOf(values[index], format)}`).join(" · ")).join("|")}">
<figcaption><b>${title}</b>${
    series.length > 1
      ? html`<span class="names">${series.map(({ name, colour }, index) => html`<span class="name ${colour}"><svg viewBox="0 0 26 4" width="26" height="4" aria-hidden="true"><path class="line" d="M0 2H26"${broken(index)}/></svg>${name}</span>`)}</span>`
      : ""
  }<output class="say">${last}</output></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="presentation">
${scale.ticks(3).map((count) => html`<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${scale(count)}" y2="${scale(count)}"/><text class="axis" x="${EDGE.left - 8}" y="${scale(count) + 4}" text-anchor="end">${onAxis(count)}</text>`)}
${x.ticks(5).map((time) => html`<text class="axis" x="${x(time).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="middle">${tick(time)}</text>`)}
${limit === undefined ? "" : html`<line class="limit" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y(limit)}" y2="${y(limit)}"/>`}
${series.map((one, index) => drawSeries(one, index, times, x, y))}
<line class="cursor" y1="${EDGE.top}" y2="${HEIGHT - EDGE.bottom}" visibility="hidden"/>
</svg>
</figure>`;
}

function drawSeries(
  { colour, values }: Series,
  index: number,
  times: readonly number[],
  x: (time: number) => number,
  y: (value: number) => number,
): Html {
  const points = times.map((time, run) => ({ at: x(time), value: values[run] ?? null }));
  const isKnown = ({ value }: { value: number | null }) => value !== null;
  type Point = (typeof points)[number];
  const curve = line<Point>(
    (point) => point.at,
    (point) => y(point.value ?? 0),
  )
    .defined(isKnown)
    .curve(curveMonotoneX);
  const under = area<Point>(
    (point) => point.at,
    y(0),
    (point) => y(point.value ?? 0),
  )
    .defined(isKnown)
    .curve(curveMonotoneX);
  const dots = points.length > 60 ? [] : points.filter(isKnown);
  return html`<path class="under ${colour}" d="${under(points) ?? ""}"/><path class="line ${colour}" d="${curve(points) ?? ""}"${broken(index)}/>${dots.map(
    ({ at, value }) =>
      html`<circle class="${colour}" cx="${at.toFixed(1)}" cy="${y(value ?? 0).toFixed(1)}" r="${(3 - index * 0.8).toFixed(1)}"/>`,
  )}`;
}

function broken(index: number): Html {
  const gaps = BROKEN[index];
  return gaps === undefined ? html`` : html` stroke-dasharray="${gaps}"`;
}

function sayOf(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? "unknown" : format(value);
}
