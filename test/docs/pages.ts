import type { Command, Explained, OptionSpec } from "../../generator/src/cli/command.ts";
import { EXIT, EXIT_MEANINGS } from "../../generator/src/cli/exit-codes.ts";
import { COMMON_OPTIONS, usageOf } from "../../generator/src/cli/program.ts";
import { COMMAND_ROLES } from "../../generator/src/project/permissions.ts";

/** The pieces of final, each from its first line on, with what is to be said of it. */
const PIECES: readonly (readonly [firstLine: string, title: string, text: string])[] = [
  [
    "DECLARE _batch_facts",
    "Variables",
    "BigQuery wants every DECLARE at the beginning of a script; what they hold is set inside the transaction.",
  ],
  [
    "BEGIN TRANSACTION;",
    "Where runs meet",
    "The UPDATE changes nothing, but writes the one row that every run writes: of two overlapping runs one aborts here ([R6](rules.md#r6-one-transaction)).",
  ],
  [
    "-- only now:",
    "The batch's facts",
    "All that the checks below need, read once, and only after that UPDATE: from the one row of the batch that is no user's, and alone has `_batch`.",
  ],
  [
    "-- R6: the temp table",
    "The fence",
    "Each check is a statement with its own message. SELECT, since a transaction takes no ASSERT. A rebuild or a replay has more of them, and a rebuild empties final behind them: readers see the old rows until the commit.",
  ],
  [
    "-- R7: what is not run",
    "Is there anything to do?",
    "BigQuery bills no statement that is not run: without news final is not read at all ([R7](rules.md#r7-no-needless-work)).",
  ],
  [
    "-- R3, R7: what the batch",
    "The MERGE",
    "Batch and final of one user stand beside each other, and each attribute is decided by itself: the greater version wins, at equal versions the greater value ([R3](rules.md#r3-order)). A version that equals the row's base is not stored, so it is put back before it is compared and taken out again after. Only rows in which something is news go on.",
  ],
  [
    "-- R12:",
    "Bad rows",
    "As the batch found them where it was read; they never reached it ([R12](rules.md#r12-bad-rows)).",
  ],
  [
    "-- R5, and the log",
    "Progress and the log",
    "The watermark goes to the newest ingest timestamp of the batch, never back ([R5](rules.md#r5-progress)); the run is put before the last fifty, and `user_info_runs` takes it from there.",
  ],
  ["COMMIT TRANSACTION;", "Commit", "All of it, or nothing."],
];

/** The compiled SQL of the worked example's final, piece by piece; throws where a piece has lost its first line. */
export function finalPage(sql: string): string {
  const lines = sql.trimEnd().split("\n");
  const starts = PIECES.map(([firstLine]) => lines.findIndex((line) => line.startsWith(firstLine)));
  for (const [index, start] of starts.entries())
    if (start < (starts[index - 1] ?? 0))
      throw new Error(`docs/final.md: no line begins with "${PIECES[index]?.[0]}" behind the piece before`);
  const pieces = PIECES.map(([, title, text], index) => {
    const block = lines
      .slice(starts[index], starts[index + 1])
      .join("\n")
      .trim();
    return `## ${index + 1}. ${title}\n\n${text}\n\n\`\`\`sql\n${block}\n\`\`\`\n`;
  });
  return `# Final of the worked example, annotated

\`compiled/user_info/user_info_final.sql\`: one operation, one script, one transaction. People change it as \`definitions/user_info/user_info_final.sqlx\`, where each attribute is one call.

${pieces.join("\n")}`;
}

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
}

/** Every command, and every option of entities.json, from where they are declared. */
export function referencePage(commands: readonly Command[], entities: JsonSchema): string {
  const list = commands
    .map(({ name, summary }) => `| [\`${name}\`](#${name}) | ${cell(summary)} |`)
    .join("\n");
  const item = entities.properties?.entities?.items ?? {};
  const options = Object.entries(item.properties ?? {}).map(
    ([name, { description = "", default: fallback }]) => {
      const isRequired = item.required?.includes(name) === true;
      const given = isRequired ? "required" : fallback === undefined ? "" : `\`${JSON.stringify(fallback)}\``;
      return `| \`${name}\` | ${cell(description)} | ${given} |`;
    },
  );
  return `# Reference

Written by \`npm run docs\` from the commands themselves: edit them, not this.

| command | does |
|---|---|
${list}

Options stand behind \`--\`, \`npm run init -- --plan\`: npm takes what stands before it for its own. Where it leaves an option of a command in the environment, the command is refused
in one line and does nothing. It does not tell \`--quiet\`, \`-q\` and \`--verbose\` from how much it is to say itself, and says nothing of \`--location\`, \`--key\` and \`--format\`: then the
command runs as it does without them. By \`npx user-info-updater <command>\` there is no \`--\`.

${commands.map(commandSection).join("\n\n")}

${permissionsSection(commands)}

## entities.json

An entity has

| option | says | default |
|---|---|---|
${options.join("\n")}
`;
}

function permissionsSection(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const none = names.filter((name) => !(name in COMMAND_ROLES)).map((name) => `\`${name}\``);
  const rows = names.flatMap((name) => {
    const roles = COMMAND_ROLES[name]?.map(({ role, on }) => `\`${role}\` on ${on}`);
    return roles === undefined ? [] : [`| \`${name}\` | ${roles.join(", ")} |`];
  });
  return `## Permissions

The least roles of each command that asks BigQuery or managed Dataform; ${none.join(", ")} need none. A refusal names the permission that is missing and the role that holds it.

| command | roles |
|---|---|
${rows.join("\n")}

\`roles/bigquery.user\` is for making datasets; where they are there already, \`init\` does without it. \`new\` needs its role for \`--from-table\` alone. For \`schedule --plan\`, \`roles/dataform.viewer\` is enough.`;
}

function commandSection(command: Command): string {
  const codes = command.exitCodes.map((code) =>
    typeof code === "number" ? { code, meaning: EXIT_MEANINGS[code] } : code,
  );
  const all = [...codes, { code: EXIT.wrongUsage, meaning: EXIT_MEANINGS[EXIT.wrongUsage] }].sort(
    (one, other) => one.code - other.code,
  );
  const options = Object.values({ ...command.options, ...COMMON_OPTIONS }).map((option: OptionSpec) => ({
    term: option.flags,
    meaning: option.description,
  }));
  return [
    `## ${command.name}`,
    `\`${usageOf(command)}\``,
    command.description ?? `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`,
    table("argument", command.args ?? []),
    table("option", options),
    table("variable", command.variables ?? []),
    table("tag", command.tags ?? []),
    `\`\`\`sh\n${command.examples.map(({ term, meaning }) => `${term}     # ${meaning}`).join("\n")}\n\`\`\``,
    `Exit codes: ${all.map(({ code, meaning }) => `${code} ${meaning}`).join("; ")}.`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function table(title: string, rows: readonly Explained[]): string {
  if (rows.length === 0) return "";
  return `| ${title} | |\n|---|---|\n${rows.map(({ term, meaning }) => `| \`${cell(term)}\` | ${cell(meaning)} |`).join("\n")}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
