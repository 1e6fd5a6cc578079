import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { makeWhole } from "../../../generator/src/scaffold/whole-folder.ts";
import { useFolder } from "../warehouse/folder.ts";

const folder = useFolder();

describe("a folder that is made whole", () => {
  it("has the rights that folders have here, and nothing beside it, also in place of an empty one", async () => {
    await mkdir(folder.path("usual"));
    await mkdir(folder.path("crm"));
    for (const name of ["crm", "deep/er"]) {
      const made = folder.path(name);
      await makeWhole(made, name, (draft) => writeFile(path.join(draft, "a"), "x"));
      expect(await readFile(path.join(made, "a"), "utf8")).toBe("x");
      expect((await stat(made)).mode).toBe((await stat(folder.path("usual"))).mode);
      expect(await readdir(path.dirname(made))).not.toContainEqual(expect.stringMatching(/^\.new-/));
    }
  });

  it("is not there where something failed, and nor is what was written of it", async () => {
    const failing = makeWhole(folder.path("none/crm"), "none/crm", async (draft) => {
      await writeFile(path.join(draft, "a"), "x");
      throw new Error("no space");
    });
    await expect(failing).rejects.toThrow("no space");
    expect(await readdir(folder.path("none"))).toEqual([]);
  });
});
