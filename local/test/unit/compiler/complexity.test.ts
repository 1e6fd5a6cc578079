import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness } from "../scripting/harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

/** Queries of a WITH, each of which names the one before it twice. */
function doubled(levels: number): string {
  const queries = Array.from(
    { length: levels },
    (_, level) => `a${level + 1} AS (SELECT l.x FROM a${level} AS l JOIN a${level} AS r ON l.x = r.x)`,
  );
  return `WITH ${["a0 AS (SELECT 1 AS x)", ...queries].join(", ")} SELECT COUNT(*) FROM a${levels}`;
}

describe("queries of a WITH that each name the one before twice", () => {
  it("are run where they are few", async () => {
    expect(await harness.rows(doubled(6))).toEqual([[1n]]);
  });

  it.each([20, 25, 60])("are too complex at %i levels, and the next statement is run", async (levels) => {
    const failure = await harness.failure(doubled(levels));
    expect(failure.message).toContain("Not enough resources for query planning");
    expect(failure.reason).toBe("resourcesExceeded");
    expect(await harness.rows("SELECT 1")).toEqual([[1n]]);
  });
});
