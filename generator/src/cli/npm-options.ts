import { KNOWN_FLAGS, SWITCHES } from "../dataform/flags.ts";
import { wrongUsage } from "../project/errors.ts";
import type { Command } from "./command.ts";
import { COMMON_OPTIONS } from "./program.ts";

/** An option that npm may take for its own, by its name without dashes. */
interface Takeable {
  readonly name: string;
  readonly isFlag: boolean;
  /** As it is written, with a word for its value. */
  readonly written: string;
}

/** npm reads `--plan` as its own `-p -l -a -n`: parseable, long, all, no yes; and `--Plan` with its `-P`. */
const PLAN_IN_LETTERS = [
  ["parseable", "long", "all"],
  ["save-prod", "long", "all"],
];

/** Ours that are npm's own too: where one is off, its own settings may say so. */
const OF_NPM = ["dry-run", "json", "key", "location", "yes"];

/** The flags of the programs that commands pass theirs on to. */
const PASSED_ON: Readonly<Record<string, readonly Takeable[]>> = {
  "dataform run": KNOWN_FLAGS.map((name) => takeable(name, SWITCHES.includes(name))),
  "bigquery-local": [
    ...["port", "host", "data", "location", "allow-host"].map((name) => takeable(name, false)),
    takeable("faults", true),
  ],
};

/**
 * Refuses a call in which npm took an option for its own: `npm run init --plan`, without the `--`, runs `init` and leaves what npm
 * made of the option in the environment. --verbose and --quiet are npm's too, and change nothing of what is done.
 */
export function refuseSwallowed(
  command: Command,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): void {
  if (environment.npm_lifecycle_event !== command.name) return;
  const ours = Object.values({ ...command.options, ...COMMON_OPTIONS }).map(({ kind, flags }) => ({
    name: /--([\w-]+)/.exec(flags)?.[1] ?? "",
    isFlag: kind === "flag",
    written: flags,
  }));
  const swallowed = [...ours, ...(PASSED_ON[command.passesThrough ?? ""] ?? [])]
    .filter(({ name }) => name !== "verbose" && name !== "quiet")
    .flatMap((option) => {
      const value = takenAs(option.name, environment);
      return value === undefined ? [] : [{ ...option, value, isBare: value === "true" || value === "" }];
    });
  const [first] = swallowed;
  if (first === undefined) return;
  // Of `--env dev` npm leaves the value among the arguments, where it cannot be told from them.
  const isApart = swallowed.some(({ isBare, isFlag }) => isBare && !isFlag);
  const words = [
    ...(isApart ? [] : argv.slice(1)),
    ...swallowed.map(({ name, isBare, written, value }) => (isBare ? written : `--${name}=${value}`)),
  ];
  const isNo = first.value === "" && first.isFlag;
  const taken = isNo ? `--no-${first.name}, which is no option here,` : `--${first.name}`;
  const without = isNo ? ", or leave it out" : "";
  throw wrongUsage(
    `${command.name}: npm took ${taken} for its own; write npm run ${command.name} -- ${words.join(" ")}${without}`,
  );
}

/** What npm made of an option, empty for no; undefined where it was not given. */
function takenAs(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  const read = (config: string): string | undefined =>
    environment[`npm_config_${config.replaceAll("-", "_")}`];
  const isInLetters = PLAN_IN_LETTERS.some((letters) => letters.every((config) => read(config) === "true"));
  if (name === "plan" && isInLetters) return "true";
  const value = read(name);
  // Empty is what npm makes of `--no-plan`.
  return value === "false" || (value === "" && OF_NPM.includes(name)) ? undefined : value;
}

function takeable(name: string, isFlag: boolean): Takeable {
  return { name, isFlag, written: isFlag ? `--${name}` : `--${name}=<value>` };
}
