import { meantVariable } from "../dataform/run-variables.ts";
import type { RunCompiled } from "../dataform/selection.ts";
import type { ScheduledRun } from "../generate/usual-runs.ts";
import { suggest } from "../project/near.ts";
import { show } from "../project/problems.ts";
import type { Misfit } from "./cron.ts";

/** What of a project its runs have to fit; asked only where a run names tags or variables. */
export interface ScheduledProject {
  /** The variables that its own code reads. */
  readonly variables: () => Promise<readonly string[]>;
  /** What a run with these variables is of. */
  readonly compile: (vars: ScheduledRun["vars"]) => Promise<RunCompiled>;
}

/** Something wrong with a run, and where it stands in the description. */
type Misplaced = Misfit & { readonly path: string };

/**
 * What runs name that the project does not know: a variable that is a slip, a value that it refuses, a tag that no action has, or none that such
 * a run has. Each would run nothing, or nothing but a plain run, without a word. Compiles once for each set of variables.
 */
export async function misfitsOfRuns(
  described: readonly { readonly path: string; readonly list: readonly ScheduledRun[] }[],
  { variables, compile }: ScheduledProject,
): Promise<readonly Misplaced[]> {
  const runs = described
    .flatMap(({ path, list }) => list.map((run, index) => ({ ...run, path: `${path}[${index}]` })))
    .filter(({ tags, vars }) => tags.length > 0 || Object.keys(vars).length > 0);
  if (runs.length === 0) return [];
  const own = await variables();
  const compiled = new Map<string, Promise<RunCompiled>>();
  const found: Misplaced[] = [];
  for (const { path, tags, vars } of runs) {
    const slips = Object.keys(vars).flatMap((name): Misplaced[] => {
      const meant = meantVariable(name, own);
      const wrong = `${show(name)} is no run variable`;
      return meant === undefined
        ? []
        : [{ path: `${path}.vars.${name}`, wrong, right: `did you mean ${meant}?` }];
    });
    found.push(...slips);
    if (slips.length > 0) continue;
    const key = JSON.stringify(Object.entries(vars).sort());
    const graph = compiled.get(key) ?? compile(vars);
    compiled.set(key, graph);
    found.push(...misfitsIn(await graph, path, tags));
  }
  return found;
}

function misfitsIn(graph: RunCompiled, path: string, tags: readonly string[]): readonly Misplaced[] {
  if ("refusal" in graph) {
    // In the words of includes/run.js: `audit is "yes"; write audit=true or leave it out`.
    const [wrong = "", right = ""] = graph.refusal.split(/; (.*)/s);
    const name = /^(\w+) is "/.exec(wrong)?.[1];
    return [{ path: `${path}.vars${name === undefined ? "" : `.${name}`}`, wrong, right }];
  }
  return tags.flatMap((tag, index): Misplaced[] => {
    const place = `${path}.tags[${index}]`;
    if (!graph.tags.includes(tag))
      return [
        {
          path: place,
          wrong: `no action of the project has the tag ${show(tag)}`,
          right: suggest(tag, graph.tags),
        },
      ];
    if (graph.runs.includes(tag)) return [];
    const right =
      tag === "audit" ? 'write "vars": {"audit": "true"} beside it' : "see what `disabled` in them asks for";
    return [{ path: place, wrong: `each action with the tag ${show(tag)} is disabled in such a run`, right }];
  });
}
