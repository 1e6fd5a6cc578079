import { processOutput } from "./output.ts";
import { runCommandLine } from "./run.ts";

// A reader that has seen enough, such as `head`, must not end a run halfway.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

process.exitCode = await runCommandLine(process.argv.slice(2), processOutput());
