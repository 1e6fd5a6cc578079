import { KNOWN_FLAGS } from "../dataform/flags.ts";
import { wrongUsage } from "../project/errors.ts";
import type { Command } from "./command.ts";
import { COMMON_OPTIONS } from "./program.ts";

/**
 * Refuses a call in which npm took an option for its own: `npm run init --plan`, without the `--`, runs `init` and leaves
 * `npm_config_plan` in the environment. --verbose and --quiet are npm's too, and change nothing of what is done.
 */
export function refuseSwallowed(
  command: Command,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): void {
  if (environment.npm_lifecycle_event !== command.name) return;
  const ours = Object.values({ ...command.options, ...COMMON_OPTIONS }).map(({ flags }) => longName(flags));
  const others = command.passesThrough === "dataform run" ? KNOWN_FLAGS : [];
  const swallowed = [...ours, ...others]
    .filter((name) => name !== "verbose" && name !== "quiet")
    .find((name) => !["", "false", undefined].includes(environment[configOf(name)]));
  if (swallowed === undefined) return;
  const value = environment[configOf(swallowed)];
  const written = value === "true" ? `--${swallowed}` : `--${swallowed}=${value}`;
  throw wrongUsage(
    `${command.name}: npm took --${swallowed} for its own; write npm run ${command.name} -- ${[...argv.slice(1), written].join(" ")}`,
  );
}

function longName(flags: string): string {
  return /--([\w-]+)/.exec(flags)?.[1] ?? "";
}

function configOf(name: string): string {
  return `npm_config_${name.replaceAll("-", "_")}`;
}
