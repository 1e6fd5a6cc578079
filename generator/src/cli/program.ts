import { readFileSync } from "node:fs";
import path from "node:path";
import { Argument, Command as CommanderCommand, Option } from "commander";
import { TOOL } from "../project/tool-version.ts";
import { type Command, type Explained, flag, type OptionSpec, type OptionSpecs, text } from "./command.ts";
import { EXIT, EXIT_MEANINGS } from "./exit-codes.ts";

/** The options that every command has. */
export const COMMON_OPTIONS = {
  project: text("--project <folder>", "the folder with entities.json and dataform.json (default: here)"),
  quiet: flag("--quiet", "print the result and what is wrong, and no word more"),
  verbose: flag("--verbose", "print a stack trace with an error"),
} satisfies OptionSpecs;

/** Called with what a command line says. */
export type Dispatch = (
  command: Command,
  options: Readonly<Record<string, unknown>>,
  args: readonly string[],
) => Promise<void>;

/** The command line as commander parses it; it neither prints an error nor ends the process, but throws. */
export function buildProgram(
  commands: readonly Command[],
  write: (text: string) => void,
  dispatch: Dispatch,
): CommanderCommand {
  const program = new CommanderCommand(TOOL.name)
    .description("Keeps one up-to-date row per user on BigQuery, by a Dataform project.")
    .usage("<command> [options]")
    .version(TOOL.version, "--version", "the tool's version")
    .addHelpText("after", `\nEach command explains itself: npm run <command> -- --help`)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => undefined });
  for (const command of commands) addCommand(program, command, dispatch);
  return program;
}

function addCommand(program: CommanderCommand, command: Command, dispatch: Dispatch): void {
  const sub = program
    .command(command.name)
    .summary(command.summary)
    .description(command.description ?? command.summary)
    .copyInheritedSettings(program)
    .configureHelp({
      commandUsage: () => usageOf(command, isCalledByNpx(command.name, process.env, process.cwd())),
      showGlobalOptions: false,
    })
    .helpOption("-h, --help", "this text");
  for (const { term, meaning } of command.args ?? []) sub.addArgument(new Argument(term, meaning));
  for (const option of Object.values({ ...command.options, ...COMMON_OPTIONS }))
    sub.addOption(asOption(option));
  if (command.passesThrough !== undefined) sub.allowUnknownOption().allowExcessArguments();
  sub.addHelpText("after", extraHelp(command));
  sub.action(async () => dispatch(command, sub.opts(), sub.args));
}

/** How a command is written, `npm run load -- <entity> <file...>`; outside a project `npx user-info-updater new <folder>`. */
export function usageOf(command: Command, isByNpx = false): string {
  const args = (command.args ?? []).map(({ term }) => term).join(" ");
  const flags = command.passesThrough === undefined ? "options" : `flags of ${command.passesThrough}`;
  if (isByNpx) return [`npx ${TOOL.name} ${command.name}`, args, `[${flags}]`].filter(Boolean).join(" ");
  return args === ""
    ? `npm run ${command.name} [-- ${flags}]`
    : `npm run ${command.name} -- ${args} [${flags}]`;
}

/** Whether npx has called the command in a folder whose package.json has no script of its name. */
export function isCalledByNpx(name: string, environment: NodeJS.ProcessEnv, folder: string): boolean {
  if (environment.npm_lifecycle_event !== "npx") return false;
  try {
    const { scripts } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
      scripts?: Record<string, unknown>;
    };
    return scripts?.[name] === undefined;
  } catch {
    return true;
  }
}

function asOption({ kind, flags, description, choices }: OptionSpec): Option {
  const option = new Option(flags, description);
  if (choices !== undefined) option.choices(choices);
  if (kind === "list")
    option.argParser((value: string, previous: readonly string[] | undefined) => [
      ...(previous ?? []),
      value,
    ]);
  return option;
}

function extraHelp(command: Command): string {
  const codes = command.exitCodes.map((code) => {
    if (typeof code === "number") return { term: String(code), meaning: EXIT_MEANINGS[code] };
    return { term: String(code.code), meaning: code.meaning };
  });
  const wrong = { term: String(EXIT.wrongUsage), meaning: EXIT_MEANINGS[EXIT.wrongUsage] };
  const parts = [
    section("Variables, as --vars=<name>=<value>,…:", command.variables ?? []),
    section("Tags, as --tags <tag>:", command.tags ?? []),
    section("Examples:", command.examples),
    section(
      "Exit codes:",
      [...codes, wrong].sort((left, right) => Number(left.term) - Number(right.term)),
    ),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function section(title: string, rows: readonly Explained[]): string {
  if (rows.length === 0) return "";
  const width = Math.max(...rows.map(({ term }) => term.length));
  return `\n${title}\n${rows.map(({ term, meaning }) => `  ${term.padEnd(width)}  ${meaning}`).join("\n")}`;
}
