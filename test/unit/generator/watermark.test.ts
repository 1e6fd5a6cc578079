import { expect, it } from "vitest";
import { generateProject } from "../../../generator/src/generate/project.ts";

const SCHEMA = {
  fields: [
    { name: "id", type: "STRING" },
    { name: "day", type: "DATE" },
    { name: "at", type: "TIMESTAMP" },
    { name: "happened", type: "TIMESTAMP" },
    { name: "cleared", type: "STRING", mode: "REPEATED" },
    { name: "gone", type: "BOOL" },
    { name: "name", type: "STRING" },
  ],
};

/** The watermark's definition of an entity with these options. */
function watermark(options: object): string | undefined {
  const entity = { name: "user", schema: "user.json", key: ["id"], ingestTimestamp: "at", ...options };
  const files = generateProject({ entities: [entity] }, new Map([["user.json", JSON.stringify(SCHEMA)]]));
  return files.get("definitions/user/user_watermark.sqlx");
}

// The table is made once and never altered: what it holds may not hang on what an entity is later told to do.
it.each([
  { key: ["id", "day"] },
  { eventTimestamp: "happened" },
  { clearedFields: "cleared" },
  { deleted: "gone" },
])("the watermark's table is the same with %o", (options) => {
  expect(watermark({})).toContain("CREATE TABLE IF NOT EXISTS");
  expect(watermark(options)).toBe(watermark({}));
});
