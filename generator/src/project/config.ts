import { z } from "zod";
import { columnNameFault } from "./names.ts";
import { ProblemList, parseJson, show } from "./problems.ts";

/** A lookback, as it goes into TIMESTAMP_SUB. */
export interface Lookback {
  readonly count: number;
  readonly unit: "SECOND" | "MINUTE" | "HOUR" | "DAY";
}

/** One entity of entities.json, checked and with its defaults filled in. */
export interface EntityConfig {
  readonly name: string;
  /** The schema file, as written in entities.json. */
  readonly schema: string;
  readonly key: readonly string[];
  readonly ingestTimestamp: string;
  readonly eventTimestamp?: string;
  readonly lookback: Lookback;
  readonly tables: { readonly updates: string; readonly temp: string; readonly final: string };
  readonly clearedFields?: string;
  readonly deleted?: string;
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
const SECONDS = { SECOND: 1, MINUTE: 60, HOUR: 3_600, DAY: 86_400 };

const text = (what: string) =>
  z
    .string({ error: ({ input }) => fault(input, what) })
    .refine((value) => value !== "", { error: `is empty; write ${what}` });

const tableName = (what: string) =>
  text(what).refine((value) => TABLE_NAME.test(value), {
    error: ({ input }) =>
      `${show(input)} is not a table name; use letters, digits and underscores, a letter first`,
  });

const columnName = (what: string) =>
  text(what).refine((value) => columnNameFault(value) === undefined, {
    error: ({ input }) => `${show(input)} is not a column name; write ${what}`,
  });

const entitySchema = z.strictObject(
  {
    name: tableName('the entity\'s name, such as "user_info"'),
    // It stands in the first line of each generated file.
    schema: text('the schema\'s file, such as "schemas/user_info.json"').refine(
      (value) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value),
      { error: ({ input }) => `${show(input)} has a line break or control character; rename the file` },
    ),
    key: z
      .array(columnName("the name of a key column"), {
        error: ({ input }) => fault(input, 'the key columns as an array, such as ["userId"]'),
      })
      .min(1, { error: 'is empty; name at least one key column, such as ["userId"]' }),
    ingestTimestamp: columnName("the TIMESTAMP column that says when a row came in"),
    eventTimestamp: columnName("the TIMESTAMP column that says which value is newer").optional(),
    lookback: text('a time such as "1 hour"')
      .refine((value) => LOOKBACK.test(value), {
        error: ({ input }) =>
          `${show(input)} is not a time; write "<n> seconds", minutes, hours or days, such as "1 hour"`,
      })
      .default("1 hour"),
    tables: z
      .strictObject(
        {
          updates: tableName("a table name").optional(),
          temp: tableName("a table name").optional(),
          final: tableName("a table name").optional(),
        },
        { error: ({ input }) => fault(input, 'table names, such as {"final": "users"}') },
      )
      .default({}),
    clearedFields: columnName("the ARRAY<STRING> column that names cleared fields").optional(),
    deleted: columnName("the BOOL column that deletes").optional(),
    dataset: text("a dataset's name")
      .refine((value) => /^[A-Za-z0-9_]{1,1024}$/.test(value), {
        error: ({ input }) => `${show(input)} is not a dataset's name; use letters, digits and underscores`,
      })
      .optional(),
  },
  {
    error: ({ input }) =>
      fault(input, 'an entity, such as {"name": "user_info", "schema": "schemas/user_info.json", …}'),
  },
);

const fileSchema = z.strictObject(
  {
    $schema: z
      .string({ error: "is not a text; write the path of entities.schema.json or leave it out" })
      .optional(),
    entities: z
      .array(entitySchema, { error: ({ input }) => fault(input, "the entities as an array") })
      .min(1, { error: "is empty; describe at least one entity" }),
  },
  { error: ({ input }) => fault(input, '{"entities": […]}') },
);

/** Reads entities.json; throws an InputError that lists all faults. */
export function parseConfig(source: string, file: string): readonly EntityConfig[] {
  const problems = new ProblemList(file);
  const result = fileSchema.safeParse(parseJson(source, file));
  if (!result.success) {
    for (const issue of result.error.issues) {
      if (issue.code === "unrecognized_keys") addUnknown(issue.path, issue.keys, problems);
      else {
        const [wrong, ...right] = issue.message.split("; ");
        problems.add(formatPath(issue.path), wrong ?? "", right.join("; "));
      }
    }
    problems.throwIfAny();
    return [];
  }
  const seen = new Map<string, string>();
  const entities = result.data.entities.map((entity, index): EntityConfig => {
    const path = `entities[${index}]`;
    const earlier = seen.get(entity.name.toLowerCase());
    if (earlier !== undefined) {
      const how = earlier === entity.name ? "appears twice" : `equals ${show(earlier)} but for case`;
      problems.add(`${path}.name`, `${show(entity.name)} ${how}`, "give every entity a name of its own");
    }
    seen.set(entity.name.toLowerCase(), entity.name);
    return {
      ...entity,
      lookback: parseLookback(entity.lookback, path, problems),
      tables: {
        updates: entity.tables.updates ?? `${entity.name}_updates`,
        temp: entity.tables.temp ?? `temp_${entity.name}_updates`,
        final: entity.tables.final ?? `${entity.name}_final`,
      },
      path,
      file,
    };
  });
  problems.throwIfAny();
  return entities;
}

function parseLookback(value: string, path: string, problems: ProblemList): Lookback {
  const [, count = "", unit = ""] = LOOKBACK.exec(value) ?? [];
  const lookback = { count: Number(count), unit: unit.toUpperCase() as Lookback["unit"] };
  if (lookback.count * SECONDS[lookback.unit] > MAX_LOOKBACK_SECONDS) {
    problems.add(
      `${path}.lookback`,
      `${show(value)} is more than 10000 days`,
      "use replayFrom for one long look back",
    );
  }
  return lookback;
}

function addUnknown(path: readonly PropertyKey[], keys: readonly string[], problems: ProblemList): void {
  const parent = path.at(-1) === "tables" ? "tables" : path.length === 0 ? "file" : "entity";
  const shape =
    parent === "tables"
      ? entitySchema.shape.tables.unwrap().shape
      : parent === "file"
        ? fileSchema.shape
        : entitySchema.shape;
  for (const key of keys) {
    problems.add(
      formatPath([...path, key]),
      "unknown option",
      `the ${parent} has ${Object.keys(shape).join(", ")}`,
    );
  }
}

function fault(input: unknown, right: string): string {
  return input === undefined ? `missing; write ${right}` : `${show(input)} does not fit; write ${right}`;
}

function formatPath(path: readonly PropertyKey[]): string {
  let formatted = "";
  for (const step of path) {
    formatted +=
      typeof step === "number" ? `[${step}]` : formatted === "" ? String(step) : `.${String(step)}`;
  }
  return formatted;
}
