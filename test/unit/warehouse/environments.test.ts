import { describe, expect, it } from "vitest";
import { resolveSelection } from "../../../generator/src/dataform/selection.ts";
import { readProject } from "../../../generator/src/project/dataform-json.ts";
import { useFolder } from "./folder.ts";

const folder = useFolder();
const SETTINGS = { defaultDatabase: "p", defaultSchema: "analytics", defaultLocation: "EU" };

describe("another environment than dataform.json names", () => {
  it.each(["schemaSuffix", "tablePrefix", "databaseSuffix"])("%s in dataform.json", async (key) => {
    await folder.write("dataform.json", JSON.stringify({ ...SETTINGS, [key]: "dev" }));
    await expect(readProject(folder.path("."))).rejects.toThrow(
      `${key}: would make every run one of another environment; leave it out`,
    );
    await folder.write("dataform.json", JSON.stringify({ ...SETTINGS, [key]: "" }));
    expect(await readProject(folder.path("."))).toMatchObject({ dataset: "analytics", location: "EU" });
  });

  it.each([
    [["--schema-suffix", "dev"], "--schema-suffix=dev"],
    [["--tags", "x", "--table-prefix=dev"], "--table-prefix=dev"],
    [["--database-suffix=dev"], "--database-suffix=dev"],
    [["--default-database", "other"], "--default-database=other"],
    [["--default-schema=other"], "--default-schema=other"],
    [["--default-location=EU"], "--default-location=EU"],
  ])("update %j", async (flags, written) => {
    const project = { root: "nowhere", projectId: "p", dataset: "d", assertionDataset: "d", location: "US" };
    const refusal = resolveSelection(project, flags);
    await expect(refusal).rejects.toThrow(
      `name the environment there and write --env, or use \`npx dataform run ${written}\``,
    );
    await expect(refusal).rejects.toMatchObject({ kind: "wrong usage" });
  });
});
