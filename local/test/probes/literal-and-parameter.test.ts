import { afterAll, beforeAll, expect, it } from "vitest";
import { Analyzer } from "../../src/googlesql/analyzer.ts";
import { rangeOf, walkTree } from "../../src/googlesql/parse-tree.ts";
import type { TreeNode } from "../../src/googlesql/tree.ts";
import type { ParameterValue } from "../../src/jobs/ports.ts";
import { Harness } from "../unit/scripting/harness.ts";
import { readProbes } from "./probe.ts";

/** The literals that stand for values, and the type of a parameter in the place of each. */
const LITERALS: Readonly<Record<string, ParameterValue["type"]["kind"]>> = {
  astIntLiteral: "INT64",
  astFloatLiteral: "FLOAT64",
  astStringLiteral: "STRING",
  astBytesLiteral: "BYTES",
  astBooleanLiteral: "BOOL",
};
/** A literal in these is a part of a type, a position in the SELECT list, or of a literal of another type. */
const NO_VALUES =
  /^ast(?:DateOrTimeLiteral|NumericLiteral|BigNumericLiteral|JsonLiteral|RangeLiteral|Hint|OptionsList|TypeParameterList|FormatClause)/;
const POSITIONS = /^(?:groupBy|orderBy|orderingExpressions|groupingItems)$/;
/** Each evaluation gives something else, or a value is compared with another as it is written. */
const NOT_COMPARED = /RAND|UUID|KEYSET|ENCRYPT|CURRENT_|@@|SESSION|PIVOT|GROUPING SETS/i;
/** What a parameter may not be, or not of this type, where a literal is coerced; and what is refused by name. */
const NO_PARAMETER =
  /must be (?:a|an) [^.]*(?:literal|constant)|No matching signature|Not supported by the local|does not support|not allowed|could not be (?:coerced|cast)|Unrecognized name|neither grouped nor aggregated|cannot coerce|Expected|No common supertype|Could not cast|must have type|which could not be|is out of SELECT|Invalid cast from|coercible|Syntax error|Undeclared|incompatible types/i;

interface Place {
  readonly start: number;
  readonly end: number;
  readonly kind: ParameterValue["type"]["kind"];
}

/** Where values stand in a query's text, as bytes. */
function literalsOf(root: TreeNode): Place[] {
  const places: Place[] = [];
  const excluded: { start: number; end: number }[] = [];
  walkTree(root, (node, field) => {
    const range = rangeOf(node);
    if (NO_VALUES.test(node.kind ?? "") || POSITIONS.test(field)) excluded.push(range);
    const kind = LITERALS[node.kind ?? ""];
    const isInside = excluded.some(({ start, end }) => start <= range.start && range.end <= end);
    if (kind !== undefined && !isInside) places.push({ ...range, kind });
  });
  return places.sort((a, b) => b.start - a.start);
}

const analyzer = new Analyzer();
let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start({ analyzer });
});
afterAll(() => harness.close());

async function outcome(
  sql: string,
  parameters: ReadonlyMap<string, ParameterValue> = new Map(),
): Promise<{ readonly rows?: unknown; readonly error?: string }> {
  try {
    return { rows: await harness.rows(sql, { parameters }) };
  } catch (error) {
    // Only a literal has a place in the text.
    return { error: String((error as Error).message).replace(/ at \[\d+:\d+\]$/, "") };
  }
}

it("a probe's literals give the same by parameters", async () => {
  const different: unknown[] = [];
  let compared = 0;
  const queries = readProbes().flatMap(({ steps, refused }) => {
    const [{ sql = "" } = {}] = steps;
    const isQuery = steps.length === 1 && /^\s*(?:SELECT|WITH)\b/i.test(sql) && !/;\s*\S/.test(sql);
    return isQuery && refused === undefined && !NOT_COMPARED.test(sql) && !sql.includes("DATASET")
      ? [sql]
      : [];
  });
  for (const sql of queries) {
    const places = literalsOf(await analyzer.parseScript(sql));
    if (places.length === 0) continue;
    const bytes = Buffer.from(sql);
    const given = await outcome(sql);
    const texts = places.map(({ start, end }) => bytes.toString("utf8", start, end));
    const list = texts.map((text, index) => `${text} AS v${index}`).join(", ");
    const [values] = ((await outcome(`SELECT ${list}`)).rows ?? []) as ParameterValue["value"][][];
    if (values === undefined) continue;
    const withParameters = async (chosen: readonly number[]) => {
      const parameters = new Map<string, ParameterValue>();
      let text = bytes;
      for (const index of chosen) {
        const { start, end, kind } = places[index] as Place;
        text = Buffer.concat([text.subarray(0, start), Buffer.from(`@p${index}`), text.subarray(end)]);
        parameters.set(`p${index}`, {
          type: { kind } as ParameterValue["type"],
          value: values[index] ?? null,
        });
      }
      return { sql: text.toString(), ...(await outcome(text.toString(), parameters)) };
    };
    const all = places.map((_, index) => index);
    let tried = [await withParameters(all)];
    if (NO_PARAMETER.test(tried[0]?.error ?? "") && all.length > 1)
      tried = await Promise.all(all.slice(0, 4).map((index) => withParameters([index])));
    for (const { sql: text, rows, error } of tried) {
      if (error !== undefined && NO_PARAMETER.test(error)) continue;
      compared += 1;
      const same = JSON.stringify([rows, error], show) === JSON.stringify([given.rows, given.error], show);
      if (!same) different.push({ sql, text, given, got: { rows, error } });
    }
  }
  expect(different).toEqual([]);
  expect(compared).toBeGreaterThan(300);
});

function show(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
