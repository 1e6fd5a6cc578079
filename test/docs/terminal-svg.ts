/** A line that a program printed. */
export interface TimedLine {
  /** Milliseconds since it started. */
  readonly at: number;
  readonly text: string;
}

/** Lines that are seen at once. */
const ROWS = 30;
const CHARACTER = 7.83;
const LEADING = 17;
const MARGIN = { top: 44, side: 18, bottom: 14 };
/** A terminal of this many columns wraps longer lines. */
const COLUMNS = 118;
/** A pause longer than this tells nobody anything, and lines that come faster cannot be read. */
const PAUSE = { longest: 1200, shortest: 70 };
/** How long the end stays before the recording begins again. */
const REST = 6000;

/**
 * A recording of a terminal as an SVG that moves by CSS alone, so that it does so in a README too: a line appears when it was printed, and the
 * screen scrolls. Who wants no motion sees the end.
 */
export function drawTerminal(command: string, lines: readonly TimedLine[]): string {
  const timed = pace([{ at: 0, text: `$ ${command}` }, ...lines.flatMap(wrap)]);
  const width = Math.ceil(COLUMNS * CHARACTER + 2 * MARGIN.side);
  const height = MARGIN.top + ROWS * LEADING + MARGIN.bottom;
  const total = (timed.at(-1)?.at ?? 0) + REST;
  const share = (at: number) => `${((100 * at) / total).toFixed(2)}%`;
  const scrolls = timed.flatMap(({ at }, index) =>
    index < ROWS ? [] : [`${share(at)} { transform: translateY(${(ROWS - 1 - index) * LEADING}px) }`],
  );
  const rows = timed.map(({ at, text }, index) => {
    const y = MARGIN.top + (index + 0.75) * LEADING;
    const length = ([...text].length * CHARACTER).toFixed(1);
    return `<text class="${kindOf(text)}" y="${y}" x="${MARGIN.side}" textLength="${length}" style="animation-name: at-${index}">${entitiesOf(text)}</text>
<style>@keyframes at-${index} { 0% { opacity: 0 } ${share(at)} { opacity: 1 } }</style>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A recording of ${entitiesOf(command)}">
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d7dae0; white-space: pre }
.step { fill: #8fd18f } .title { fill: #f0c674; font-weight: bold } .prompt { fill: #ffffff; font-weight: bold }
@media (prefers-reduced-motion: no-preference) {
  text { animation: ${total}ms step-end infinite }
  .screen { animation: scroll ${total}ms step-end infinite }
}
.screen { transform: translateY(${Math.min(0, ROWS - timed.length) * LEADING}px) }
@keyframes scroll { 0% { transform: translateY(0) } ${scrolls.join(" ")} }
</style>
<rect width="${width}" height="${height}" rx="9" fill="#1c1f26"/>
<g fill="#4a4f5a"><circle cx="20" cy="20" r="6"/><circle cx="40" cy="20" r="6"/><circle cx="60" cy="20" r="6"/></g>
<clipPath id="window"><rect y="${MARGIN.top - 4}" width="${width}" height="${ROWS * LEADING + 8}"/></clipPath>
<g clip-path="url(#window)"><g class="screen">
${rows.filter((row) => !row.includes('textLength="0.0"')).join("\n")}
</g></g>
</svg>
`;
}

function wrap({ at, text }: TimedLine): readonly TimedLine[] {
  const characters = [...text];
  const count = Math.max(1, Math.ceil(characters.length / COLUMNS));
  return Array.from({ length: count }, (_, index) => ({
    at,
    text: characters.slice(index * COLUMNS, (index + 1) * COLUMNS).join(""),
  }));
}

/** The same lines, at a pace at which people follow. */
function pace(lines: readonly TimedLine[]): readonly TimedLine[] {
  let now = 0;
  return lines.map(({ at, text }, index) => {
    const pause = at - (lines[index - 1]?.at ?? at);
    if (index > 0) now += Math.min(PAUSE.longest, Math.max(PAUSE.shortest, pause));
    return { at: now, text };
  });
}

function kindOf(text: string): string {
  if (text.startsWith("$ ")) return "prompt";
  if (text.startsWith("> ")) return "step";
  return text.startsWith("== ") ? "title" : "out";
}

function entitiesOf(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
