import { cp, mkdir, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { REPOSITORY, runProgram } from "./harness.ts";

/** What a Dockerfile makes: the last stage's folder, where it starts, and what it starts. */
export interface Image {
  readonly folder: string;
  readonly entryPoint: readonly string[];
  readonly user: string;
}

interface Stage {
  /** The stage's file system. */
  readonly folder: string;
  workdir: string;
}

/**
 * Does without Docker what deploy/Dockerfile says, step by step, each stage in a folder of its own below `root`. `npm ci` takes the
 * packages from the repository, which the same lock file put there. A step that is not known here is an error.
 */
export async function buildImage(dockerfile: string, root: string): Promise<Image> {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  let entryPoint: readonly string[] = [];
  let user = "root";
  for (const [instruction, rest] of readInstructions(dockerfile)) {
    if (instruction === "FROM") {
      const [, name = "image"] = / AS (\w+)$/.exec(rest) ?? [];
      stage = { folder: path.join(root, name), workdir: "/" };
      stages.set(name, stage);
    } else if (stage === undefined) throw new Error(`${instruction} before FROM`);
    else if (instruction === "WORKDIR") {
      stage.workdir = rest;
      await mkdir(path.join(stage.folder, rest), { recursive: true });
    } else if (instruction === "COPY") await copy(stage, rest, stages);
    else if (instruction === "RUN") await run(stage, rest);
    else if (instruction === "ENTRYPOINT") entryPoint = JSON.parse(rest) as string[];
    else if (instruction === "USER") user = rest;
    else if (instruction !== "ENV") throw new Error(`${instruction}: unknown here`);
  }
  if (stage === undefined) throw new Error("no stage");
  return { folder: path.join(stage.folder, stage.workdir), entryPoint, user };
}

/** The instructions of a Dockerfile, comments left out and continued lines joined. */
export function readInstructions(dockerfile: string): readonly (readonly [string, string])[] {
  return dockerfile
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, instruction = "", rest = ""] = /^(\w+) (.*)$/.exec(line) ?? [];
      return [instruction, rest] as const;
    });
}

async function copy(stage: Stage, rest: string, stages: ReadonlyMap<string, Stage>): Promise<void> {
  const [, from, names = ""] = /^(?:--from=(\w+) )?(.*)$/.exec(rest) ?? [];
  const sources = names.split(" ");
  const target = sources.pop() ?? "";
  const origin = from === undefined ? REPOSITORY : stages.get(from)?.folder;
  if (origin === undefined) throw new Error(`COPY --from=${from}: no such stage`);
  for (const source of sources) {
    const folder = path.join(stage.folder, stage.workdir, target);
    const place = target.endsWith("/") ? path.join(folder, path.basename(source)) : folder;
    await mkdir(path.dirname(place), { recursive: true });
    await cp(path.join(origin, source), place, {
      recursive: true,
      verbatimSymlinks: true,
      // As the ignore file has it, for what comes from the repository.
      filter: (file) => from !== undefined || !/\/(node_modules|dist)$/.test(file),
    });
  }
}

const INSTALL = "npm ci --include=dev --ignore-scripts";

async function run(stage: Stage, command: string): Promise<void> {
  const cwd = path.join(stage.folder, stage.workdir);
  const isInstall = command.startsWith(INSTALL);
  if (isInstall) await takeInstalled(cwd);
  const steps = isInstall ? command.slice(INSTALL.length).replace(/^ && /, "") : command;
  const { exitCode, stdout, stderr } = await runProgram("sh", ["-c", steps], { cwd });
  if (exitCode !== 0) throw new Error(`RUN ${command}: ${stderr}${stdout}`);
}

/** The repository's packages, copied; but not what a tool keeps beside them for itself. */
async function takeInstalled(folder: string): Promise<void> {
  const from = path.join(REPOSITORY, "node_modules");
  for (const name of await readdir(from)) {
    if (/^\.(?!bin$|package-lock\.json$)/.test(name)) continue;
    await cp(path.join(from, name), path.join(folder, "node_modules", name), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}

/** Every file below a folder: its path from there, and its size in bytes. */
export async function listFiles(folder: string): Promise<ReadonlyMap<string, number>> {
  const files = new Map<string, number>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files.set(path.relative(folder, file), (await stat(file)).size);
  }
  return files;
}
