import { readFileSync } from "node:fs";
import path from "node:path";
import { describeProgram, namesIn } from "./cases.ts";
import { installPython, whyNoPython } from "./python-client.ts";

const SCRIPT = path.join(import.meta.dirname, "python_client.py");

describeProgram({
  name: "the Python client",
  missing: whyNoPython(),
  cases: namesIn(readFileSync(SCRIPT, "utf8"), /^def case_(\w+)/gm),
  install: installPython,
  command: (folder) => ({ file: "python3", args: ["-W", "ignore", SCRIPT], env: { PYTHONPATH: folder } }),
});
