import type { ChildProcess } from "node:child_process";

/** Lets a child process end with this one, however this one ends but by SIGKILL: alone it would print that nobody listens. */
export function killOnExit(child: ChildProcess): void {
  const kill = (): void => void child.kill();
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
}
