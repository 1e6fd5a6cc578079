import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { usualRuns } from "../../../generator/src/generate/usual-runs.ts";
import { readInstructions } from "../../e2e/dockerfile.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const packageJson = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
const tool = JSON.parse(read("generator/package.json")) as { engines: { node: string } };

describe.each([
  ["deploy", ROOT],
  // Packages and a lock file are those of a project that has been installed.
  ["generator/scaffold/deploy", undefined],
])("%s/Dockerfile", (folder, root) => {
  const text = read(`${folder}/Dockerfile`);
  const instructions = readInstructions(text);
  const copied = instructions
    .filter(([instruction, rest]) => instruction === "COPY" && !rest.startsWith("--from"))
    .flatMap(([, rest]) => rest.split(" ").slice(0, -1));

  it("pins its base by version, at or above the tool's floor", () => {
    const bases = instructions.filter(([instruction]) => instruction === "FROM").map(([, rest]) => rest);
    expect(new Set(bases.map((base) => base.replace(/ AS \w+$/, ""))).size).toBe(1);
    const [, major] = /^node:(\d+)\.\d+\.\d+-[a-z]+-slim/.exec(bases[0] ?? "") ?? [];
    expect(Number(major)).toBeGreaterThanOrEqual(Number(tool.engines.node.replace(">=", "")));
  });

  it("installs what is locked, and runs as nobody in particular", () => {
    expect(text).toMatch(/^RUN npm ci --include=dev /m);
    expect(text).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
    expect(text.indexOf("USER ")).toBeLessThan(text.indexOf("ENTRYPOINT "));
  });

  it("runs a script that package.json has", () => {
    const entryPoint = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(text)?.[1] ?? "[]") as string[];
    expect(entryPoint).toEqual(["npm", "run", "--silent", "update", "--"]);
    expect(packageJson.scripts).toHaveProperty("update");
  });

  it("copies what the ignore file lets through, and no more", () => {
    const allowed = [...read(`${folder}/Dockerfile.dockerignore`).matchAll(/^!(.+)$/gm)].map(
      ([, name]) => name,
    );
    expect([...new Set(copied)].sort()).toEqual(allowed.sort());
    if (root !== undefined)
      for (const name of copied) expect(existsSync(path.join(root, name)), name).toBe(true);
  });
});

describe("deploy/kubernetes", () => {
  const folder = "deploy/kubernetes";
  const kustomization = parse(read(`${folder}/kustomization.yaml`)) as {
    namespace: string;
    resources: string[];
    replacements: { source: { fieldPath: string }; targets: { fieldPaths: string[] }[] }[];
  };
  interface Container {
    name: string;
    args: string[];
    resources: { requests: object; limits: object };
    securityContext: object;
    volumeMounts: { mountPath: string }[];
  }
  const cronJob = parse(read(`${folder}/cron-job.yaml`)) as {
    metadata: { name: string };
    spec: {
      schedule: string;
      timeZone: string;
      concurrencyPolicy: string;
      jobTemplate: {
        spec: {
          backoffLimit: number;
          activeDeadlineSeconds: number;
          template: {
            spec: {
              serviceAccountName: string;
              restartPolicy: string;
              securityContext: { runAsNonRoot: boolean; runAsUser: number };
              containers: Container[];
            };
          };
        };
      };
    };
  };
  const job = cronJob.spec.jobTemplate.spec;
  const pod = job.template.spec;

  it("lists every manifest of the folder", () => {
    const manifests = readdirSync(path.join(ROOT, folder)).filter((file) =>
      /^(?!kustomization).*\.yaml$/.test(file),
    );
    expect([...kustomization.resources].sort()).toEqual(manifests.sort());
  });

  it("runs one update at a time, within bounds", () => {
    expect(cronJob.spec).toMatchObject({ concurrencyPolicy: "Forbid", timeZone: "Etc/UTC" });
    expect(cronJob.spec.schedule).toMatch(/^(\S+ ){4}\S+$/);
    expect(job.backoffLimit).toBeLessThanOrEqual(3);
    expect(job.activeDeadlineSeconds).toBeLessThan(3600);
    expect(pod.restartPolicy).toBe("Never");
  });

  it("audits and erases too, by CronJobs that are otherwise the same", () => {
    const runs = usualRuns([{ name: "user", deleted: "isDeleted" }]);
    expect(runs.map(({ name }) => name)).toEqual(["update", "audit", "erase"]);
    for (const { name, cron, tags } of runs) {
      const isFirst = name === "update";
      const own = parse(read(`${folder}/${isFirst ? "cron-job" : name}.yaml`)) as typeof cronJob;
      const expected = structuredClone(cronJob);
      if (!isFirst) expected.metadata.name += `-${name}`;
      expected.spec.schedule = cron;
      for (const container of expected.spec.jobTemplate.spec.template.spec.containers)
        container.args = tags.map((tag) => `--tags=${tag}`);
      expect(own, name).toEqual(expected);
    }
  });

  it("gives the container no more than it needs", () => {
    const [container] = pod.containers;
    const user = Number(/^USER (\d+):/m.exec(read("deploy/Dockerfile"))?.[1]);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: user });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container?.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(["/tmp"]);
    expect(container?.resources).toMatchObject({
      requests: { cpu: expect.any(String), memory: expect.any(String) },
      limits: { memory: expect.any(String) },
    });
  });

  it("acts as the account that Terraform makes, through settings.env alone", () => {
    const account = parse(read(`${folder}/service-account.yaml`)) as {
      metadata: { name: string; annotations: Record<string, string> };
    };
    expect(pod.serviceAccountName).toBe(account.metadata.name);
    expect(Object.keys(account.metadata.annotations)).toEqual(["iam.gke.io/gcp-service-account"]);
    const [, id] = /account_id = try\(.*, "(.+)"\)$/m.exec(read("deploy/terraform/main.tf")) ?? [];
    const settings = new Map(
      [...read(`${folder}/settings.env`).matchAll(/^(\w+)=(.+)$/gm)].map(([, key, value]) => [key, value]),
    );
    expect(settings.get("googleServiceAccount")).toBe(`${id}@PROJECT.iam.gserviceaccount.com`);
    expect(kustomization.replacements.map(({ source }) => source.fieldPath)).toEqual(
      [...settings.keys()].map((key) => `data.${key}`),
    );
    const fields = kustomization.replacements.flatMap(({ targets }) =>
      targets.flatMap(({ fieldPaths }) => fieldPaths),
    );
    expect(fields[0]).toContain(`[name=${pod.containers[0]?.name}]`);
  });
});

describe("deploy/terraform", () => {
  const folder = "deploy/terraform";
  const files = readdirSync(path.join(ROOT, folder)).filter((file) => file.endsWith(".tf"));
  const text = files.map((file) => read(`${folder}/${file}`)).join("\n");
  const names = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();

  it("bills datasets by logical bytes, with time travel as long as the runs that read by it need", () => {
    const main = read(`${folder}/main.tf`);
    expect(main).toMatch(/^ {2}storage_billing_model = "LOGICAL"$/m);
    expect(main).toMatch(/condition\s+= var\.time_travel_hours >= local\.needed_time_travel_hours$/m);
  });

  it("declares each variable that it uses, describes it, and uses each that it declares", () => {
    expect(names(/\bvar\.(\w+)/g)).toEqual(names(/^variable "(\w+)"/gm));
    expect(text.match(/^variable /gm)).toHaveLength(
      text.match(/^variable "\w+" \{\n {2}description = ".+\."$/gm)?.length ?? 0,
    );
  });

  it("refers only to resources that it has", () => {
    const declared = [...text.matchAll(/^resource "(\w+)" "(\w+)"/gm)].map(
      ([, type, name]) => `${type}.${name}`,
    );
    for (const name of names(/\b(google_\w+\.\w+)/g)) expect(declared).toContain(name);
    expect(declared).toEqual(
      expect.arrayContaining([
        "google_bigquery_dataset.datasets",
        "google_dataform_repository_release_config.updater",
        "google_dataform_repository_workflow_config.updater",
      ]),
    );
  });

  const blocks = [...text.matchAll(/^resource "(\w+)" "(\w+)" \{\n([\s\S]*?)^\}/gm)].map(
    ([, type = "", name = "", body = ""]) => ({ type, name, body }),
  );
  const grants = blocks
    .filter(({ type }) => /_iam_member$/.test(type))
    .map(({ type, name, body }) => {
      const list = /^ {2}for_each.*toset\(\["(.*)"\]\)$/m.exec(body)?.[1]?.split('", "');
      const role = /^ {2}role\s+= "(.*)"$/m.exec(body)?.[1] ?? list?.join() ?? "";
      return `${type.replace(/^google_|_iam_member$/g, "")} ${name}: ${role}`;
    });

  it("grants rows in the datasets, jobs in the project, and nothing wider", () => {
    expect(grants.sort()).toEqual([
      "bigquery_dataset updater: roles/bigquery.dataEditor",
      // https://cloud.google.com/run/docs/execute/jobs-on-schedule
      "cloud_run_v2_job starter: roles/run.invoker",
      // https://cloud.google.com/dataform/docs/schedule-runs
      "dataform_repository starters: roles/dataform.editor",
      // https://cloud.google.com/workflows/docs/schedule-workflow
      // The project of an environment that has one of its own.
      "project elsewhere: roles/bigquery.jobUser",
      "project starter: roles/workflows.invoker",
      "project updater: roles/bigquery.jobUser",
      "secret_manager_secret dataform: roles/secretmanager.secretAccessor",
      // https://cloud.google.com/dataform/docs/strict-act-as-mode
      "service_account dataform: roles/iam.serviceAccountTokenCreator,roles/iam.serviceAccountUser",
      "service_account github: roles/iam.workloadIdentityUser",
      "service_account gitlab: roles/iam.workloadIdentityUser",
      "service_account kubernetes: roles/iam.workloadIdentityUser",
      "service_account starters: roles/iam.serviceAccountUser",
    ]);
  });

  it("switches on the service of each of its resources, and those that lend accounts, before them", () => {
    const main = read(`${folder}/main.tf`);
    const on = [...main.matchAll(/"(\w+)\.googleapis\.com"/g)].map(([, name]) => name);
    const services: readonly (readonly [RegExp, readonly string[]])[] = [
      [/^google_bigquery_/, ["bigquery"]],
      // A role in a project is set through its own service.
      [/^google_project_iam_member$/, ["cloudresourcemanager"]],
      [/^google_project_service$/, ["serviceusage"]],
      [/^google_service_account/, ["iam", "iamcredentials"]],
      [/^google_iam_workload_identity_pool/, ["iam", "sts", "iamcredentials"]],
      [/^google_(dataform|project_service_identity)/, ["dataform"]],
      [/^google_secret_manager/, ["secretmanager"]],
      [/^google_cloud_run/, ["run"]],
      [/^google_cloud_scheduler/, ["cloudscheduler"]],
      [/^google_workflows/, ["workflows", "workflowexecutions"]],
      [/^google_logging/, ["logging"]],
      [/^google_monitoring/, ["monitoring"]],
    ];
    for (const { type } of blocks) {
      const needed = services.filter(([pattern]) => pattern.test(type)).flatMap(([, names]) => names);
      expect(needed.length, type).toBeGreaterThan(0);
      expect(on, type).toEqual(expect.arrayContaining([...needed]));
    }
    // Whoever acts as an account is lent it by this one, be it GitHub, GitLab, Kubernetes or Cloud Scheduler.
    expect(main).toMatch(/^ {4}\[.*"iamcredentials\.googleapis\.com"\],$/m);
    for (const { type, name, body } of blocks)
      if (/^google_(bigquery_dataset|service_account|cloud_run_v2_job|workflows_workflow)$/.test(type))
        expect(body, name).toContain("depends_on = [google_project_service.services]");
  });

  it("makes the account that schedule.json names, and runs as it", () => {
    expect(read(`${folder}/main.tf`)).toMatch(
      /account_id = try\(split\("@", local\.schedule\.serviceAccount\)\[0\], /,
    );
    const updater = blocks.find(({ type, name }) => `${type}.${name}` === "google_service_account.updater");
    expect(updater?.body).toMatch(/account_id\s+= local\.account_id/);
    for (const type of [
      "google_dataform_repository",
      "google_dataform_repository_workflow_config",
      "google_cloud_run_v2_job",
    ])
      expect(blocks.find((block) => block.type === type)?.body, type).toMatch(
        /service_account\s+= google_service_account\.updater\.email/,
      );
  });

  it("takes project, location and datasets from the project's own settings", () => {
    for (const setting of ["defaultDatabase", "defaultLocation", "defaultSchema", "assertionSchema"])
      expect(text).toContain(`local.dataform.${setting}`);
    const { defaultDatabase, defaultSchema } = JSON.parse(read("dataform.json")) as Record<string, string>;
    expect(text).not.toContain(`"${defaultDatabase}"`);
    expect(text).not.toContain(`"${defaultSchema}"`);
  });
});
