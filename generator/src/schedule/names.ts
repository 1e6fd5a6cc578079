import type { ScheduledRun } from "../generate/usual-runs.ts";
import type { Environment } from "../project/config.ts";
import { onlyReadsUpdates } from "../project/environments.ts";

/** What names of releases call the project's own place, where environments have their names. */
export const OWN_PLACE = "production";

/** The longest name that workflows and releases have, as Cloud Run's jobs. */
const LONGEST = 63;

/** A run as managed Dataform has it: a workflow of a release. */
export interface NamedRun extends ScheduledRun {
  readonly workflow: string;
  readonly release: string;
}

/** A place where runs run: the project's own, or an environment. */
export interface Place {
  readonly environment?: Environment;
  readonly runs: readonly ScheduledRun[];
  /** Where the runs stand in the description; empty for the usual ones. */
  readonly path: string;
}

/** The runs of a place under their names there: an environment that only reads the updates erases none. */
export function nameRuns({ environment, runs }: Omit<Place, "path">): readonly NamedRun[] {
  return runs
    .filter(({ tags }) => !(tags.includes("erase") && onlyReadsUpdates(environment)))
    .map((run) => ({
      ...run,
      workflow: environment === undefined ? run.name : `${environment.name}-${run.name}`,
      release: nameRelease(environment?.name ?? OWN_PLACE, run.vars),
    }));
}

/** The name of a release: its place's, and with variables one that says them, as deploy/terraform makes it too. */
export function nameRelease(place: string, vars: ScheduledRun["vars"]): string {
  const named = sorted(vars).map(([name, value]) => `-${name}-${value}`);
  return `${place}${named.join("")}`.toLowerCase().replace(/[^a-z0-9-]/g, "-");
}

function sorted(vars: ScheduledRun["vars"]): readonly (readonly [name: string, value: string])[] {
  return Object.entries(vars).sort(([one], [other]) => (one < other ? -1 : 1));
}

/** What is wrong with names of workflows and releases, at the run that is called wrongly: two of one name, or one that is too long. */
export function misfitsOfNames(
  places: readonly Place[],
): readonly { readonly path: string; readonly wrong: string; readonly right: string }[] {
  const taken = new Map<string, { readonly meant: string; readonly by: string }>();
  return places.flatMap((place) =>
    nameRuns(place).flatMap(({ name: run, vars, workflow, release }) => {
      const where = place.environment === undefined ? "" : ` of environment ${place.environment.name}`;
      const by = `run ${run}${where}`;
      const index = place.runs.findIndex(({ name }) => name === run);
      const path = place.path === "" ? "" : `${place.path}[${index}]`;
      // Runs of one place with the same variables share a release; a workflow is of one run.
      const named = [
        { kind: "workflow", name: workflow, meant: by, right: "give one of them another name" },
        {
          kind: "release",
          name: release,
          meant: JSON.stringify([where, sorted(vars)]),
          right: "let vars or names differ by letters or digits, in more than case",
        },
      ];
      return named.flatMap(({ kind, name, meant, right }) => {
        const key = `${kind} ${name.toLowerCase()}`;
        const other = taken.get(key);
        if (other === undefined) taken.set(key, { meant, by });
        if (other !== undefined && other.meant !== meant)
          return [{ path, wrong: `${by} would have the ${kind} ${name}, as ${other.by} has`, right }];
        if (name.length > LONGEST)
          return [
            {
              path,
              wrong: `the ${kind} of ${by} would have a name of ${name.length} letters`,
              right: `make it shorter: ${LONGEST} at most with environment and vars`,
            },
          ];
        return [];
      });
    }),
  );
}
