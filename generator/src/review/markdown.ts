import { type Change, code, weightOf } from "./changes.ts";
import { COST_NOTE, costCells, costReasons } from "./cost.ts";
import type { ActionChange } from "./graph-changes.ts";
import type { LivePlan } from "./live-plan.ts";
import type { Review } from "./review.ts";
import type { SqlDiff } from "./sql-diffs.ts";
import type { Todo } from "./todo.ts";
import { compared, notKnown, planTitle, summary } from "./words.ts";

/** What GitHub takes as one comment: 65,536 characters. */
const COMMENT_LIMIT = 65_000;
/** More rows than this are folded away. */
const OPEN_ROWS = 15;

/** The review as the Markdown of a pull request's comment. Its first line lets a bot find its own comment again. */
export function formatMarkdown(review: Review, limit = COMMENT_LIMIT): string {
  const sections = [
    "<!-- npm run review -->\n## What this pull request changes",
    `**${summary(review)}**\n${compared(review)}`,
    todoSection(review.todos),
    schemaSection(review),
    scheduleSection(review),
    planSection(review.plan),
    graphSection(review),
    costSection(review),
    noteSection(review.notes),
  ].filter((section) => section !== "");
  const text = cutAtLine(sections.join("\n\n"), limit);
  return `${text}${diffSection(review, limit - text.length)}\n`;
}

function todoSection(todos: readonly Todo[]): string {
  if (todos.length === 0) return "";
  const items = todos.map(({ step, text, commands }) => {
    const block =
      commands.length === 0
        ? ""
        : `\n${indent(fence(commands, commands.every((command) => command.startsWith("npm ")) ? "sh" : "sql"))}`;
    return `- [ ] ${step === "fix" ? "**Before merging:** " : ""}${text}${block}`;
  });
  return `### To do\n\n${items.join("\n")}`;
}

function schemaSection({ entities }: Review): string {
  if (entities.length === 0) return "";
  const tables = entities.map(
    ({ entity, changes }) =>
      `#### ${code(entity)}\n\n${changeTable(["field or option", "change", "what it means for the data"], changes)}`,
  );
  return `### Schema\n\n${tables.join("\n\n")}`;
}

function scheduleSection({ schedule }: Review): string {
  if (schedule.length === 0) return "";
  return `### Schedule\n\n${changeTable(["of schedule.json", "change", "what it means"], schedule)}`;
}

function changeTable(head: readonly string[], changes: readonly Change[]): string {
  return table(
    head,
    changes.map((change) => [code(change.path), whatChanges(change), change.means]),
  );
}

function whatChanges(change: Change): string {
  const what = change.kind === "changed" ? change.what : `**${change.kind}** ${change.what}`;
  return weightOf(change) === "refused" ? `**refused:** ${what}` : what;
}

function planSection(plan: LivePlan | undefined): string {
  if (plan === undefined || plan.lines.length === 0) return "";
  return `### Tables as they are\n\n${planTitle(plan)}:\n\n${plan.lines.map((line) => `- ${line}`).join("\n")}`;
}

function graphSection({ graph }: Review): string {
  if (graph.actions.length === 0) return "";
  const rows = graph.actions.map((action) => [
    code(action.id),
    action.type,
    aspectsOf(action),
    edgesOf(action),
  ]);
  const body = table(["action", "type", "change", "edges"], rows);
  const readers = graph.readers.map(({ reader, id }) => `- ${code(reader)} reads ${code(id)}`);
  return [
    `### Graph\n\n${graph.actions.length} of ${graph.total} actions change.`,
    rows.length > OPEN_ROWS ? `<details><summary>All of them</summary>\n\n${body}\n\n</details>` : body,
    ...(readers.length === 0
      ? []
      : [`These stay as they are, downstream of what changes:\n\n${readers.join("\n")}`]),
  ].join("\n\n");
}

function aspectsOf({ kind, aspects }: ActionChange): string {
  return kind === "changed" ? aspects.join(", ") : `**${kind}**`;
}

function edgesOf({ kind, newEdges, lostEdges }: ActionChange): string {
  if (kind !== "changed") return "";
  return [
    ...newEdges.map((id) => `now after ${code(id)}`),
    ...lostEdges.map((id) => `no longer after ${code(id)}`),
  ].join(", ");
}

function costSection({ costs, diffs, todos }: Review): string {
  if (diffs.length === 0) return "";
  if ("unknown" in costs) return `### Cost\n\nNot estimated: ${code(costs.unknown)}`;
  if (costs.rows.length === 0) return "### Cost\n\nWhat changes reads no data.";
  const rows = costs.rows.map((row) => [code(row.id), row.type, ...costCells(row)]);
  const reasons = costReasons(costs.rows).map(
    ({ id, side, reason }) => `- ${code(id)}, ${side}: ${code(reason)}`,
  );
  return [
    "### Cost",
    COST_NOTE,
    table(["action", "type", "before", "after", "difference"], rows),
    ...(reasons.length === 0 ? [] : [`${notKnown(todos)}:\n\n${reasons.join("\n")}`]),
  ].join("\n\n");
}

function noteSection(notes: readonly string[]): string {
  return notes.length === 0 ? "" : `### Notes\n\n${notes.map((note) => `- ${note}`).join("\n")}`;
}

function diffSection({ diffs, base }: Review, room: number): string {
  if (diffs.length === 0) return "";
  const rest = (count: number) =>
    `\n\n${count} more diffs do not fit here: \`git diff ${base.commit.slice(0, 12)} -- compiled\` shows them.`;
  let text = "\n\n### Compiled SQL";
  for (const [index, diff] of diffs.entries()) {
    const block = `\n\n${diffBlock(diff, base.commit)}`;
    if (text.length + block.length + rest(diffs.length).length > room) {
      const left = rest(diffs.length - index);
      return text.length + left.length > room ? "" : text + left;
    }
    text += block;
  }
  return text;
}

function diffBlock({ file, added, removed, lines, cut }: SqlDiff, commit: string): string {
  const more = cut === 0 ? "" : `\n\n${cut} more lines: \`git diff ${commit.slice(0, 12)} -- ${file}\``;
  const head = `<details><summary><code>${escapeHtml(file)}</code> +${added} -${removed}</summary>`;
  return `${head}\n\n${fence(lines, "diff")}${more}\n\n</details>`;
}

/** A fence that nothing in the block can end. */
function fence(lines: readonly string[], language: string): string {
  const longest = Math.max(
    2,
    ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)),
  );
  const ticks = "`".repeat(longest + 1);
  return `${ticks}${language}\n${lines.join("\n")}\n${ticks}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/\s+/g, " ");
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

function cutAtLine(text: string, limit: number): string {
  const end = "\n\nThe rest does not fit here: `npm run review -- --format terminal` shows all.";
  if (text.length <= limit) return text;
  return text.slice(0, text.lastIndexOf("\n", limit - end.length)) + end;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
