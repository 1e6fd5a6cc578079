import { compileProject } from "../../generator/src/dataform/compiler.ts";
import { type Action, nameOf, planActions } from "../exactness/dataform.ts";
import type { TestProject } from "./harness.ts";

/** What a run is of: `--vars` and `--tags`. */
interface Run {
  readonly vars?: Readonly<Record<string, string>>;
  readonly tag?: string;
}

/**
 * Runs of a project whose files stay as they are, without the seconds that each start of the Dataform CLI takes: the jobs that it
 * would start (test/exactness/command-line.test.ts holds that they are), in an order that it may have.
 */
export class PlannedRuns {
  readonly #project: () => TestProject;
  readonly #plans = new Map<string, Promise<Action[]>>();

  constructor(project: () => TestProject) {
    this.#project = project;
  }

  /** What failed, as the CLI names it; "" where nothing did. What depends on a failed action is not run. */
  async run({ vars = {}, tag }: Run = {}): Promise<string> {
    const key = JSON.stringify(vars);
    const planned = this.#plans.get(key) ?? compileProject(this.#project().root, { vars }).then(planActions);
    this.#plans.set(key, planned);
    const failures = new Map<string, string>();
    const left = new Set<string>();
    for (const action of await planned) {
      if (tag !== undefined && !action.tags.includes(tag)) continue;
      const name = nameOf(action.target);
      if (action.dependencies.some((needed) => left.has(nameOf(needed)))) left.add(name);
      else {
        const failure = await this.#runAction(action);
        if (failure !== undefined) {
          failures.set(name, failure);
          left.add(name);
        }
      }
    }
    return [...failures].map(([name, failure]) => `${failure} ${name}`).join("\n");
  }

  async #runAction({ kind, target, jobs, incrementalJobs }: Action): Promise<string | undefined> {
    const { client } = this.#project();
    const table = client.dataset(target.schema).table(target.name);
    const isThere = incrementalJobs !== undefined && (await table.exists())[0];
    let last: unknown[] = [];
    try {
      for (const query of isThere ? incrementalJobs : jobs) [last] = await client.query({ query });
    } catch (error) {
      return `failed: ${String(error)}:`;
    }
    const found = kind === "assertion" && (last[0] as { row_count: number | null }).row_count;
    return found ? "Assertion failed:" : undefined;
  }
}
