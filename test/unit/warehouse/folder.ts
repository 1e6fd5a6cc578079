import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";

/** A temporary folder for the tests of one file, gone when they end. */
export function useFolder(): {
  write(name: string, content: string | Uint8Array): Promise<string>;
  path(name: string): string;
} {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "warehouse-test-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  return {
    path: (name) => path.join(folder, name),
    write: async (name, content) => {
      await writeFile(path.join(folder, name), content);
      return path.join(folder, name);
    },
  };
}
