import { existsSync } from "node:fs";
import path from "node:path";

/** How a project is installed with the tool, which a plain `npm ci` leaves out; without a lock file, as a new project is, `npm ci` fails. */
export function installCall(root: string): string {
  return existsSync(path.join(root, "package-lock.json"))
    ? "npm ci --include=dev"
    : "npm install --include=dev";
}
