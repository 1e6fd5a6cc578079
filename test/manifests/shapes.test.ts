import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readSchedule } from "../../generator/src/schedule/description.ts";
import { describeWanted } from "../../generator/src/schedule/wanted.ts";
import { blocksOf } from "../docs/commands.ts";
import { faultsOf, NEEDS_SHAPES, readApi, SHAPES } from "./shapes.ts";
import { ROOT, runTool, TOOLS } from "./tools.ts";

const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");

describe.skipIf(SHAPES === undefined)(
  `recipes, by the shapes in the discovery documents of Google's client, since gcloud checks them only at the service${NEEDS_SHAPES}`,
  () => {
    const dataform = readApi("dataform.v1.json");

    it("Dataform takes no member that a resource does not have, at any depth", () => {
      expect(faultsOf(dataform, "Repository", { gitRemoteSettings: { adress: "x" } })).toEqual([
        "$.gitRemoteSettings.adress: no such member",
      ]);
      expect(faultsOf(dataform, "WorkflowConfig", { invocationConfig: { includedTags: "one" } })).toEqual([
        "$.invocationConfig.includedTags: string where array is taken",
      ]);
    });

    it("Dataform takes what the workflow and the DAG start", () => {
      const bodies = [
        ...read("deploy/workflows/update.yaml").matchAll(/body:\n +(\w+): /g),
        ...read("deploy/airflow/user_info_updater.py").matchAll(/workflow_invocation=\{\s+"(\w+)": /g),
      ].map(([, name = ""]) => ({
        [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())]: "x",
      }));
      expect(bodies).toHaveLength(2);
      for (const body of bodies) expect(faultsOf(dataform, "WorkflowInvocation", body)).toEqual([]);
    });

    it("Dataform takes what npm run schedule writes, and what docs/environments.md posts", async () => {
      const description = {
        region: "europe-west1",
        git: { url: "https://example.com/acme/customers.git", tokenSecret: "git-token" },
        serviceAccount: "updater@acme.iam.gserviceaccount.com",
      };
      const entity = {
        name: "user",
        schema: "user.json",
        key: ["id"],
        ingestTimestamp: "at",
        deleted: "gone",
      };
      const schedule = await readSchedule(async (file) =>
        JSON.stringify(file === "schedule.json" ? description : { entities: [entity] }),
      );
      const settings = { projectId: "acme", location: "EU" };
      const places = [undefined, { name: "dev", schemaSuffix: "dev" }, { name: "anna", tablePrefix: "anna" }];
      for (const place of places) {
        const { repository, releases, workflows } = describeWanted(schedule, settings, place);
        expect(faultsOf(dataform, "Repository", repository)).toEqual([]);
        for (const release of releases) expect(faultsOf(dataform, "ReleaseConfig", release)).toEqual([]);
        for (const workflow of workflows) expect(faultsOf(dataform, "WorkflowConfig", workflow)).toEqual([]);
      }
      const posted = blocksOf("sh").flatMap(({ text }) => [...text.matchAll(/-d '(\{.*\})'/g)]);
      expect(posted).toHaveLength(1);
      for (const [, body = ""] of posted)
        expect(faultsOf(dataform, "ReleaseConfig", JSON.parse(body))).toEqual([]);
    });
  },
);

describe.skipIf(SHAPES === undefined)(
  `deploy/workflows, by SchemaStore's schema of Cloud Workflows${NEEDS_SHAPES}`,
  () => {
    const check = (workflow: unknown) => {
      const script = [
        "import json, sys, jsonschema",
        "errors = jsonschema.Draft7Validator(json.load(open(sys.argv[1]))).iter_errors(json.loads(sys.argv[2]))",
        "print('\\n'.join(error.message for error in errors))",
      ].join("\n");
      const schema = path.join(SHAPES ?? "", "workflow-schema.json");
      return runTool(path.join(TOOLS ?? "", "python"), ["-c", script, schema, JSON.stringify(workflow)]);
    };
    const text = read("deploy/workflows/update.yaml");

    it("Cloud Workflows takes update.yaml", async () => {
      expect(await check(parse(text))).toEqual({ exitCode: 0, output: "\n" });
    });

    it("Cloud Workflows takes no step that it does not have", async () => {
      const { exitCode, output } = await check(parse(text.replace("raise:", "rise:")));
      expect([exitCode, output]).not.toEqual([0, "\n"]);
    });
  },
);
