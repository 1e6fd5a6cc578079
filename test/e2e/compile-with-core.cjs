// Compiles a Dataform project as managed Dataform can: with the project's own @dataform/core, in one process, without the Dataform CLI.
//   node compile-with-core.cjs <project folder> <request, base64>
// The request is core's own message CoreExecutionRequest. Prints one line of JSON: the answer, base64 too, CPU seconds and
// the most memory that the process took, in MB.
const { existsSync, readFileSync } = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

const [, , root, request] = process.argv;
const projectRequire = Module.createRequire(path.join(root, "index.js"));
const core = projectRequire("@dataform/core");

// Core asks for the project's files by their path from its root.
const resolve = Module._resolveFilename;
Module._resolveFilename = function resolveInProject(name, ...rest) {
  const file = path.join(root, name);
  const isOfProject =
    !path.isAbsolute(name) && !name.startsWith(".") && path.extname(name) !== "" && existsSync(file);
  return isOfProject ? file : resolve.call(this, name, ...rest);
};

// Files other than JavaScript are what core makes of them; while one runs, core asks which it is.
const running = [];
Object.defineProperty(globalThis, "__dataform_current_file", { get: () => running.at(-1) ?? null });
const isOwn = (file) => !path.relative(root, file).startsWith("node_modules");
const runJavaScript = Module._extensions[".js"];
for (const extension of [".js", ".sql", ".sqlx", ".yaml", ".yml"])
  Module._extensions[extension] = (module, file) => {
    if (!isOwn(file)) return runJavaScript(module, file);
    running.push(file);
    try {
      module._compile(core.compiler(readFileSync(file, "utf8"), file), file);
    } finally {
      running.pop();
    }
  };

globalThis.dataformJson = JSON.parse(readFileSync(path.join(root, "dataform.json"), "utf8"));
const answer = core.main(request);
const { user, system } = process.cpuUsage();
const figures = { cpuSeconds: (user + system) / 1e6, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
console.log(JSON.stringify({ answer, ...figures }));
