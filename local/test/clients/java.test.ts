import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { cachedFolder, describeProgram, namesIn, runTool } from "./cases.ts";

const FOLDER = path.join(import.meta.dirname, "java-client");
const POM = path.join(FOLDER, "pom.xml");
const SOURCE = path.join(FOLDER, "Client.java");
const COPY_LIBRARIES = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
/** The version of Java that the program is written in. */
const JAVA = 17;

/** Why the Java client cannot be tried here; undefined where it can. */
function missing(): string | undefined {
  const javac = spawnSync("javac", ["-version"], { encoding: "utf8" });
  if (javac.error !== undefined || javac.status !== 0) return "javac is not installed";
  const version = Number(/javac (\d+)/.exec(javac.stdout + javac.stderr)?.[1]);
  if (!(version >= JAVA)) return `javac is older than ${JAVA}`;
  return spawnSync("mvn", ["--version"]).status === 0 ? undefined : "mvn is not installed";
}

/** Fetches the client with all that it needs, and compiles the program against it; the class path of both. */
async function install(): Promise<string> {
  const libraries = await cachedFolder("java-libraries", [readFileSync(POM)], async (folder) => {
    await runTool("mvn", ["-q", "-B", "-f", POM, COPY_LIBRARIES, `-DoutputDirectory=${folder}`]);
  });
  const jars = path.join(libraries, "*");
  const key = [await runTool("javac", ["-version"]), readFileSync(POM), readFileSync(SOURCE)];
  const classes = await cachedFolder("java", key, async (folder) => {
    await runTool("javac", ["-proc:none", "-cp", jars, "-d", folder, SOURCE]);
  });
  return [jars, classes].join(path.delimiter);
}

describeProgram({
  name: "the Java client",
  missing: missing(),
  cases: namesIn(readFileSync(SOURCE, "utf8"), /^ {4}cases\.put\("([^"]+)"/gm),
  install,
  command: (classPath) => ({ file: "java", args: ["-cp", classPath, "Client"] }),
});
