import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { meantVariable, readOwnVariables } from "../../../generator/src/dataform/run-variables.ts";
import { useFolder } from "../warehouse/folder.ts";

const SOURCE = readFileSync(
  fileURLToPath(new URL("../../../generator/scaffold/includes/run.js", import.meta.url)),
  "utf8",
);

/** What the SQLX files see of a run with these `--vars`, in a project with these settings. */
function run(vars: Record<string, string>, settings: Record<string, string> = {}): Record<string, unknown> {
  const module = { exports: {} };
  runInNewContext(SOURCE, { module, dataform: { projectConfig: { vars, ...settings } } });
  return { ...module.exports };
}

describe("a slip in the name of a variable", () => {
  const folder = useFolder();
  test("is one near ours, unless the project declares or reads it", async () => {
    await folder.write("dataform.json", JSON.stringify({ vars: { source: "crm" } }));
    await mkdir(folder.path("definitions"));
    await folder.write(
      "definitions/own.js",
      'const { edit, marge: mine = "x" } = dataform.projectConfig.vars;\nconst share = vars["audit-share"] || vars?.forse;\n',
    );
    const own = await readOwnVariables(folder.path("."));
    expect([...own].sort()).toEqual(["audit-share", "edit", "forse", "marge", "source"]);
    for (const name of own) expect([name, meantVariable(name, own)]).toEqual([name, undefined]);
    expect(["sourc", "audits", "rebuld", "colour"].map((name) => meantVariable(name, own))).toEqual([
      undefined,
      "audit",
      "rebuild",
      undefined,
    ]);
    expect(["source", "edit"].map((name) => meantVariable(name, []))).toEqual(["force", "audit"]);
  });
});

describe("the variables of a run", () => {
  test("a plain run", () => {
    expect(run({})).toEqual({
      rebuild: false,
      replays: false,
      readsBack: false,
      readFrom: undefined,
      ownsUpdates: true,
      leavesUpdates: expect.stringMatching(/^SELECT '/),
      expectDefaultSchema: expect.any(Function),
      merges: false,
      forces: false,
      audit: false,
      auditShare: 0.01,
      kind: "update",
    });
  });

  test("a merge before it is due reads no more than a plain run", () => {
    expect(run({ merge: "true" })).toMatchObject({ merges: true, readsBack: false, kind: "update" });
  });

  test("a rebuild reads from the start", () => {
    const start = "TIMESTAMP '1900-01-01 00:00:00+00'";
    expect(run({ rebuild: "true" })).toMatchObject({
      rebuild: true,
      readsBack: true,
      readFrom: start,
      kind: "rebuild",
    });
    expect(run({ rebuild: "false" })).toMatchObject({ rebuild: false, kind: "update" });
  });

  test.each([
    ["2026-01-01", "2026-01-01 00:00:00+00:00"],
    ["2026-01-01T12:30", "2026-01-01 12:30:00+00:00"],
    ["2026-01-01T00:00:00Z", "2026-01-01 00:00:00+00:00"],
    ["2024-02-29 23:59:59.123456+02:00", "2024-02-29 23:59:59.123456+02:00"],
    ["1900-01-01", "1900-01-01 00:00:00+00:00"],
    // Rows from before 1900 are bad ones: a replay must not reach for them.
    ["1899-12-31T23:59:59.999999Z", "1900-01-01 00:00:00+00"],
    ["1900-01-01T13:00:00+14:00", "1900-01-01 00:00:00+00"],
    ["0001-01-01T00:00:00+14:00", "1900-01-01 00:00:00+00"],
    ["0099-06-01", "1900-01-01 00:00:00+00"],
  ])("replayFrom=%s", (value, literal) => {
    expect(run({ replayFrom: value })).toMatchObject({
      replays: true,
      readFrom: `TIMESTAMP '${literal}'`,
      kind: "replay",
    });
  });

  test.each([
    "yesterday",
    "2026-13-01",
    "2026-02-30",
    "2026-01-01T24:00:00Z",
    "2026-01-01'; DROP TABLE x",
    "0000-01-01",
    "2026-01-01T00:00:00+15:00",
    "2026-01-01T00:00:00-14:30",
    "2026-01-01T00:00:00+02:60",
    "1",
  ])("replayFrom=%s is refused", (value) => {
    expect(() => run({ replayFrom: value })).toThrow(/^--vars: replayFrom is ".*"; write a time such as/);
  });

  test("a share of users for the audit", () => {
    expect(run({ audit: "true" })).toMatchObject({ audit: true, auditShare: 0.01 });
    expect(run({ auditShare: "0.25" })).toMatchObject({ audit: true, auditShare: 0.25 });
  });

  test.each([
    [{ rebuild: "yes" }, /^--vars: rebuild is "yes"; write rebuild=true or leave it out/],
    [{ audit: "1" }, /^--vars: audit is "1"; /],
    [{ auditShare: "2" }, /^--vars: auditShare is "2"; write a share of the users from 0 to 1/],
    [{ auditShare: "1; DROP" }, /^--vars: auditShare is/],
    [{ rebuild: "true", replayFrom: "2026-01-01" }, /^--vars: rebuild and replayFrom are both set; /],
  ])("%j is refused", (vars, message) => {
    expect(() => run(vars)).toThrow(message);
  });
});

describe("the environment of a run", () => {
  test.each(["schemaSuffix", "tablePrefix", "databaseSuffix"])("%s makes one that owns no updates", (key) => {
    expect(run({}, { [key]: "dev" })).toMatchObject({ ownsUpdates: false });
    expect(run({}, { [key]: "" })).toMatchObject({ ownsUpdates: true });
  });

  test("another default dataset than the files were generated for is refused", () => {
    const { expectDefaultSchema } = run({}, { defaultSchema: "sandbox" }) as {
      expectDefaultSchema(schema: string): void;
    };
    expect(() => expectDefaultSchema("sandbox")).not.toThrow();
    expect(() => expectDefaultSchema("analytics")).toThrow(
      'defaultSchema is "sandbox", but definitions/ is generated for "analytics": set it in dataform.json and run',
    );
  });
});
