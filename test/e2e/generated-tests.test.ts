/** The `type: "test"` that every entity gets, on the golden cases' worked examples. */
import { expect, test } from "vitest";
import { compileProject } from "../../generator/src/dataform/compiler.ts";
import type { CompiledGraph } from "../../generator/src/dataform/graph.ts";
import { inTemporaryProject } from "../../generator/src/dataform/project-copy.ts";
import { VALUE_TYPES } from "../../generator/src/generate/value-types.ts";
import { compileCase, listCases, projectOf, ROOT } from "../golden/golden-case.ts";
import { clientOf, useEndpoint } from "./harness.ts";

const endpoint = useEndpoint();

async function expectTestsPass({ tests = [] }: CompiledGraph): Promise<void> {
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
}

// `dataform test` itself runs in examples.test.ts; it does no more than compare the rows of two queries, in order.
test.each(await listCases())("the generated tests of %s pass", async (name) => {
  await expectTestsPass(await compileCase(name));
});

test("they pass by a key of any type, a BOOL, which knows two users, among them", async () => {
  const keyTypes = Object.entries(VALUE_TYPES).filter(([, { isKey }]) => isKey);
  const named = keyTypes.map(([type]) => ({ name: type.replace(/\W/g, "_").toLowerCase(), type }));
  const entities = named.map(({ name }) => {
    return { name, schema: `schemas/${name}.json`, key: ["id"], ingestTimestamp: "at" };
  });
  const schemas = named.map(({ name, type }): [string, string] => [
    `schemas/${name}.json`,
    JSON.stringify([schemaField("id", type), schemaField("at", "TIMESTAMP"), schemaField("mail", "STRING")]),
  ]);
  const files = new Map([["entities.json", JSON.stringify({ entities })], ...schemas]);
  const graph = await inTemporaryProject(await projectOf("flat", files), ROOT, (root) =>
    compileProject(root),
  );
  expect(graph.tests).toHaveLength(named.length);
  await expectTestsPass(graph);
});

/** A field as the schema's JSON has it. */
function schemaField(name: string, type: string): object {
  const [, element] = /^RANGE<(\w+)>$/.exec(type) ?? [];
  return element === undefined
    ? { name, type }
    : { name, type: "RANGE", rangeElementType: { type: element } };
}
