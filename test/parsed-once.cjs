// Loaded by every Node process that a test starts (NODE_OPTIONS in vitest.config.mts). The Dataform CLI's sandbox, vm2, parses all of
// @dataform/core in JavaScript twice for every run, to put its guards into the code: 2.5 of the 5.5 seconds of CPU that a compile takes.
// The guarded code depends on the text alone, so it is kept between the runs of the tests. Besides, gRPC is loaded when it is used.
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

const CACHE = path.join(__dirname, "../node_modules/.cache");
const KEPT = path.join(CACHE, "vm2");
const TRANSFORMER = path.join("vm2", "lib", "transformer.js");
/** What is shorter is parsed sooner than it is found. */
const LONG = 20_000;
const ANYWHERE = "a file of the project";

const runJavaScript = Module._extensions[".js"];
Module._extensions[".js"] = (module, file) => {
  runJavaScript(module, file);
  if (!file.endsWith(TRANSFORMER)) return;
  const { transformer } = module.exports;
  const version = createHash("sha256").update(readFileSync(file)).digest("hex");
  module.exports.transformer = (args, body, isAsync, isGenerator, filename) => {
    if (String(body).length < LONG) return transformer(args, body, isAsync, isGenerator, filename);
    // The CLI writes a file's path into its text, and each test has a folder of its own.
    const [written, anywhere] = [JSON.stringify(filename), JSON.stringify(ANYWHERE)];
    const asked = [args, body.replaceAll(written, anywhere), isAsync, isGenerator];
    const name = createHash("sha256")
      .update(JSON.stringify([version, ...asked]))
      .digest("hex");
    const { code, hasAsync } = keep(name, () => transformer(...asked, filename));
    return { __proto__: null, code: code.replaceAll(anywhere, written), hasAsync };
  };
};

/** The CLI loads gRPC, a fifth of a second of CPU, for the lineage that only some of its options write: here, when it asks for it. */
const load = Module._load;
Module._load = (name, ...rest) =>
  name === "@google-cloud/lineage"
    ? new Proxy({}, { get: (_, property) => load(name, ...rest)[property] })
    : load(name, ...rest);

// What V8 makes of the CLI's modules is kept too; but of those that call import(), which it would break.
if (/@dataform\/cli\/\w+\.js$/.test(process.argv[1] ?? "")) {
  const compile = Module.prototype._compile;
  process.env.V8_COMPILE_CACHE_CACHE_DIR = path.join(CACHE, "v8");
  require("v8-compile-cache");
  const compileKept = Module.prototype._compile;
  Module.prototype._compile = function (text, file) {
    return (/\bimport\(/.test(text) ? compile : compileKept).call(this, text, file);
  };
}

/** The value that is kept under a name, or else what `make` makes; a process beside this one sees all of it or nothing. */
function keep(name, make) {
  const file = path.join(KEPT, `${name}.json`);
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    const made = make();
    try {
      mkdirSync(KEPT, { recursive: true });
      writeFileSync(`${file}.${process.pid}`, JSON.stringify(made));
      renameSync(`${file}.${process.pid}`, file);
    } catch {
      // Where nothing can be kept, it is made again.
    }
    return made;
  }
}
