import { z } from "zod";
import { type ScheduledRun, usualRuns } from "../generate/usual-runs.ts";
import { parseConfig } from "../project/config.ts";
import { parseJson, withPlaces } from "../project/json.ts";
import { suggest } from "../project/near.ts";
import { InputError, ProblemList, show } from "../project/problems.ts";
import { type ReadProjectFile, readInput } from "../project/read-file.ts";
import { say, strict, validate } from "../project/validate.ts";
import { type Misfit, misfitOfCron, misfitOfZone } from "./cron.ts";

/** The file that says when managed Dataform runs what; Terraform reads it too. */
const SCHEDULE_FILE = "schedule.json";
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
const NAME = /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/;
const cron = checked('a cron schedule, such as "7 * * * *"', misfitOfCron);

const run = strict(
  "a run",
  {
    name: text("a name of small letters, digits and dashes", NAME),
    cron,
    tags: z
      .array(text("a tag"), { error: ({ input }) => fault(input, 'tags, such as ["audit"]') })
      .default([]),
    vars: z.record(z.string(), text("a text")).default({}),
  },
  (input) => fault(input, '{"name": "update", "cron": "7 * * * *"}'),
);

const runs = z
  .array(run)
  .min(1, { error: () => say("is empty", "leave it out for the usual runs") })
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
    error: () => say("two runs have the same name", "give each its own"),
  });

const schedule = strict(
  "schedule.json",
  {
    $schema: z.string().optional(),
    region: text('a region of Dataform, such as "europe-west1"', /^[a-z]+-[a-z]+\d+$/),
    repository: text("a name of small letters, digits and dashes", NAME).default("user-info-updater"),
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
        z.string().regex(NAME, {
          error: ({ input }) => fault(input, "an environment's name in small letters, digits and dashes"),
        }),
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
 * place. The project's tags are asked for where a run of the file names some: a tag that no action has would run nothing, without a word.
 */
export async function readSchedule(
  read: ReadProjectFile,
  readTags?: () => Promise<readonly string[]>,
): Promise<Schedule> {
  const found = await read(SCHEDULE_FILE);
  if (found === undefined)
    throw new InputError([
      { file: SCHEDULE_FILE, path: "", wrong: "no such file here", right: `write one: ${EXAMPLE}` },
    ]);
  const given = withPlaces(new Map([[SCHEDULE_FILE, found]]), () =>
    validate(schedule, parseJson(found, SCHEDULE_FILE), SCHEDULE_FILE),
  );
  const lists = [
    { path: "runs", list: given.runs ?? [] },
    ...Object.entries(given.environments).map(([name, own]) => ({
      path: `environments.${name}.runs`,
      list: own.runs ?? [],
    })),
  ];
  if (readTags !== undefined && lists.some(({ list }) => list.some(({ tags }) => tags.length > 0))) {
    const known = await readTags();
    withPlaces(new Map([[SCHEDULE_FILE, found]]), () => {
      for (const { path, list } of lists) refuseUnknownTags(path, list, known);
    });
  }
  const entities = parseConfig(await readInput(read, CONFIG_FILE), CONFIG_FILE);
  return { ...given, runs: given.runs ?? usualRuns(entities) };
}

function refuseUnknownTags(path: string, list: readonly ScheduledRun[], known: readonly string[]): void {
  const problems = new ProblemList(SCHEDULE_FILE);
  for (const [index, { tags }] of list.entries())
    for (const [place, tag] of tags.entries())
      if (!known.includes(tag))
        problems.add(
          `${path}[${index}].tags[${place}]`,
          `no action of the project has the tag ${show(tag)}`,
          suggest(tag, known),
        );
  problems.throwIfAny();
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
