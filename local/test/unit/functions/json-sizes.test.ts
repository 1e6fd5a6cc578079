import { afterAll, beforeAll, expect, it } from "vitest";
import { Harness } from "../scripting/harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

it.each([
  "SELECT JSON_SET(JSON '[]', '$[100000000]', 1)",
  "SELECT JSON_SET(JSON '{}', '$.a[1000000]', 1)",
  "SELECT JSON_ARRAY_INSERT(JSON '[]', '$[100000000]', 1)",
])("%s does not fill the machine's memory", async (sql) => {
  expect((await harness.failure(sql)).message).toContain("Exceeded maximum array size of 1000000");
});
