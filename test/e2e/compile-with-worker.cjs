// Compiles a Dataform project in one process as the Dataform CLI's worker does, within its sandbox:
//   node compile-with-worker.cjs <worker's script> <project folder>
// Prints what compile-with-core.cjs prints. The sandbox takes most of the time and of the memory, so managed Dataform may take less.
const [, , script, root] = process.argv;
process.send = (message) => {
  if (message?.type === "worker_booted") return;
  if (typeof message !== "string") throw new Error(message.message);
  const { user, system } = process.cpuUsage();
  const figures = { cpuSeconds: (user + system) / 1e6, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
  console.log(JSON.stringify({ answer: message, ...figures }));
};
// Loaded rather than started, it waits for one request and answers it.
require(script);
process.emit("message", { projectDir: root });
