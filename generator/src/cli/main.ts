import { processOutput } from "./output.ts";
import { runCommandLine } from "./run.ts";

// A reader that has seen enough, such as `head`, must not end a run halfway.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

// Node's warnings are for who writes the libraries that raise them: where there is no metadata server, one of them warns of that.
if (!process.argv.includes("--verbose")) process.removeAllListeners("warning");

process.exitCode = await runCommandLine(process.argv.slice(2), processOutput());
