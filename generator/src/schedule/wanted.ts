import type { Settings } from "../project/dataform-json.ts";
import type { Schedule, ScheduledRun } from "./description.ts";

/** What managed Dataform is to have, in the words of its API: https://cloud.google.com/dataform/reference/rest */
export interface Wanted {
  readonly repository: {
    readonly name: string;
    readonly serviceAccount: string;
    readonly gitRemoteSettings: {
      readonly url: string;
      readonly defaultBranch: string;
      readonly authenticationTokenSecretVersion: string;
    };
  };
  readonly releases: readonly {
    readonly name: string;
    readonly gitCommitish: string;
    readonly cronSchedule: string;
    readonly timeZone: string;
    readonly codeCompilationConfig: {
      readonly defaultDatabase: string;
      readonly defaultLocation: string;
      readonly vars: Readonly<Record<string, string>>;
    };
  }[];
  readonly workflows: readonly {
    readonly name: string;
    readonly releaseConfig: string;
    readonly cronSchedule: string;
    readonly timeZone: string;
    readonly invocationConfig: { readonly serviceAccount: string; readonly includedTags: readonly string[] };
  }[];
}

/** The repository, and for each run a workflow; runs with the same variables share a release, since a release holds them. Pure. */
export function describeWanted(schedule: Schedule, { projectId, location }: Settings): Wanted {
  const parent = `projects/${projectId}/locations/${schedule.region}/repositories/${schedule.repository}`;
  const releases = new Map(schedule.runs.map((run) => [releaseOf(run), run.vars]));
  return {
    repository: {
      name: parent,
      serviceAccount: schedule.serviceAccount,
      gitRemoteSettings: {
        url: schedule.git.url,
        defaultBranch: schedule.git.branch,
        authenticationTokenSecretVersion: `projects/${projectId}/secrets/${schedule.git.tokenSecret}/versions/latest`,
      },
    },
    releases: [...releases].map(([name, vars]) => ({
      name: `${parent}/releaseConfigs/${name}`,
      gitCommitish: schedule.git.branch,
      cronSchedule: schedule.compile,
      timeZone: schedule.timeZone,
      codeCompilationConfig: { defaultDatabase: projectId, defaultLocation: location, vars },
    })),
    workflows: schedule.runs.map((run) => ({
      name: `${parent}/workflowConfigs/${run.name}`,
      releaseConfig: `${parent}/releaseConfigs/${releaseOf(run)}`,
      cronSchedule: run.cron,
      timeZone: schedule.timeZone,
      invocationConfig: { serviceAccount: schedule.serviceAccount, includedTags: run.tags },
    })),
  };
}

/** The release of a run: `production`, and with variables a name that says them, as deploy/terraform makes it too. */
function releaseOf({ vars }: ScheduledRun): string {
  const named = Object.entries(vars)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `-${name}-${value}`);
  return `production${named.join("")}`.toLowerCase().replace(/[^a-z0-9-]/g, "-");
}
