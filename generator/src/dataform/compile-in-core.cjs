// Compiles one Dataform project with the @dataform/core that it has installed, in a process of its own: gets {root, request} as a
// message, the request being core's CoreExecutionRequest in base64, and answers with core's answer in base64, or with {message} of
// what was thrown. The Dataform CLI does the same in a sandbox that parses all of core anew for every project, which takes it eight
// times as long. Node's modules, its globals and the environment, which the sandbox withholds from a project's JavaScript, are withheld
// here too.
const { existsSync, readFileSync } = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");

process.once("message", ({ root, request }) => {
  let answer;
  try {
    answer = compile(root, request);
  } catch (error) {
    answer = { message: String(error?.message ?? error) };
  }
  process.send(answer, () => process.disconnect());
});

function compile(root, request) {
  const projectRequire = Module.createRequire(path.join(root, "index.js"));
  withholdModules();
  withholdGlobals();
  const core = projectRequire("@dataform/core");
  findByPathInProject(root);
  const compileFile = (file) => core.compiler(readFileSync(file, "utf8"), file);
  readAsCoreDoes(root, compileFile);
  for (const [file, name] of [
    ["workflow_settings.yaml", "workflowSettingsYaml"],
    ["dataform.json", "dataformJson"],
  ])
    if (existsSync(path.join(root, file))) globalThis[name] = projectRequire(`./${file}`);
  return core.main(request);
}

/** The sandbox has `path` of Node's own modules, and no other. */
function withholdModules() {
  const load = Module._load;
  Module._load = (name, ...rest) => {
    if (!Module.isBuiltin(name) || /^(node:)?path$/.test(name)) return load(name, ...rest);
    throw Object.assign(new Error(`Cannot find module '${name}'`), { code: "MODULE_NOT_FOUND" });
  };
}

/** The sandbox has the language's own globals and these. */
function withholdGlobals() {
  const given = ["Buffer", "clearImmediate", "clearInterval", "clearTimeout", "global", "process"];
  const language = vm.runInNewContext("Object.getOwnPropertyNames(globalThis)");
  const kept = new Set([...language, ...given, "setImmediate", "setInterval", "setTimeout"]);
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!kept.has(name)) delete globalThis[name];
  process.env = {};
}

/** Core, and what a project requires, name files by their path from the project's root. */
function findByPathInProject(root) {
  const find = Module._resolveFilename;
  Module._resolveFilename = (name, ...rest) => {
    if (Module.isBuiltin(name) || path.isAbsolute(name) || name.startsWith(".")) return find(name, ...rest);
    try {
      return find(path.join(root, name), ...rest);
    } catch {
      return find(name, ...rest);
    }
  };
}

/** A project's files are what core makes of them; while one runs, core asks which it is. */
function readAsCoreDoes(root, compileFile) {
  const running = [];
  Object.defineProperty(globalThis, "__dataform_current_file", { get: () => running.at(-1) ?? null });
  const runJavaScript = Module._extensions[".js"];
  for (const extension of [".js", ".sql", ".sqlx", ".yaml", ".yml"])
    Module._extensions[extension] = (module, file) => {
      if (path.relative(root, file).startsWith("node_modules")) return runJavaScript(module, file);
      running.push(file);
      try {
        module._compile(compileFile(file), file);
      } finally {
        running.pop();
      }
    };
}
