import parse from "yargs-parser";

/** A flag of a command line of `dataform run`. */
export interface Flag {
  readonly name: string;
  /** What it is given, lists by element; `true` or `false` where it is a switch. */
  readonly values: readonly string[];
  /** The flag as one would write it. */
  readonly written: readonly string[];
}

/** The options of `dataform run` by their type, as its CLI declares them to yargs (cli/index.ts of @dataform/cli). */
const OPTIONS = {
  array: ["actions", "tags"],
  boolean: [
    "disable-assertions",
    "dry-run",
    "emit-lineage",
    "full-refresh",
    "include-dependents",
    "include-deps",
    "json",
    "run-tests",
  ],
  string: [
    "action-retry-limit",
    "assertion-schema",
    "credentials",
    "database-suffix",
    "default-database",
    "default-location",
    "default-reservation",
    "default-schema",
    "execution-timeout",
    "jit-timeout",
    "job-labels",
    "schema-suffix",
    "table-prefix",
    "timeout",
    "vars",
  ],
};

/** Every flag that `dataform run` has. */
export const KNOWN_FLAGS: readonly string[] = Object.values(OPTIONS).flat();

/** Those without a value. */
export const SWITCHES: readonly string[] = OPTIONS.boolean;

/** Lists within one value, which Dataform parts at commas. */
const COMMA_LISTS = new Set(["actions", "tags", "vars"]);

/** Reads flags by the parser of the Dataform CLI, so that each is understood here as it is there. */
export function parseFlags(args: readonly string[]): {
  flags: readonly Flag[];
  positional: readonly string[];
} {
  const { _: positional, ...options } = parse([...args], {
    ...OPTIONS,
    configuration: { "camel-case-expansion": false, "dot-notation": false, "parse-numbers": false },
  });
  const flags = Object.entries(options).flatMap(([name, given]) => {
    // A flag that is given twice has an array of values: for a list that is one list, for the others two flags.
    const isList = OPTIONS.array.includes(name);
    const all: readonly unknown[] = Array.isArray(given) ? given : [given];
    return isList ? [flagOf(name, all)] : all.map((value) => flagOf(name, [value]));
  });
  return { flags, positional: positional.map(String) };
}

function flagOf(name: string, given: readonly unknown[]): Flag {
  const texts = given.map(String);
  const written =
    typeof given[0] === "boolean" ? [switchOf(name, given[0])] : [`--${name}=${texts.join(",")}`];
  const values = COMMA_LISTS.has(name) ? texts.flatMap((text) => text.split(",")) : texts;
  return { name, values: values.filter((value) => value !== ""), written };
}

function switchOf(name: string, isOn: boolean): string {
  return isOn ? `--${name}` : `--no-${name}`;
}

/** The values of a flag, wherever it stands; undefined where it does not. */
export function valuesOf(flags: readonly Flag[], name: string): readonly string[] | undefined {
  const found = flags.filter((flag) => flag.name === name);
  return found.length === 0 ? undefined : found.flatMap((flag) => flag.values);
}

/** True when the flag is given, and is no switch that is given as off. */
export function hasFlag(args: readonly string[], name: string): boolean {
  const values = valuesOf(parseFlags(args).flags, name);
  return values !== undefined && values[0] !== "false";
}

/** The audit is compiled only on demand, so that no plain run pays for it: to ask for its tag is to demand it. */
export function withAudit(args: readonly string[]): readonly string[] {
  const { flags, positional } = parseFlags(args);
  if (!(valuesOf(flags, "tags") ?? []).includes("audit")) return args;
  const settings = valuesOf(flags, "vars") ?? [];
  if (settings.some((setting) => /^audit(Share)?=/.test(setting))) return args;
  const others = flags.filter(({ name }) => name !== "vars").flatMap(({ written }) => written);
  return [...positional, ...others, `--vars=${[...settings, "audit=true"].join(",")}`];
}

/** True when a run was told to run the actions of this tag. */
export function asksForTag(args: readonly string[], tag: string): boolean {
  return (valuesOf(parseFlags(args).flags, "tags") ?? []).includes(tag);
}
