import type { Environment } from "../project/config.ts";
import type { Settings } from "../project/dataform-json.ts";
import { overridesOf } from "../project/environments.ts";
import type { Schedule } from "./description.ts";
import { nameRuns } from "./names.ts";

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
      readonly schemaSuffix?: string;
      readonly tablePrefix?: string;
      readonly vars: Readonly<Record<string, string>>;
    };
  }[];
  readonly workflows: readonly {
    readonly name: string;
    readonly releaseConfig: string;
    /** Empty where others start the run. */
    readonly cronSchedule: string;
    readonly timeZone: string;
    readonly invocationConfig: { readonly serviceAccount: string; readonly includedTags: readonly string[] };
  }[];
}

/**
 * The repository, and for each run a workflow; runs with the same variables share a release, since a release holds them. An environment
 * has releases and workflows of its own in the project's one repository, and erases nothing where it only reads the updates. Pure.
 */
export function describeWanted(
  schedule: Schedule,
  { projectId, location }: Pick<Settings, "projectId" | "location">,
  environment?: Environment,
): Wanted {
  const parent = `projects/${projectId}/locations/${schedule.region}/repositories/${schedule.repository}`;
  const own = schedule.environments[environment?.name ?? ""];
  const runs = nameRuns({ environment, runs: own?.runs ?? schedule.runs });
  const releases = new Map(runs.map(({ release, vars }) => [release, vars]));
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
      gitCommitish: own?.branch ?? schedule.git.branch,
      cronSchedule: schedule.compile,
      timeZone: schedule.timeZone,
      codeCompilationConfig: {
        defaultDatabase: projectId,
        defaultLocation: location,
        ...overridesOf(environment),
        vars,
      },
    })),
    workflows: runs.map((run) => ({
      name: `${parent}/workflowConfigs/${run.workflow}`,
      releaseConfig: `${parent}/releaseConfigs/${run.release}`,
      cronSchedule: schedule.startedBy === "others" ? "" : run.cron,
      timeZone: schedule.timeZone,
      invocationConfig: { serviceAccount: schedule.serviceAccount, includedTags: run.tags },
    })),
  };
}
