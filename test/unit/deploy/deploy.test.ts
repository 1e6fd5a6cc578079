import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
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
    const [, id] = /account_id\s+= "(.+)"/.exec(read("deploy/terraform/main.tf")) ?? [];
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

  it("grants rows in the datasets, jobs in the project, and nothing wider", () => {
    expect(names(/role\s+= "(.+)"/g)).toEqual([
      "roles/bigquery.dataEditor",
      "roles/bigquery.jobUser",
      "roles/iam.workloadIdentityUser",
      "roles/secretmanager.secretAccessor",
    ]);
    const project = /resource "google_project_iam_member"[^}]+/.exec(text)?.[0];
    expect(project).toContain("roles/bigquery.jobUser");
    expect(text.match(/google_project_iam_member/g)).toHaveLength(1);
  });

  it("takes project, location and datasets from the project's own settings", () => {
    for (const setting of ["defaultDatabase", "defaultLocation", "defaultSchema", "assertionSchema"])
      expect(text).toContain(`local.dataform.${setting}`);
    const { defaultDatabase, defaultSchema } = JSON.parse(read("dataform.json")) as Record<string, string>;
    expect(text).not.toContain(`"${defaultDatabase}"`);
    expect(text).not.toContain(`"${defaultSchema}"`);
  });
});
