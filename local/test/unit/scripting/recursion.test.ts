import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Harness } from "./harness.ts";

// https://cloud.google.com/bigquery/docs/recursive-ctes
let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

const counting = (last: number) =>
  `WITH RECURSIVE r AS (SELECT 1 AS n, 'x' AS s UNION ALL SELECT n + 1, s FROM r WHERE n < ${last}) SELECT COUNT(*), MAX(n) FROM r`;

describe("WITH RECURSIVE", () => {
  it("iterates five hundred times at most", async () => {
    expect(await harness.rows(counting(501))).toEqual([[501n, 501n]]);
    const message = "A recursive CTE has reached the maximum number of iterations: 500";
    expect((await harness.failure(counting(502))).message).toContain(message);
    const endless = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT 1 FROM r) SELECT * FROM r";
    expect((await harness.failure(endless)).message).toContain(message);
  });

  it("joins, counts and groups what it has found", async () => {
    expect(
      await harness.rows(`WITH RECURSIVE
        edges AS (SELECT * FROM UNNEST([STRUCT(1 AS a, 2 AS b), (2, 3), (3, 4), (1, 4)])),
        paths AS (SELECT b, 1 AS hops FROM edges WHERE a = 1
          UNION ALL SELECT e.b, p.hops + 1 FROM paths p JOIN edges e ON e.a = p.b)
        SELECT b, COUNT(*), MAX(hops) FROM paths GROUP BY b ORDER BY b`),
    ).toEqual([
      [2n, 1n, 1n],
      [3n, 1n, 2n],
      [4n, 2n, 3n],
    ]);
    expect(
      await harness.rows(
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION DISTINCT SELECT MOD(n, 5) + 1 FROM r) SELECT SUM(n) FROM r",
      ),
    ).toEqual([[15n]]);
  });

  it("may stand in another one, and be read twice", async () => {
    expect(
      await harness.rows(`WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a WHERE n < 3),
        b AS (SELECT n FROM a WHERE n = 1 UNION ALL SELECT b.n + 1 FROM b JOIN a ON a.n = b.n)
        SELECT (SELECT SUM(n) FROM a), (SELECT SUM(n) FROM b), (SELECT COUNT(*) FROM a x JOIN a y ON x.n = y.n)`),
    ).toEqual([[6n, 10n, 3n]]);
  });
});
