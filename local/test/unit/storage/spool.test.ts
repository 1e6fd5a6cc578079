import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Spool } from "../../../src/jobs/spool.ts";

let spool: Spool;
beforeEach(async () => {
  spool = await Spool.open(1 << 20);
});
afterEach(() => spool.close());

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe("a folder of uploads that a cleaner of temporary files took", () => {
  test("is made again for the next upload", async () => {
    const file = spool.create();
    await rm(dirname(file.path), { recursive: true });
    await file.appendAll(pieces("a", "b"));
    await file.appendAll(pieces("c"));
    await file.settle();
    expect(await readFile(file.path, "utf8")).toBe("abc");
  });

  test("loses an upload that had begun, which the client is told to start again", async () => {
    const file = spool.create();
    await file.appendAll(pieces("a"));
    await rm(dirname(file.path), { recursive: true });
    await expect(file.appendAll(pieces("b"))).rejects.toMatchObject({ reason: "notFound" });
    await expect(file.settle()).rejects.toMatchObject({ reason: "notFound" });
  });
});
