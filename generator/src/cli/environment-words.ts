import type { Output } from "./output.ts";

/** Commands of ours that take `--env`, as text names them; those that name it already, or that must do without, are left alone. */
const CALL =
  /\bnpm run (init|update|status|load|bad-rows|erasure|adopt|uninstall|cost|schedule)\b(?!-)(?! -- --env\b|`? without --env\b)( --(?= ))?/g;

/** The same output in an environment: a command that its words tell people to run is one of that environment, never of production. */
export function speakIn(output: Output, environment: string | undefined): Output {
  if (environment === undefined) return output;
  const told = (text: string) => text.replace(CALL, `npm run $1 -- --env ${environment}`);
  return {
    ...output,
    line: (text) => output.line(told(text)),
    say: (text) => output.say(told(text)),
    note: (text) => output.note(told(text)),
  };
}

/** The environment that a command line names, for what is said of it where it failed. */
export function environmentOf(argv: readonly string[]): string | undefined {
  const own = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : argv.length);
  const at = own.findIndex((word) => word === "--env" || word.startsWith("--env="));
  return own[at]?.startsWith("--env=") ? own[at].slice("--env=".length) : at < 0 ? undefined : own[at + 1];
}
