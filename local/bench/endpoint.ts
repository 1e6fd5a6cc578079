import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";

/** A local endpoint in a process of its own, as clients meet it. */
export async function startEndpoint(): Promise<{ url: string; stop(): Promise<void> }> {
  const cli = path.join(import.meta.dirname, "../src/cli.ts");
  const child = spawn(process.execPath, ["--import", "tsx", cli, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /ready on (http\S+)/.exec(line)?.[1];
    if (url !== undefined) {
      child.stdout.resume();
      return {
        url,
        stop: async () => {
          child.kill("SIGTERM");
          await ended;
        },
      };
    }
  }
  throw new Error("The endpoint ended before it was ready.");
}
