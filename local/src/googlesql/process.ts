import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import path from "node:path";

/** Where the GoogleSQL package keeps its binaries and protos. */
export function googleSqlFolder(): string {
  const require = createRequire(import.meta.url);
  return path.join(path.dirname(require.resolve("@fivetrandevelopers/zetasql")), "zetasql");
}

/** The server binary for this machine. */
function serverBinary(platform = process.platform, arch = process.arch): string {
  const suffix = `${arch === "arm64" ? "_arm" : ""}${platform === "darwin" ? "" : ".so"}`;
  if (!["linux", "darwin"].includes(platform) || !["x64", "arm64"].includes(arch)) {
    throw new Error(
      `GoogleSQL's server has no binary for ${platform} on ${arch}; it runs on Linux and macOS, x64 and arm64.`,
    );
  }
  return path.join(googleSqlFolder(), `remote_server${suffix}`);
}

/**
 * The shell watches its standard input, which only this process holds: when this process dies, by whatever signal, the
 * server does not outlive it.
 */
const WATCHDOG = `
exec 3<&0
"$0" "$@" </dev/null 3<&- &
server=$!
( cat <&3 >/dev/null; kill -9 $server 2>/dev/null ) &
exec 3<&-
wait $server
`;

/** One run of the GoogleSQL server. */
export interface ServerProcess {
  readonly address: string;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts the GoogleSQL server on a free loopback port. It may need a moment until it answers. */
export async function startServerProcess(): Promise<ServerProcess> {
  const port = await freePort();
  const child = spawn("/bin/sh", ["-c", WATCHDOG, serverBinary(), "127.0.0.1", String(port)], {
    stdio: ["pipe", "ignore", "ignore"],
    // A terminal's Ctrl-C goes to the endpoint alone, which then shuts down in its own order.
    detached: true,
  });
  child.stdin.on("error", () => {});
  const ended = once(child, "exit").then(
    () => undefined,
    () => undefined,
  );
  child.unref();
  return { address: `127.0.0.1:${port}`, ended, stop: () => stopProcess(child, ended) };
}

async function stopProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  // Whoever waits for the end must be kept alive until it comes.
  child.ref();
  child.stdin?.end();
  await ended;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string")
    throw new Error("No free port on the loopback interface.");
  return address.port;
}
