import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GoogleSqlClient } from "../../src/googlesql/client.ts";
import { bigQueryLanguage } from "../../src/googlesql/language.ts";
import { type Probe, readProbes } from "./probe.ts";
import { complaint, Prober } from "./prober.ts";
import { renderTable } from "./table.ts";

const probes = readProbes();

describe("local/SUPPORT.md", () => {
  it("is what the probes make (npm run support:update)", () => {
    const file = path.join(import.meta.dirname, "../../SUPPORT.md");
    expect(readFileSync(file, "utf8")).toBe(renderTable(probes));
  });

  it("names each construct once", () => {
    const names = probes.map(({ family, construct }) => `${family}: ${construct}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe("the functions", () => {
  const probed = new Set(probes.map(({ construct }) => /^[A-Z][A-Z0-9_.]*/.exec(construct)?.[0]));

  it("that BigQuery documents each have a probe", () => {
    expect(listOf("documented-functions.txt").filter((name) => !probed.has(name))).toEqual([]);
  });

  it("that the analyzer knows are documented, or known not to be BigQuery's", async () => {
    const client = new GoogleSqlClient();
    try {
      const language = bigQueryLanguage(await client.call("getLanguageOptions", { maximumFeatures: true }));
      const answer = await client.call("getBuiltinFunctions", { languageOptions: language });
      const names = (answer.function as { namePath: string[] }[])
        .map(({ namePath }) => namePath.join(".").toUpperCase())
        // Operators and what the parser writes as one; the families of operators and queries probe those.
        .filter((name) => !name.startsWith("$"));
      const listed = new Set([
        ...listOf("documented-functions.txt"),
        ...listOf("undocumented-functions.txt"),
      ]);
      expect(names.length).toBeGreaterThan(300);
      expect(names.filter((name) => !listed.has(name))).toEqual([]);
    } finally {
      await client.close();
    }
  });
});

describe("each construct is right, or refused by its name", () => {
  let prober: Prober;

  beforeAll(async () => {
    prober = await Prober.open();
  });

  afterAll(() => prober.close());

  it.each(probes.map((probe): [string, Probe] => [`${probe.family}: ${probe.construct}`, probe]))(
    "%s",
    async (_, probe) => {
      const found = prober.defects.length;
      expect(complaint(probe, await prober.run(probe))).toBeUndefined();
      expect(prober.defects.slice(found)).toEqual([]);
    },
  );
});

function listOf(file: string): readonly string[] {
  return readFileSync(path.join(import.meta.dirname, file), "utf8")
    .split("\n")
    .filter((line) => !/^[#[]/.test(line))
    .flatMap((line) => line.split(/\s+/))
    .filter((name) => name !== "");
}
