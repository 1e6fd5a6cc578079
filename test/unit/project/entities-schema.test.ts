import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { entitiesJsonSchema } from "../../../generator/src/project/config.ts";

const FILE = new URL("../../../generator/entities.schema.json", import.meta.url);

it("entities.schema.json, which editors read, says what the tool checks; vitest -u writes it", async () => {
  const derived = `${JSON.stringify(entitiesJsonSchema(), null, 2)}\n`;
  await expect(derived).toMatchFileSnapshot(FILE.pathname);
  expect(JSON.parse(await readFile(FILE, "utf8"))).toMatchObject({
    properties: { entities: { items: { required: ["name", "schema", "key", "ingestTimestamp"] } } },
  });
});
