import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { expect, it } from "vitest";

const TOOL = path.resolve(import.meta.dirname, "../../../generator/bin/user-info-updater.js");

it("ends as it would where the reader of its output goes away", async () => {
  const child = spawn(process.execPath, [TOOL, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
});
