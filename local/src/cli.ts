import { parseArgs } from "node:util";
import { startServer } from "./server.ts";
import { DataFileError } from "./storage/database.ts";

const USAGE = `Usage: npm run local -- [options]

A BigQuery endpoint on this machine. Clients find it by BIGQUERY_EMULATOR_HOST=http://127.0.0.1:9050.

  --port N          the port (9050; 0 takes any free one)
  --host H          the address to bind (127.0.0.1: this machine only)
  --data FILE       keep tables and the history of jobs in this file; without it they are gone with the server
  --location L      where new datasets live (US)
  --allow-host N    also answer requests whose Host header names N; may be repeated
  --streamed N      for how many minutes UPDATE, DELETE, MERGE and TRUNCATE refuse rows of insertAll (30, as BigQuery)
  --faults          take planned failures at POST /-/faults
  --help            this text
`;

const DEFAULT_PORT = 9050;

interface Arguments {
  readonly port: number;
  readonly host: string | undefined;
  readonly data: string | undefined;
  readonly location: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly streamed: string | undefined;
  readonly faults: boolean;
  readonly help: boolean;
}

/** What is wrong with the command line. */
class UsageError extends Error {}

function readArguments(argv: readonly string[]): Arguments {
  const { values } = parse(argv);
  const port = values.port ?? String(DEFAULT_PORT);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`--port ${port}: a number from 0 to 65535 is wanted`);
  }
  for (const name of ["host", "data", "location"] as const) {
    if (values[name] === "") throw new UsageError(`--${name} needs a value`);
  }
  if (values.streamed !== undefined && !/^\d{1,4}$/.test(values.streamed)) {
    throw new UsageError(`--streamed ${values.streamed}: a number of minutes is wanted`);
  }
  return {
    port: Number(port),
    host: values.host,
    data: values.data,
    location: values.location,
    allowedHosts: values["allow-host"] ?? [],
    streamed: values.streamed,
    faults: values.faults ?? false,
    help: values.help ?? false,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: { type: "string" },
        host: { type: "string" },
        data: { type: "string" },
        location: { type: "string" },
        "allow-host": { type: "string", multiple: true },
        streamed: { type: "string" },
        faults: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
}

async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  // A signal that comes while the server starts ends it as soon as it has.
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  const server = await startServer({
    port: options.port,
    host: options.host,
    dataFile: options.data,
    location: options.location,
    allowedHosts: options.allowedHosts,
    ...(options.streamed === undefined ? {} : { streamedMinutes: () => Number(options.streamed) }),
    ...(options.faults ? { faults: [] } : {}),
  });
  process.stdout.write(`BigQuery endpoint ready on ${server.url}\n`);
  await stopped;
  await server.close();
  return 0;
}

function explain(error: unknown): { text: string; code: number } {
  if (error instanceof UsageError) return { text: `${error.message}\n\n${USAGE}`, code: 2 };
  if (error instanceof DataFileError) return { text: `${error.message}\n`, code: 1 };
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE")
    return { text: "The port is in use: choose another with --port, or 0.\n", code: 1 };
  if (code === "EACCES") return { text: "This port needs more rights: choose one above 1023.\n", code: 1 };
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return { text: "--host names no address of this machine.\n", code: 1 };
  }
  return {
    text: `The endpoint could not start: ${error instanceof Error ? error.message : error}\n`,
    code: 1,
  };
}

try {
  process.exitCode = await main();
} catch (error) {
  const { text, code } = explain(error);
  process.stderr.write(text);
  process.exitCode = code;
}
