import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Project } from "../project/dataform-json.ts";

/** What the CLI reads to know project and location; no secret is in it, credentials come from the environment. */
export function credentialsText(project: Project): string {
  return `${JSON.stringify({ projectId: project.projectId, location: project.location })}\n`;
}

/** Calls `use` with the path of a credentials file that exists only meanwhile. */
export async function withCredentials<T>(project: Project, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "dataform-"));
  try {
    const file = path.join(folder, "credentials.json");
    await writeFile(file, credentialsText(project), { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
