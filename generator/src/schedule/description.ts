import { z } from "zod";
import { parseJson, withPlaces } from "../project/json.ts";
import { InputError, show } from "../project/problems.ts";
import type { ReadProjectFile } from "../project/read-file.ts";
import { say, strict, validate } from "../project/validate.ts";

/** The file that says when managed Dataform runs what; Terraform reads it too. */
const SCHEDULE_FILE = "schedule.json";

/** One schedule: which actions, with which run variables, how often. */
export interface ScheduledRun {
  readonly name: string;
  /** A cron schedule in the description's time zone. */
  readonly cron: string;
  /** Only actions with one of these tags; all where there is none. */
  readonly tags: readonly string[];
  /** Run variables, as `--vars` takes them. */
  readonly vars: Readonly<Record<string, string>>;
}

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
  readonly runs: readonly ScheduledRun[];
  /** What environments of entities.json have otherwise, by their names. */
  readonly environments: Readonly<
    Record<string, { readonly branch?: string; readonly runs?: readonly ScheduledRun[] }>
  >;
}

/** What runs where the file does not say: everything each hour, and the audit each Sunday night. */
const RUNS: readonly ScheduledRun[] = [
  { name: "update", cron: "7 * * * *", tags: [], vars: {} },
  { name: "audit", cron: "37 3 * * 0", tags: ["audit"], vars: { audit: "true" } },
];

const EXAMPLE = `{"region": "europe-west1", "git": {"url": "https://github.com/acme/customers.git", "tokenSecret": "git-token"}, "serviceAccount": "user-info-updater@my-project.iam.gserviceaccount.com"}`;

const text = (right: string, pattern = /./) =>
  z
    .string({ error: ({ input }) => fault(input, right) })
    .regex(pattern, { error: ({ input }) => fault(input, right) });

const NAME = /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/;
const cron = text('five fields of a cron schedule, such as "7 * * * *"', /^\S+( \S+){4}$/);

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
    timeZone: text('a time zone, such as "Etc/UTC"').default("Etc/UTC"),
    compile: cron.default("0 * * * *"),
    runs: runs.default([...RUNS.map((one) => ({ ...one, tags: [...one.tags], vars: { ...one.vars } }))]),
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

/** Reads `schedule.json`; throws an InputError with everything that is wrong, by file and place. */
export async function readSchedule(read: ReadProjectFile): Promise<Schedule> {
  const found = await read(SCHEDULE_FILE);
  if (found === undefined)
    throw new InputError([
      { file: SCHEDULE_FILE, path: "", wrong: "no such file here", right: `write one: ${EXAMPLE}` },
    ]);
  return withPlaces(new Map([[SCHEDULE_FILE, found]]), () =>
    validate(schedule, parseJson(found, SCHEDULE_FILE), SCHEDULE_FILE),
  );
}

function fault(input: unknown, right: string): string {
  return say(input === undefined ? "missing" : `${show(input)} does not fit`, `write ${right}`);
}
