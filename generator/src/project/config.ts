import { z } from "zod";
import { parseJson, withPlaces } from "./json.ts";
import { columnNameFault, PROJECT_ID } from "./names.ts";
import { isObject, show } from "./problems.ts";
import { say, strict, validate } from "./validate.ts";

/** A span of time, as it goes into TIMESTAMP_SUB. */
export interface Lookback {
  readonly count: number;
  readonly unit: "SECOND" | "MINUTE" | "HOUR" | "DAY";
}

/** What becomes of an event timestamp that is later than its ingest timestamp by more than a limit (R4). */
export interface EventAhead {
  readonly limit: Lookback;
  /** Such an update is a bad one; otherwise it counts from its ingest timestamp. */
  readonly keepsOut: boolean;
}

/** Updates of others, which are only ever read: a table or a view, of this project or another one. */
export interface Source {
  readonly project?: string;
  readonly dataset: string;
  readonly table: string;
}

/** One entity of entities.json, checked and with its defaults filled in. */
export interface EntityConfig {
  readonly name: string;
  /** The schema file, as written in entities.json. */
  readonly schema: string;
  readonly key: readonly string[];
  readonly ingestTimestamp: string;
  readonly eventTimestamp?: string;
  /** As written: an entity without an event timestamp must have none. */
  readonly eventAhead?: EventAhead;
  readonly lookback: Lookback;
  /** What says which updates are new: their ingest timestamp, or when BigQuery committed them (R5). */
  readonly cursor: "ingestTimestamp" | "commit";
  readonly tables: { readonly updates: string; readonly temp: string; readonly final: string };
  /** Where the updates are, if they are others'. */
  readonly source?: Source;
  readonly clearedFields?: string;
  readonly deleted?: string;
  /** How long a merge into final may wait, where not every run merges (R13). */
  readonly mergeEvery?: Lookback;
  readonly dataset?: string;
  /** Where the entity stands in its file, for errors. */
  readonly path: string;
  /** The file it stands in. */
  readonly file: string;
}

const TABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,199}$/;
const LOOKBACK = /^(\d{1,9}) (second|minute|hour|day)s?$/;
/** Ten thousand days: TIMESTAMP_SUB must not leave TIMESTAMP's range. */
const MAX_LOOKBACK_SECONDS = 10_000 * 86_400;
/** As far back as BigQuery tells what was appended (https://cloud.google.com/bigquery/docs/time-travel). */
const TIME_TRAVEL_SECONDS = 7 * 86_400;
const SECONDS: Readonly<Record<string, number>> = { SECOND: 1, MINUTE: 60, HOUR: 3_600, DAY: 86_400 };

const text = (what: string) =>
  z
    .string({ error: ({ input }) => fault(input, what) })
    .min(1, { error: () => say("is empty", `write ${what}`) });

const tableName = (what: string) =>
  text(what).regex(TABLE_NAME, {
    error: ({ input }) =>
      say(`${show(input)} is not a table name`, "use letters, digits and underscores, a letter first"),
  });

const columnName = (what: string) =>
  text(what).refine((value) => columnNameFault(value) === undefined, {
    error: ({ input }) => say(`${show(input)} is not a column name`, `write ${what}`),
  });

const span = (example: string, tooLong: string) =>
  text(`a time such as "${example}"`)
    .regex(LOOKBACK, {
      error: ({ input }) =>
        say(
          `${show(input)} is not a time`,
          `write "<n> seconds", minutes, hours or days, such as "${example}"`,
        ),
    })
    .refine((value) => secondsOf(parseLookback(value)) <= MAX_LOOKBACK_SECONDS, {
      error: ({ input }) => say(`${show(input)} is more than 10000 days`, tooLong),
    });

const eventAhead = strict(
  "eventAhead",
  {
    limit: span("1 day", "write a shorter one")
      .default("1 day")
      .describe("How much later than its ingest timestamp an event timestamp may be."),
    then: z
      .enum(["ingestTimestamp", "keepOut"], {
        error: ({ input }) => fault(input, '"ingestTimestamp" or "keepOut"'),
      })
      .default("ingestTimestamp")
      .describe(
        "What becomes of an update beyond it: it counts from its ingest timestamp, or it is kept out as a bad row.",
      ),
  },
  (input) => fault(input, 'the limit and what then, such as {"limit": "1 day", "then": "keepOut"}'),
);

const tables = strict(
  "the tables",
  {
    updates: tableName("a table name").optional(),
    temp: tableName("a table name").optional(),
    final: tableName("a table name").optional(),
  },
  (input) => fault(input, 'table names, such as {"final": "users"}'),
);

const datasetName = text("a dataset's name").regex(/^[A-Za-z0-9_]{1,1024}$/, {
  error: ({ input }) => say(`${show(input)} is not a dataset's name`, "use letters, digits and underscores"),
});

const projectId = text("a Google Cloud project's id").regex(PROJECT_ID, {
  error: ({ input }) => say(`${show(input)} is not a project's id`, "write its id"),
});

const source = strict(
  "the source",
  {
    project: projectId
      .optional()
      .describe("Its Google Cloud project; by default defaultDatabase of dataform.json."),
    dataset: datasetName.describe("Its dataset."),
    table: tableName("the table's or view's name").describe("The table or view."),
  },
  (input) => fault(input, 'the table or view, such as {"dataset": "crm", "table": "events"}'),
);

/** The tags of actions that no plain run takes; each entity's name is the tag of its own. */
const RUN_TAGS: readonly string[] = ["audit", "erase"];

const entity = strict(
  "the entity",
  {
    name: tableName('the entity\'s name, such as "user_info"')
      .refine((name) => !RUN_TAGS.includes(name), {
        error: ({ input }) =>
          say(`${show(input)} is a tag of runs, as an entity's name is too`, "give the entity another name"),
      })
      .describe("Names the folder under definitions/, the view, and by default the tables."),
    schema: text('the schema\'s file, such as "schemas/user_info.json"')
      // It stands in the first line of each generated file.
      .refine((value) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value), {
        error: ({ input }) => say(`${show(input)} has a line break or control character`, "rename the file"),
      })
      .describe("The BigQuery schema, relative to this file."),
    key: z
      .array(columnName("the name of a key column"), {
        error: ({ input }) => fault(input, 'the key columns as an array, such as ["userId"]'),
      })
      .min(1, { error: () => say("is empty", 'name at least one key column, such as ["userId"]') })
      .describe("The columns that identify a user."),
    ingestTimestamp: columnName("the TIMESTAMP column that says when a row came in").describe(
      "The TIMESTAMP column that says when a row came in.",
    ),
    eventTimestamp: columnName("the TIMESTAMP column that says which value is newer")
      .optional()
      .describe("The TIMESTAMP column that says which value is newer; by default the ingest timestamp."),
    eventAhead: eventAhead
      .optional()
      .describe(
        "What becomes of an event timestamp far later than its ingest timestamp, which would outrank all later facts.",
      ),
    lookback: span("1 hour", "use replayFrom for one long look back")
      .default("1 hour")
      .describe("How far before the watermark a run reads again, for rows that came in late."),
    cursor: z
      .enum(["ingestTimestamp", "commit"], {
        error: ({ input }) => fault(input, '"ingestTimestamp" or "commit"'),
      })
      .default("ingestTimestamp")
      .describe(
        "What says which updates are new: their ingest timestamp, or when BigQuery committed them, by which none is missed.",
      ),
    tables: tables.default({}).describe("Names of tables, where the default ones do not fit."),
    clearedFields: columnName("the ARRAY<STRING> column that names cleared fields")
      .optional()
      .describe("The ARRAY<STRING> column of the updates that names the fields an update clears."),
    deleted: columnName("the BOOL column that deletes")
      .optional()
      .describe("The BOOL column of the updates that deletes the user."),
    mergeEvery: text('a time such as "1 day"')
      .regex(LOOKBACK, {
        error: ({ input }) =>
          say(`${show(input)} is not a time`, 'write "<n> minutes", hours or days, such as "1 day"'),
      })
      .refine((value) => secondsOf(parseLookback(value)) <= MAX_LOOKBACK_SECONDS, {
        error: ({ input }) => say(`${show(input)} is more than 10000 days`, 'write less, such as "1 day"'),
      })
      .optional()
      .describe(
        "How long a merge may wait: runs in between only rebuild the batch, and the views lay it over final. By default every run merges.",
      ),
    source: source
      .optional()
      .describe(
        "Updates of others: a table or view that is only read, never made, extended or erased. Instead of tables.updates.",
      ),
    dataset: datasetName
      .optional()
      .describe("The dataset of this entity; by default defaultSchema of dataform.json."),
  },
  (input) => fault(input, 'an entity, such as {"name": "user_info", "schema": "schemas/user_info.json", …}'),
)
  .refine(({ source: others, tables: { updates } }) => others === undefined || updates === undefined, {
    path: ["source"],
    error: () => say("the updates have two names, here and in tables.updates", "leave one of them out"),
  })
  .refine(
    ({ cursor, lookback, mergeEvery }) =>
      cursor === "ingestTimestamp" ||
      [lookback, mergeEvery].reduce((sum, given) => sum + secondsIn(given), 0) < TIME_TRAVEL_SECONDS,
    {
      path: ["cursor"],
      error: () =>
        say(
          "lookback and mergeEvery are seven days or more together, and BigQuery tells no longer what was committed",
          'make them shorter, or leave "cursor" out',
        ),
    },
  )
  .describe("One kind of user whose updates are merged into one row each.");

const suffix = (what: string) =>
  text(what)
    .regex(/^[A-Za-z0-9_]{1,100}$/, {
      error: ({ input }) =>
        say(`${show(input)} does not fit in a name`, "use letters, digits and underscores"),
    })
    .optional();

const environment = strict(
  "an environment",
  {
    schemaSuffix: suffix('a suffix such as "dev"').describe(
      "Its datasets are those of the project with this suffix, behind an underscore; the updates stay where they are and are only read.",
    ),
    tablePrefix: suffix('a prefix such as "dev"').describe(
      "Its tables are those of the project with this prefix; the updates are only read.",
    ),
    defaultDatabase: projectId
      .optional()
      .describe("Its Google Cloud project, where everything is its own, the updates too."),
  },
  (input) => fault(input, 'what is otherwise there, such as {"schemaSuffix": "dev"}'),
)
  .refine(
    ({ schemaSuffix, tablePrefix, defaultDatabase }) =>
      defaultDatabase === undefined || (schemaSuffix ?? tablePrefix) === undefined,
    {
      error: () =>
        say(
          "a project of its own with a suffix or prefix: the updates would be looked for there, and made by nobody",
          "leave one of them out",
        ),
    },
  )
  .describe(
    "Another place for the same tables, by Dataform's own overrides; nothing in it is the project's own place.",
  );

const entitiesFile = strict(
  "the file",
  {
    $schema: z
      .string({
        error: () => say("is not a text", "write the path of entities.schema.json or leave it out"),
      })
      .optional(),
    entities: z
      .array(entity, { error: ({ input }) => fault(input, "the entities as an array") })
      .min(1, { error: () => say("is empty", "describe at least one entity") })
      .superRefine(refuseTwins),
    environments: z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, {
          error: ({ input }) =>
            say(`${show(input)} is not an environment's name`, "use letters, digits, dashes and underscores"),
        }),
        environment,
        {
          error: ({ input }) =>
            fault(input, 'environments by name, such as {"dev": {"schemaSuffix": "dev"}}'),
        },
      )
      .optional()
      .describe("What --env may name."),
  },
  (input) => fault(input, '{"entities": […]}'),
).describe("The entities whose updates are merged into one row per user.");

/** What an editor needs to check and complete entities.json: the same facts as JSON Schema (draft 7). */
export function entitiesJsonSchema(): object {
  const schema = z.toJSONSchema(entitiesFile, { io: "input", target: "draft-7", override: allowNull });
  return { title: "entities.json", ...schema };
}

/** An option that may be left out may be null as well, which says the same. */
function allowNull({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const { properties = {}, required = [] } = jsonSchema;
  for (const [name, option] of Object.entries(properties)) {
    if (typeof option === "boolean" || required.includes(name)) continue;
    if (option.type !== undefined) option.type = [option.type, "null"] as unknown as typeof option.type;
    if (option.enum !== undefined) option.enum = [...option.enum, null];
  }
}

/** Reads entities.json; what is null in it is left out. */
function readEntitiesFile(source: string, file: string): z.output<typeof entitiesFile> {
  return validate(entitiesFile, withoutNulls(parseJson(source, file)), file);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const said = Object.entries(value).filter(([, option]) => option !== null);
  return Object.fromEntries(said.map(([name, option]) => [name, withoutNulls(option)]));
}

/** Names that differ in case only would share a folder on some disks. */
function refuseTwins(entities: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  const seen = new Map<string, string>();
  for (const [index, { name }] of entities.entries()) {
    const earlier = seen.get(name.toLowerCase());
    if (earlier !== undefined) {
      const how = earlier === name ? "appears twice" : `equals ${show(earlier)} but for case`;
      context.addIssue({
        code: "custom",
        path: [index, "name"],
        message: say(`${show(name)} ${how}`, "give every entity a name of its own"),
      });
    }
    seen.set(name.toLowerCase(), name);
  }
}

/** Reads entities.json; throws an InputError that lists all faults. */
export function parseConfig(source: string, file: string): readonly EntityConfig[] {
  return withPlaces(new Map([[file, source]]), () =>
    readEntitiesFile(source, file).entities.map(
      ({ mergeEvery, ...given }, index): EntityConfig => ({
        ...given,
        eventAhead: given.eventAhead && {
          limit: parseLookback(given.eventAhead.limit),
          keepsOut: given.eventAhead.then === "keepOut",
        },
        lookback: parseLookback(given.lookback),
        ...(mergeEvery === undefined ? {} : { mergeEvery: parseLookback(mergeEvery) }),
        tables: {
          updates: given.source?.table ?? given.tables.updates ?? `${given.name}_updates`,
          temp: given.tables.temp ?? `temp_${given.name}_updates`,
          final: given.tables.final ?? `${given.name}_final`,
        },
        path: `entities[${index}]`,
        file,
      }),
    ),
  );
}

/** An environment of entities.json: how Dataform is told to compile for it. */
export interface Environment {
  readonly name: string;
  readonly schemaSuffix?: string;
  readonly tablePrefix?: string;
  readonly defaultDatabase?: string;
}

/** The environments of entities.json; throws an InputError that lists all faults. */
export function parseEnvironments(source: string, file: string): readonly Environment[] {
  return withPlaces(new Map([[file, source]]), () => {
    const { environments = {} } = readEntitiesFile(source, file);
    return Object.entries(environments).map(([name, given]) => ({ name, ...given }));
  });
}

function parseLookback(value: string): Lookback {
  const [, count = "", unit = ""] = LOOKBACK.exec(value) ?? [];
  return { count: Number(count), unit: unit.toUpperCase() as Lookback["unit"] };
}

/** A span of time as people write it: `1 day`. */
export function spanText({ count, unit }: Lookback): string {
  return `${count} ${unit.toLowerCase()}${count === 1 ? "" : "s"}`;
}

/** How many seconds a span of time has, as it is written; none where it is not, or is no span. */
function secondsIn(written: string | undefined): number {
  return written === undefined || !LOOKBACK.test(written) ? 0 : secondsOf(parseLookback(written));
}

/** How many seconds a span of time has. */
export function secondsOf({ count, unit }: Lookback): number {
  return count * (SECONDS[unit] ?? 0);
}

function fault(input: unknown, right: string): string {
  return say(input === undefined ? "missing" : `${show(input)} does not fit`, `write ${right}`);
}
