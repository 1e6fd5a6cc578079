// Runs a command of the tool: `node tool.js generate`; without one it only looks whether the tool is installed.
// `npm ci` alone leaves the tool out (.npmrc), since managed Dataform needs @dataform/core and no more.
const fs = require("node:fs");
const path = require("node:path");

const TOOL = "user-info-updater";

function findTool() {
  try {
    const file = require.resolve(`${TOOL}/package.json`, { paths: [__dirname] });
    return path.join(path.dirname(file), require(file).bin[TOOL]);
  } catch {
    return undefined;
  }
}

const tool = findTool();
if (tool === undefined) {
  // `npm ci` wants a lock file, which a new project does not have yet.
  const verb = fs.existsSync(path.join(__dirname, "package-lock.json")) ? "ci" : "install";
  console.error(`${TOOL} is not installed: run \`npm ${verb} --include=dev\``);
  process.exitCode = 1;
} else if (process.argv.length > 2) {
  process.argv[1] = tool;
  import(require("node:url").pathToFileURL(tool).href);
}
