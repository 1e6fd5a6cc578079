import path from "node:path";
import { CommanderError } from "commander";
import { CommandError, explainServiceError, messageOf, wrongUsage } from "../project/errors.ts";
import { suggest } from "../project/near.ts";
import { InputError } from "../project/problems.ts";
import { refuseOtherVersion, TOOL } from "../project/tool-version.ts";
import { emulatorAddress } from "../warehouse/endpoint.ts";
import type { Command, Context } from "./command.ts";
import { COMMANDS, isCommandName } from "./commands.ts";
import { environmentOf, speakIn } from "./environment-words.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { refuseSwallowed } from "./npm-options.ts";
import { type Output, processOutput } from "./output.ts";
import { buildProgram, COMMON_OPTIONS, isCalledByNpx, usageOf } from "./program.ts";

/** Runs what a command line says; whatever goes wrong becomes one line on stderr and an exit code. */
export async function runCommandLine(argv: readonly string[], output: Output): Promise<ExitCode> {
  try {
    const [name = ""] = argv;
    if (isCommandName(name)) return await runCommand(await COMMANDS[name](), argv, output);
    if (name === "" || !name.startsWith("-")) throw unknownCommand(name);
    const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
    await buildProgram(commands, output.write, async () => undefined).parseAsync([...argv], { from: "user" });
    return EXIT.done;
  } catch (error) {
    return report(error, argv.includes("--verbose"), speakIn(output, environmentOf(argv)));
  }
}

async function runCommand(command: Command, argv: readonly string[], output: Output): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  refuseSwallowed(command, argv, process.env);
  const program = buildProgram([command], output.write, async (_, options, args) => {
    const manner = { isQuiet: options.quiet === true, isForPrograms: options.json === true };
    const { signal, stands, onlyReads } = interruption;
    if (options.plan === true) onlyReads();
    const context = { ...contextOf(options, processOutput(manner)), signal, stands };
    refuseEmpty(command, options);
    const values = Object.entries(command.options).map(([name, { kind }]) => {
      const value = options[name];
      return [name, kind === "flag" ? value === true : kind === "list" ? (value ?? []) : value];
    });
    if (command.isForAnyVersion !== true) await refuseOtherVersion(context.root);
    exitCode = await command.run(context, { options: Object.fromEntries(values), args });
  });
  const interruption = watchSignals(command, output);
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode !== 0) throw asWrongUsage(error, command);
    if (!interruption.signal.aborted) throw error;
    output.note((interruption.signal.reason as Error).message);
    // What was under way, such as an upload, would hold the process.
    process.exit(EXIT.failed);
  } finally {
    interruption.stop();
  }
  return exitCode;
}

/** An option with an empty value, as a variable of a shell leaves it that is not set. */
function refuseEmpty(command: Command, options: Readonly<Record<string, unknown>>): void {
  const empty = Object.entries({ ...command.options, ...COMMON_OPTIONS }).find(
    ([name]) => options[name] === "",
  );
  if (empty === undefined) return;
  const [, { flags }] = empty;
  throw wrongUsage(`${command.name}: ${flags.split(" ")[0]} needs a value; write ${flags}`);
}

const NOTHING_CHANGED = "nothing was changed";

/** How a command stands to signals. */
interface Interruption extends Pick<Context, "signal" | "stands"> {
  /** Ends it at once from now on, since it changes nothing. */
  onlyReads(): void;
  stop(): void;
}

/** SIGINT and SIGTERM: a command that changes things is told, and ends what it is at; a second signal, or any other command, ends at once. */
function watchSignals(command: Command, output: Output): Interruption {
  const controller = new AbortController();
  let isAtOnce = command.interrupted === undefined;
  let standing = command.interrupted ?? NOTHING_CHANGED;
  const interrupt = (): void => {
    const error = new CommandError(`${command.name}: interrupted; ${standing}`);
    if (isAtOnce || controller.signal.aborted) {
      output.note(error.message);
      process.exit(EXIT.failed);
    }
    controller.abort(error);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  return {
    signal: controller.signal,
    stands: (text) => {
      standing = text;
    },
    onlyReads: () => {
      isAtOnce = true;
      standing = NOTHING_CHANGED;
    },
    stop: () => {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}

/** Paths that people write are relative to where they call, so the process goes there. */
function contextOf(
  options: Readonly<Record<string, unknown>>,
  output: Output,
): Omit<Context, "signal" | "stands"> {
  const callerFolder = findCallerFolder(process.env);
  const { project, env } = options;
  const environment = typeof env === "string" ? env : undefined;
  const root = typeof project === "string" ? path.resolve(callerFolder, project) : process.cwd();
  process.chdir(callerFolder);
  return {
    root,
    output: speakIn(output, environment),
    ...(environment === undefined ? {} : { environment }),
  };
}

/** npm moves a script to the package's folder and leaves the caller's in INIT_CWD, which children of the script inherit. */
function findCallerFolder({ INIT_CWD, npm_package_json }: NodeJS.ProcessEnv): string {
  const here = process.cwd();
  const isMoved = npm_package_json !== undefined && path.dirname(npm_package_json) === here;
  return isMoved && INIT_CWD !== undefined ? INIT_CWD : here;
}

function unknownCommand(name: string): CommandError {
  const names = Object.keys(COMMANDS);
  return wrongUsage(`${name === "" ? "no command" : `${name}: no such command`}; ${suggest(name, names)}`);
}

/** What commander refuses as our one line: what is wrong, then what would be right. */
function asWrongUsage(error: CommanderError, command: Command): CommandError {
  const [first = "", second = ""] = [...error.message.matchAll(/'([^']*)'/g)].map(([, quoted]) => quoted);
  const option = /^(?:-\w, )?(--[\w-]+)/.exec(first)?.[1] ?? first;
  const isByNpx = isCalledByNpx(command.name, process.env, process.cwd());
  const call = `write ${usageOf(command, isByNpx)}`;
  const help = isByNpx ? `npx ${TOOL.name} ${command.name} --help` : `npm run ${command.name} -- --help`;
  const say = (text: string): CommandError => wrongUsage(`${command.name}: ${text}`);
  switch (error.code) {
    case "commander.unknownOption": {
      const near = /Did you mean (.*)\?\)/s.exec(error.message)?.[1];
      return say(
        `${first}: no such option; ${near === undefined ? `${help} lists them` : `did you mean ${near}?`}`,
      );
    }
    case "commander.optionMissingArgument":
      return say(`${option} needs a value; write ${first}`);
    case "commander.invalidArgument": {
      const choices = /Allowed choices are (.*)\.$/.exec(error.message)?.[1]?.split(", ") ?? [];
      return say(`${option} ${second}: no such value; ${suggest(second, choices)}`);
    }
    case "commander.missingArgument":
      return say(`<${first}> is missing; ${call}`);
    case "commander.excessArguments": {
      const [, expected = "", got = ""] = /Expected (\d+) .* but got (\d+)/.exec(error.message) ?? [];
      return say(
        `${got} argument${got === "1" ? "" : "s"} where it takes ${expected === "0" ? "none" : expected}; ${call}`,
      );
    }
    default:
      return say(error.message.replace(/^error: /, ""));
  }
}

/** The one place that turns what was thrown into a line and an exit code. */
function report(thrown: unknown, isVerbose: boolean, output: Output): ExitCode {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.done;
  const error = explainServiceError(thrown, emulatorAddress());
  if (isVerbose) {
    output.note((error instanceof Error ? error.stack : undefined) ?? String(error));
    if (error !== thrown) output.note((thrown instanceof Error ? thrown.stack : undefined) ?? String(thrown));
  } else if (error instanceof CommandError || error instanceof InputError) output.note(error.message);
  else output.note(`${messageOf(error)} (--verbose shows where)`);
  return error instanceof CommandError && error.kind === "wrong usage" ? EXIT.wrongUsage : EXIT.failed;
}
