import { styleText } from "node:util";
import { weightOf, withoutBackticks } from "../review/changes.ts";
import { costCells, costReasons } from "../review/cost.ts";
import type { Review } from "../review/review.ts";
import type { SqlDiff } from "../review/sql-diffs.ts";
import { compared, notKnown, planTitle, summary } from "../review/words.ts";
import { formatTable } from "./table.ts";

/** The review for a terminal, in colour where that is asked for. */
export function formatTerminal(review: Review, isColoured = false): string {
  const paint = (style: "bold" | "red" | "green" | "cyan", text: string) =>
    isColoured ? styleText(style, text, { validateStream: false }) : text;
  const { todos, entities, schedule, graph, costs, plan, diffs, notes } = review;
  const sections = [`${paint("bold", summary(review))}\n${withoutBackticks(compared(review))}`];
  const add = (title: string, lines: readonly string[]) => {
    if (lines.length > 0) sections.push([paint("bold", title), ...lines].join("\n"));
  };
  add(
    "To do",
    todos.flatMap(({ step, text, commands }) => [
      `  - ${step === "fix" ? "before merging: " : ""}${withoutBackticks(text)}`,
      ...commands.map((command) => `      ${command}`),
    ]),
  );
  for (const { entity, changes } of [...entities, { entity: "schedule.json", changes: schedule }]) {
    add(
      entity,
      changes.flatMap((change) => {
        const what = change.kind === "changed" ? change.what : `${change.kind} ${change.what}`;
        const refused = weightOf(change) === "refused" ? paint("red", "refused: ") : "";
        return [
          `  ${change.path}: ${refused}${withoutBackticks(what)}`,
          `      ${withoutBackticks(change.means)}`,
        ];
      }),
    );
  }
  if (plan !== undefined)
    add(
      withoutBackticks(planTitle(plan)),
      plan.lines.map((line) => `  ${withoutBackticks(line)}`),
    );
  if (graph.actions.length > 0) {
    const rows = graph.actions.map(({ id, type, kind, aspects, newEdges, lostEdges }) => [
      id,
      type,
      kind === "changed" ? withoutBackticks(aspects.join(", ")) : kind,
      kind === "changed"
        ? [...newEdges.map((edge) => `+ ${edge}`), ...lostEdges.map((edge) => `- ${edge}`)].join("\n")
        : "",
    ]);
    add(`Graph: ${graph.actions.length} of ${graph.total} actions`, [
      formatTable(["action", "type", "change", "edges"], rows),
      ...graph.readers.map(({ reader, id }) => `  ${reader} stays as it is, downstream: it reads ${id}`),
    ]);
  }
  if (diffs.length > 0) {
    const reasons = ("rows" in costs ? costReasons(costs.rows) : []).map(
      ({ id, side, reason }) => `  ${id}, ${side}: ${reason}`,
    );
    add(
      "Cost: bytes that one run processes, by dry runs (≤ at most, ≥ at least, ~ not said how exactly)",
      "unknown" in costs
        ? [`  not estimated: ${costs.unknown}`]
        : costs.rows.length === 0
          ? ["  what changes reads no data"]
          : [
              formatTable(
                ["action", "type", "before", "after", "difference"],
                costs.rows.map((row) => [row.id, row.type, ...costCells(row)]),
              ),
              ...(reasons.length === 0 ? [] : [`  ${withoutBackticks(notKnown(todos))}:`, ...reasons]),
            ],
    );
  }
  add(
    "Notes",
    notes.map((note) => `  - ${withoutBackticks(note)}`),
  );
  for (const diff of diffs) add(`${diff.file} +${diff.added} -${diff.removed}`, diffLines(diff, paint));
  return `${sections.join("\n\n")}\n`;
}

function diffLines(
  { lines, cut }: SqlDiff,
  paint: (style: "red" | "green" | "cyan", text: string) => string,
): readonly string[] {
  const painted = lines.map((line) => {
    if (line.startsWith("@@")) return paint("cyan", line);
    if (line.startsWith("+")) return paint("green", line);
    return line.startsWith("-") ? paint("red", line) : line;
  });
  return cut === 0 ? painted : [...painted, `… ${cut} more lines`];
}
