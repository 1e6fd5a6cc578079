import type { ExitCode } from "./exit-codes.ts";
import type { Output } from "./output.ts";

/** An option of a command: how it is written, what it does, and what its value becomes. */
export interface OptionSpec<Kind extends "flag" | "text" | "list" = "flag" | "text" | "list"> {
  readonly kind: Kind;
  /** As commander and `--help` write it: `--plan`, `--base <ref>`. */
  readonly flags: string;
  readonly description: string;
  /** The values it takes, where these are few. */
  readonly choices?: readonly string[];
}

/** An option without a value. */
export function flag(flags: string, description: string): OptionSpec<"flag"> {
  return { kind: "flag", flags, description };
}

/** An option with one value; `choices` are the only ones it takes. */
export function text(flags: string, description: string, choices?: readonly string[]): OptionSpec<"text"> {
  return { kind: "text", flags, description, choices };
}

/** The option of every command that asks BigQuery. */
export const ENVIRONMENT_OPTION = {
  env: text("--env <name>", "an environment of entities.json (default: where dataform.json says)"),
};

/** Options by the name under which a command reads them: the camel case of the long flag, as commander makes it. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The values of options as they were given. */
type OptionValues<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends OptionSpec<"flag">
    ? boolean
    : Specs[Name] extends OptionSpec<"list">
      ? readonly string[]
      : string | undefined;
};

/** What a command was called with. */
export interface Given<Specs extends OptionSpecs> {
  readonly options: OptionValues<Specs>;
  /** Arguments in their order; with `passesThrough`, the flags of the other program too. */
  readonly args: readonly string[];
}

/** What every command works in. */
export interface Context {
  /** The project's folder. */
  readonly root: string;
  readonly output: Output;
  /** The environment that was asked for, by its name in entities.json. */
  readonly environment?: string;
  /** Aborted when the command is interrupted. */
  readonly signal: AbortSignal;
  /** Says how things stand where the command is interrupted from now on. */
  readonly stands: (standing: string) => void;
}

/** A word that a command takes, with what it means. */
export interface Explained {
  readonly term: string;
  readonly meaning: string;
}

/** A command: everything that `--help` shows and everything that its line may hold, in one object. */
export interface Command<Specs extends OptionSpecs = OptionSpecs> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What it does, below its usage; the summary where there is none. */
  readonly description?: string;
  /** Its arguments as commander writes them (`<entity>`, `<file...>`), each with what it means. */
  readonly args?: readonly Explained[];
  readonly options: Specs;
  /** The program whose own flags it takes and passes on, such as `dataform run`. */
  readonly passesThrough?: string;
  /** True where it does not mind which version of the tool wrote the project's files, or needs no project. */
  readonly isForAnyVersion?: boolean;
  /** Run variables, `--vars=<term>`. */
  readonly variables?: readonly Explained[];
  readonly tags?: readonly Explained[];
  readonly examples: readonly Explained[];
  /** The codes it ends with; a text of its own where the table's says too little. */
  readonly exitCodes: readonly (ExitCode | { readonly code: ExitCode; readonly meaning: string })[];
  /** How things stand where it was interrupted; it then ends by itself, soon. Without it, and with --plan, nothing is lost by ending it at once. */
  readonly interrupted?: string;
  run(context: Context, given: Given<Specs>): Promise<ExitCode>;
}

/** Declares a command, so that its `run` sees the types of its own options. */
export function defineCommand<const Specs extends OptionSpecs>(command: Command<Specs>): Command<Specs> {
  return command;
}
