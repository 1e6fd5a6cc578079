// Compiles a Dataform project in this process as a script does that waits for a request as a message, such as the Dataform CLI's worker:
//   node compile-measured.cjs <script> <project folder> [<request, base64>]
// The request is core's own message CoreExecutionRequest, which the CLI's worker makes by itself. Prints one line of JSON: the
// answer, base64 too, CPU seconds and the most memory that the process took, in MB. The sandbox of the CLI's worker takes most of its
// time and memory, so managed Dataform may take less.
const [, , script, root, request] = process.argv;
process.send = (message) => {
  if (message?.type === "worker_booted") return;
  if (typeof message !== "string") throw new Error(message.message);
  const { user, system } = process.cpuUsage();
  const figures = { cpuSeconds: (user + system) / 1e6, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
  console.log(JSON.stringify({ answer: message, ...figures }));
};
// Loaded rather than started, it waits for one request and answers it.
require(script);
process.emit("message", { projectDir: root, root, request });
