import type { Probe } from "./probe.ts";

/** The support table as Markdown: one line a probe, one section a family. */
export function renderTable(probes: readonly Probe[]): string {
  const families = [...new Set(probes.map(({ family }) => family))];
  const refused = probes.filter((probe) => probe.refused !== undefined).length;
  const sections = families.map((family) => {
    const lines = probes.filter((probe) => probe.family === family).map(line);
    return `## ${family}\n\n| Construct | | |\n|---|---|---|\n${lines.join("\n")}\n`;
  });
  return `<!-- Made by \`npm run support:update\` from test/probes/cases. -->
# What the local BigQuery endpoint runs

Every line is a probe that the test suite runs: ${probes.length - refused} constructs give what BigQuery's documentation
says (the link is the page that decides), ${refused} are refused by name with the message shown, after
\`Not supported by the local BigQuery endpoint:\`. Nothing else may happen: a wrong answer or any other error fails the suite.

${sections.join("\n")}`;
}

function line(probe: Probe): string {
  const name = `[${escapeCell(probe.construct)}](${probe.docs})`;
  if (probe.refused !== undefined) return `| ${name} | refused | \`${escapeCell(probe.refused)}\` |`;
  const error = probe.error === undefined ? "" : `fails as on BigQuery: \`${escapeCell(probe.error)}\``;
  return `| ${name} | yes | ${[error, escapeCell(probe.note ?? "")].filter(Boolean).join("; ")} |`;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
}
