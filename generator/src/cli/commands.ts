import type { Command } from "./command.ts";

/** Every command by its name. A call loads its own alone: most of them bring a client library of half a second. */
export const COMMANDS = {
  generate: async () => (await import("./commands/generate.ts")).generate,
  compile: async () => (await import("./commands/compile.ts")).compile,
  init: async () => (await import("./commands/init.ts")).init,
  load: async () => (await import("./commands/load.ts")).load,
  update: async () => (await import("./commands/update.ts")).update,
  status: async () => (await import("./commands/status.ts")).status,
  "bad-rows": async () => (await import("./commands/bad-rows.ts")).badRows,
  erasure: async () => (await import("./commands/erasure.ts")).erasure,
  review: async () => (await import("./commands/review.ts")).review,
  schedule: async () => (await import("./commands/schedule.ts")).schedule,
  cost: async () => (await import("./commands/cost.ts")).cost,
  local: async () => (await import("./commands/local.ts")).local,
  demo: async () => (await import("./commands/demo.ts")).demo,
  new: async () => (await import("./commands/new.ts")).newCommand,
  adopt: async () => (await import("./commands/adopt.ts")).adopt,
  upgrade: async () => (await import("./commands/upgrade.ts")).upgrade,
  uninstall: async () => (await import("./commands/uninstall.ts")).uninstall,
  test: async () => (await import("./commands/test.ts")).test,
} satisfies Readonly<Record<string, () => Promise<Command>>>;

/** A command's name. */
export type CommandName = keyof typeof COMMANDS;

/** Whether there is a command of this name. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}
