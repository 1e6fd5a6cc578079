import { z } from "zod";
import { type ScheduledRun, usualRuns } from "../generate/usual-runs.ts";
import { type Environment, parseConfig, parseEnvironments } from "../project/config.ts";
import { parseJson, withPlaces } from "../project/json.ts";
import { suggest } from "../project/near.ts";
import { InputError, ProblemList, show } from "../project/problems.ts";
import { type ReadProjectFile, readInput } from "../project/read-file.ts";
import { say, strict, validate } from "../project/validate.ts";
import { type Misfit, misfitOfCron, misfitOfZone } from "./cron.ts";
import { misfitsOfRuns, type ScheduledProject } from "./misfits-of-runs.ts";
import { misfitsOfNames, nameRelease, OWN_PLACE, type Place } from "./names.ts";

/** The file that says when managed Dataform runs what; Terraform reads it too. */
export const SCHEDULE_FILE = "schedule.json";
const CONFIG_FILE = "entities.json";

/** Where managed Dataform finds the project, and when it runs what. */
export interface Schedule {
  readonly region: string;
  readonly repository: string;
  readonly git: { readonly url: string; readonly branch: string; readonly tokenSecret: string };
  /** The account that runs act as. */
  readonly serviceAccount: string;
  readonly timeZone: string;
  /** When the branch is compiled: shortly before the runs. */
  readonly compile: string;
  /** Who starts the runs: Dataform by their cron schedules, or others, such as Airflow, and then it starts none. */
  readonly startedBy: (typeof STARTERS)[number];
  readonly runs: readonly ScheduledRun[];
  /** What environments of entities.json have otherwise, by their names. */
  readonly environments: Readonly<
    Record<string, { readonly branch?: string; readonly runs?: readonly ScheduledRun[] }>
  >;
}

const EXAMPLE = `{"region": "europe-west1", "git": {"url": "https://github.com/acme/customers.git", "tokenSecret": "git-token"}, "serviceAccount": "user-info-updater@my-project.iam.gserviceaccount.com"}`;

const text = (right: string, pattern = /./) =>
  z
    .string({ error: ({ input }) => fault(input, right) })
    .regex(pattern, { error: ({ input }) => fault(input, right) });

const STARTERS = ["dataform", "others"] as const;
/** Cloud Run's jobs are called `user-info-` and this, in 63 letters at most. */
const RUN_NAME = /^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/;
const REPOSITORY = /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/;
const cron = checked('a cron schedule, such as "7 * * * *"', misfitOfCron);

const run = strict(
  "a run",
  {
    name: text("a name of at most 53 small letters, digits and dashes", RUN_NAME),
    cron,
    tags: z
      .array(text("a tag"), { error: ({ input }) => fault(input, 'tags, such as ["audit"]') })
      .default([]),
    vars: z
      .record(z.string(), text('a text, such as "true"'), {
        error: ({ input }) => fault(input, 'run variables, such as {"audit": "true"}'),
      })
      .default({}),
  },
  (input) => fault(input, '{"name": "update", "cron": "7 * * * *"}'),
);

const runs = z
  .array(run, {
    error: ({ input }) => fault(input, 'runs, such as [{"name": "update", "cron": "7 * * * *"}]'),
  })
  .min(1, { error: () => say("is empty", "leave it out for the usual runs") })
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
    error: () => say("two runs have the same name", "give each its own"),
  });

const schedule = strict(
  "schedule.json",
  {
    $schema: text("a path").optional(),
    region: text('a region of Dataform, such as "europe-west1"', /^[a-z]+-[a-z]+\d+$/),
    repository: text("a name of small letters, digits, dashes and underscores", REPOSITORY).default(
      "user-info-updater",
    ),
    git: strict(
      "git",
      {
        url: text(
          'the HTTPS address of the repository, such as "https://github.com/acme/customers.git"',
          /^https:\/\//,
        ),
        branch: text("a branch").default("main"),
        tokenSecret: text(
          "the name of the Secret Manager secret that holds a token to read the repository",
          /^[\w-]+$/,
        ),
      },
      (input) => fault(input, '{"url": "https://…", "tokenSecret": "git-token"}'),
    ),
    serviceAccount: text(
      'the account that runs act as, such as "user-info-updater@my-project.iam.gserviceaccount.com"',
      /^[^@\s]+@[^@\s]+$/,
    ),
    timeZone: checked('a time zone, such as "Etc/UTC"', misfitOfZone).default("Etc/UTC"),
    compile: cron.default("0 * * * *"),
    startedBy: z
      .enum(STARTERS, { error: ({ input }) => fault(input, STARTERS.map(show).join(" or ")) })
      .default("dataform"),
    runs: runs.optional(),
    environments: z
      .record(
        z.string(),
        strict("the environment", { branch: text("a branch").optional(), runs: runs.optional() }, (input) =>
          fault(input, '{"branch": "dev"}'),
        ),
        { error: ({ input }) => fault(input, 'environments by name, such as {"dev": {"branch": "dev"}}') },
      )
      .default({}),
  },
  (input) => fault(input, EXAMPLE),
);

/**
 * Reads `schedule.json`, with the usual runs of entities.json where it names none; throws an InputError with everything that is wrong, by file and
 * place; where the project is given, what its runs name that it does not know too. Of the environments only those count that the file names, or that
 * is asked for: others have nothing in Dataform.
 */
export async function readSchedule(
  read: ReadProjectFile,
  project?: ScheduledProject,
  asked?: string,
): Promise<Schedule> {
  const found = await read(SCHEDULE_FILE);
  if (found === undefined)
    throw new InputError([
      { file: SCHEDULE_FILE, path: "", wrong: "no such file here", right: `write one: ${EXAMPLE}` },
    ]);
  const given = withPlaces(new Map([[SCHEDULE_FILE, found]]), () =>
    validate(schedule, parseJson(found, SCHEDULE_FILE), SCHEDULE_FILE),
  );
  const config = await readInput(read, CONFIG_FILE);
  const runs = given.runs ?? usualRuns(parseConfig(config, CONFIG_FILE));
  const all = parseEnvironments(config, CONFIG_FILE);
  const environments = all.filter(({ name }) => name === asked || Object.hasOwn(given.environments, name));
  const places = [undefined, ...environments].map((environment): Place => {
    const own = given.environments[environment?.name ?? ""]?.runs;
    const shared = given.runs === undefined ? "" : "runs";
    return {
      environment,
      runs: own ?? runs,
      path: own === undefined ? shared : `environments.${environment?.name}.runs`,
    };
  });
  const texts = new Map([
    [SCHEDULE_FILE, found],
    [CONFIG_FILE, config],
  ]);
  withPlaces(texts, () => {
    refuseUnknown(Object.keys(given.environments), all);
    refuseTwins(environments);
    const problems = new ProblemList(SCHEDULE_FILE);
    for (const { path, wrong, right } of misfitsOfNames(places)) problems.add(path, wrong, right);
    problems.throwIfAny();
  });
  const described = [
    { path: "runs", list: given.runs ?? [] },
    ...Object.entries(given.environments).map(([name, own]) => ({
      path: `environments.${name}.runs`,
      list: own.runs ?? [],
    })),
  ];
  if (project !== undefined) {
    const problems = await misfitsOfRuns(described, project);
    withPlaces(texts, () => {
      const unfit = new ProblemList(SCHEDULE_FILE);
      for (const { path, wrong, right } of problems) unfit.add(path, wrong, right);
      unfit.throwIfAny();
    });
  }
  return { ...given, runs };
}

/** An environment has to be one of entities.json. */
function refuseUnknown(named: readonly string[], environments: readonly Environment[]): void {
  const names = environments.map(({ name }) => name);
  const unknown = new ProblemList(SCHEDULE_FILE);
  for (const name of named.filter((one) => !names.includes(one)))
    unknown.add(
      `environments.${name}`,
      `${CONFIG_FILE} has no environment ${show(name)}`,
      suggest(name, names),
    );
  unknown.throwIfAny();
}

/** An environment's releases must not take the names of another place's. */
function refuseTwins(environments: readonly Environment[]): void {
  const twins = new ProblemList(CONFIG_FILE);
  const taken = new Map([[OWN_PLACE, "the project's own"]]);
  for (const { name } of environments) {
    const release = nameRelease(name, {});
    const other = taken.get(release);
    if (other !== undefined)
      twins.add(
        `environments.${name}`,
        `releases of the environment ${show(name)} would be called ${release}, as ${other} are`,
        "give the environment another name",
      );
    taken.set(release, `those of ${show(name)}`);
  }
  twins.throwIfAny();
}

/** A text that a function finds nothing wrong with. */
function checked(right: string, misfitOf: (text: string) => Misfit | undefined) {
  return z.string({ error: ({ input }) => fault(input, right) }).superRefine((value, context) => {
    const misfit = misfitOf(value);
    if (misfit !== undefined) context.addIssue({ code: "custom", message: say(misfit.wrong, misfit.right) });
  });
}

function fault(input: unknown, right: string): string {
  return say(input === undefined ? "missing" : `${show(input)} does not fit`, `write ${right}`);
}
