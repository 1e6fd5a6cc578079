/** The `type: "test"` that every entity gets, on the golden cases' worked examples. */
import { afterAll, expect, test } from "vitest";
import { Compiler } from "../../generator/src/dataform/compiler.ts";
import { compileCase, listCases } from "../golden/golden-case.ts";
import { clientOf, useEndpoint } from "./harness.ts";

const endpoint = useEndpoint();
const compiler = new Compiler();
afterAll(() => compiler.close());

// `dataform test` itself runs in examples.test.ts; it does no more than compare the rows of two queries, in order.
test.each(await listCases())("the generated tests of %s pass", async (name) => {
  const { tests = [] } = await compileCase(name, compiler);
  expect(tests).not.toHaveLength(0);
  const client = clientOf(endpoint.url);
  for (const { name: title, testQuery, expectedOutputQuery } of tests) {
    const [[actual], [expected]] = await Promise.all([
      client.query(testQuery),
      client.query(expectedOutputQuery),
    ]);
    expect(expected, title).not.toHaveLength(0);
    expect(actual, title).toEqual(expected);
  }
});
