/** A flag of a command line. */
export interface Flag {
  readonly name: string;
  readonly values: readonly string[];
  /** The flag as it was written. */
  readonly written: readonly string[];
}

/** Flags that take no value, so that what follows them is not theirs. */
const SWITCHES =
  /^(dry-run|run-tests|emit-lineage|full-refresh|include-deps|include-dependents|json|disable-assertions|no-.*)$/;

/** Reads flags as the Dataform CLI does: `--name value`, `--name=value`, and lists that go on up to the next flag. */
export function parseFlags(args: readonly string[]): {
  flags: readonly Flag[];
  positional: readonly string[];
} {
  const flags: { name: string; values: string[]; written: string[] }[] = [];
  const positional: string[] = [];
  let open: { name: string; values: string[]; written: string[] } | undefined;
  for (const arg of args) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(arg);
    if (match !== null) {
      const [, name = "", value] = match;
      const flag = { name, values: value === undefined ? [] : value.split(","), written: [arg] };
      flags.push(flag);
      const isList = name === "actions" || name === "tags";
      open = SWITCHES.test(name) || (value !== undefined && !isList) ? undefined : flag;
    } else if (open === undefined) {
      positional.push(arg);
    } else {
      open.values.push(...arg.split(","));
      open.written.push(arg);
      if (open.name !== "actions" && open.name !== "tags") open = undefined;
    }
  }
  return { flags, positional };
}

/** The values of a flag, wherever it stands; undefined where it does not. */
export function valuesOf(flags: readonly Flag[], name: string): readonly string[] | undefined {
  const found = flags.filter((flag) => flag.name === name);
  return found.length === 0
    ? undefined
    : found.flatMap((flag) => flag.values).filter((value) => value !== "");
}

/** True when the flag is given. */
export function hasFlag(flags: readonly string[], name: string): boolean {
  return parseFlags(flags).flags.some((flag) => flag.name === name);
}

/** The audit is compiled only on demand, so that no plain run pays for it: to ask for its tag is to demand it. */
export function withAudit(flags: readonly string[]): readonly string[] {
  const parsed = parseFlags(flags).flags;
  if (!(valuesOf(parsed, "tags") ?? []).includes("audit")) return flags;
  const vars = parsed.filter(({ name }) => name === "vars");
  const settings = vars.flatMap(({ values }) => values);
  if (settings.some((setting) => /^audit(Share)?=/.test(setting))) return flags;
  const others = parsed.filter(({ name }) => name !== "vars").flatMap(({ written }) => written);
  return [...others, `--vars=${[...settings, "audit=true"].join(",")}`];
}

/** True when a run was told to run the actions of this tag. */
export function asksForTag(flags: readonly string[], tag: string): boolean {
  return (valuesOf(parseFlags(flags).flags, "tags") ?? []).includes(tag);
}
