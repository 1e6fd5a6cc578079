import { z } from "zod";
import {
  type FieldType,
  parameterFields,
  parametersOf,
  type Refuse,
  rangeOf,
  roundingModeOf,
  TYPE_NAMES,
  typeNamed,
} from "./field-types.ts";
import { parseJson, withPlaces } from "./json.ts";
import { columnNameFault } from "./names.ts";
import { findNear } from "./near.ts";
import { InputError, isObject, show } from "./problems.ts";
import { say, strict, validate } from "./validate.ts";

/** How the values of one leaf become one. */
export type MergePolicy = (typeof POLICIES)[number];

/** One field of the user schema, checked and with its aliases resolved. */
export interface SchemaField {
  readonly name: string;
  readonly type: FieldType;
  readonly mode: "NULLABLE" | "REQUIRED" | "REPEATED";
  readonly description?: string;
  /** The parameters of a parameterized type, as in `NUMERIC(10, 2)`: `10, 2`. */
  readonly typeParameters?: string;
  readonly roundingMode?: string;
  /** The policy tag that guards the column, as BigQuery names it. */
  readonly policyTag?: string;
  /** `defaultValueExpression` is CURRENT_TIMESTAMP(); only the ingest timestamp may have it. */
  readonly defaultsToNow: boolean;
  readonly merge?: MergePolicy;
  /** The fields of a STRUCT; empty for every other type. */
  readonly fields: readonly SchemaField[];
  /** Where the field stands in its file, for errors. */
  readonly path: string;
}

/** A field before it is known where in its file it stands. */
interface Draft extends Omit<SchemaField, "path" | "fields"> {
  readonly fields: readonly Draft[];
}

const POLICY_TAG = /^projects\/[^/]+\/locations\/[^/]+\/taxonomies\/[^/]+\/policyTags\/[^/]+$/;
const MODES = ["NULLABLE", "REQUIRED", "REPEATED"] as const;
const POLICIES = ["latest", "first", "max", "min", "union", "atomic"] as const;
/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema */
const MAX_DESCRIPTION_LENGTH = 1_024;

/**
 * A field stands at most 15 levels deep, a column being the first, so 14 RECORDs may nest: BigQuery says "Schema nested
 * too deeply for field …, maximum allowed depth is 15" of the fifteenth. https://cloud.google.com/bigquery/quotas#standard_tables
 */
export const MAX_NESTED_RECORDS = 14;

/** Reads a BigQuery schema, `{"fields": […]}` or the bare array; throws an InputError that lists all faults. */
export function parseSchema(text: string, file: string): readonly SchemaField[] {
  return withPlaces(new Map([[file, text]]), () => {
    const json = parseJson(text, file);
    if (Array.isArray(json)) return placed(validate(listAt(0), json, file), "");
    if (isObject(json) && Array.isArray(json.fields))
      return placed(validate(z.looseObject({ fields: listAt(0) }), json, file).fields, "fields");
    const right = 'write {"fields": [{"name": …, "type": …}, …]} or the bare array of fields';
    throw new InputError([{ file, path: "", wrong: "not a BigQuery schema", right }]);
  });
}

function placed(drafts: readonly Draft[], parent: string): readonly SchemaField[] {
  return drafts.map((draft, index) => {
    const path = `${parent}[${index}]`;
    return { ...draft, path, fields: placed(draft.fields, `${path}.fields`) };
  });
}

const name = z
  .string({
    error: ({ input }) =>
      say(input === undefined ? "missing" : `${show(input)} is not a text`, "name the field"),
  })
  .superRefine((value, context) => {
    const fault = columnNameFault(value);
    if (fault !== undefined)
      context.addIssue({ code: "custom", message: say(`${show(value)}: ${fault.wrong}`, fault.right) });
  });

const type = z.unknown().transform((value, context) => {
  const found = typeof value === "string" ? typeNamed(value) : undefined;
  if (found !== undefined) return found;
  const near = typeof value === "string" ? findNear(value.toUpperCase(), TYPE_NAMES) : undefined;
  const message =
    value === undefined
      ? say("missing", "write a BigQuery type such as STRING")
      : say(
          `${show(value)} is not a BigQuery type`,
          near === undefined ? `write one of ${TYPE_NAMES.join(", ")}` : `did you mean ${near}?`,
        );
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

/** BigQuery's own exports leave a mode out, or give null. */
const mode = z.preprocess(
  (value) => (typeof value === "string" ? value.toUpperCase() || "NULLABLE" : (value ?? "NULLABLE")),
  z.enum(MODES, { error: ({ input }) => say(`${show(input)} is not a mode`, oneOf(input, MODES)) }),
);

const description = z
  .string({ error: () => say("not a text", "write a string") })
  .refine((value) => [...value].length <= MAX_DESCRIPTION_LENGTH, {
    error: ({ input }) =>
      say(
        `has ${[...String(input)].length} characters`,
        `BigQuery allows ${MAX_DESCRIPTION_LENGTH}; shorten it`,
      ),
  })
  .transform((value) => (value === "" ? undefined : value))
  .optional();

const merge = z.enum(POLICIES, { error: ({ input }) => mergeFault(input) }).optional();

/** What a schema may say to BigQuery but a merge cannot keep. */
const collation = z
  .unknown()
  .refine((value) => value === undefined || value === "", {
    error: ({ input }) =>
      say(
        `${show(input)} makes different values equal, so no merge of them is exact`,
        "leave collation out and collate in the query that needs it",
      ),
  })
  .optional();

const dataPolicies = z
  .unknown()
  .refine((value) => value === undefined || isNothing(value), {
    error: () =>
      say(
        "Dataform cannot put data policies on the tables that it makes, so they would hold the values unguarded",
        "guard the column with policyTags",
      ),
  })
  .optional();

/** https://cloud.google.com/bigquery/docs/column-level-security: a column has one at most. */
const policyTags = z
  .unknown()
  .transform((value, context) => {
    const names = isObject(value) ? value.names : value;
    if (names === undefined || isNothing(names)) return undefined;
    const [tag] = Array.isArray(names) && names.length === 1 ? (names as readonly unknown[]) : [];
    if (typeof tag === "string" && POLICY_TAG.test(tag)) return tag;
    context.addIssue({
      code: "custom",
      message: say(
        `${show(value)} is not one policy tag`,
        'write {"names": ["projects/…/locations/…/taxonomies/…/policyTags/…"]}',
      ),
    });
    return z.NEVER;
  })
  .optional();

/** Six digits of a second are what a TIMESTAMP has. https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema */
const timestampPrecision = z
  .unknown()
  .refine((value) => value === undefined || String(value) === "6", {
    error: ({ input }) =>
      say(
        `a TIMESTAMP of ${show(input)} digits, of which a merge by microseconds would lose some`,
        "leave timestampPrecision out, or make it a STRING or INT64",
      ),
  })
  .optional();

const defaultValueExpression = z
  .preprocess((value) => (value === "" ? undefined : value), z.unknown())
  .refine((value) => value === undefined || isNow(value), {
    error: () =>
      say(
        "an update that leaves the field out would author the default",
        "leave it out; only the ingest timestamp may have CURRENT_TIMESTAMP()",
      ),
  })
  .transform((value) => value !== undefined)
  .optional();

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema, and our `merge`; `fields` depends on the depth. */
const shape = {
  name,
  type,
  mode,
  description,
  merge,
  ...parameterFields,
  // https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#roundingmode
  roundingMode: z.preprocess(
    (value) => (value === "" || value === "ROUNDING_MODE_UNSPECIFIED" ? undefined : value),
    z.unknown().optional(),
  ),
  defaultValueExpression,
  collation,
  policyTags,
  dataPolicies,
  timestampPrecision,
  rangeElementType: z.unknown().optional(),
};

const lists: z.ZodType<readonly Draft[]>[] = [];

/** The schema of a list of fields inside so many RECORDs. */
function listAt(depth: number): z.ZodType<readonly Draft[]> {
  lists[depth] ??= z
    .array(fieldAt(depth), { error: ({ input }) => say(`${show(input)} is no list`, "list the fields") })
    .min(1, { error: () => say("no fields", "list at least one field") })
    .superRefine(refuseTwins);
  return lists[depth];
}

function fieldAt(depth: number): z.ZodType<Draft> {
  const isBottom = depth === MAX_NESTED_RECORDS;
  const inner = isBottom ? z.unknown() : z.lazy(() => listAt(depth + 1));
  const fields = z.preprocess((value) => (isNothing(value) ? undefined : value), inner.optional());
  const field = strict("a field", { ...shape, fields }, (input) =>
    say(`${show(input)} is not a field`, 'write {"name": "attribute1", "type": "STRING"}'),
  ).transform((item, context): Draft => {
    const refuse: Refuse = (option, wrong, right) =>
      context.addIssue({ code: "custom", path: option === "" ? [] : [option], message: say(wrong, right) });
    const isRecord = item.type === "STRUCT";
    if (isRecord && isBottom) {
      refuse(
        "",
        `RECORD nested ${depth + 1} deep`,
        `BigQuery allows ${MAX_NESTED_RECORDS} RECORDs one inside the other; flatten it`,
      );
    } else if (isRecord && item.fields === undefined) {
      refuse("fields", "a RECORD without fields", "list its fields");
    } else if (isRecord && item.policyTags !== undefined) {
      refuse("policyTags", "BigQuery puts none on a RECORD", "put them on its fields");
    } else if (!isRecord && item.fields !== undefined) {
      refuse("fields", `a ${show(item.type)} has no fields`, "make it a RECORD or leave fields out");
    }
    const fieldType = item.type === "RANGE" ? rangeOf(item.rangeElementType, refuse) : item.type;
    if (item.type !== "RANGE" && item.rangeElementType !== undefined)
      refuse(
        "rangeElementType",
        `a ${show(item.type)} has none`,
        "make it a RANGE or leave rangeElementType out",
      );
    return {
      name: item.name,
      type: fieldType,
      mode: item.mode,
      description: item.description,
      typeParameters: parametersOf(item, fieldType, refuse),
      roundingMode: roundingModeOf(item.roundingMode, fieldType, refuse),
      policyTag: item.policyTags,
      defaultsToNow: item.defaultValueExpression ?? false,
      merge: item.merge,
      fields: (item.fields as readonly Draft[] | undefined) ?? [],
    };
  });
  // Exports write null for what a field does not have.
  return z.preprocess(
    (input) =>
      isObject(input)
        ? Object.fromEntries(Object.entries(input).filter(([option, value]) => !isIdle(option, value)))
        : input,
    field,
  );
}

/** Column names are compared without their case: https://cloud.google.com/bigquery/docs/schemas#column_names */
function refuseTwins(fields: readonly Draft[], context: z.RefinementCtx): void {
  const seen = new Map<string, string>();
  for (const [index, field] of fields.entries()) {
    const earlier = seen.get(field.name.toLowerCase());
    if (earlier !== undefined) {
      const how =
        earlier === field.name
          ? "appears twice"
          : `equals ${show(earlier)} but for case, which BigQuery ignores`;
      context.addIssue({
        code: "custom",
        path: [index, "name"],
        message: say(`${show(field.name)} ${how}`, "give every field a name of its own"),
      });
    }
    seen.set(field.name.toLowerCase(), field.name);
  }
}

function mergeFault(value: unknown): string {
  if (value === "sum" || value === "count") {
    return say(
      `"${value}" would count an update again each time it is read again (replay, overlap, retry)`,
      `use one of ${POLICIES.join(", ")}, and compute the ${value} from the updates`,
    );
  }
  return say(`${show(value)} is not a merge policy`, oneOf(value, POLICIES));
}

function oneOf(value: unknown, known: readonly string[]): string {
  const near = typeof value === "string" ? findNear(value, known) : undefined;
  return near === undefined ? `write one of ${known.join(", ")}` : `did you mean ${near}?`;
}

function isNothing(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

/** Whether an option says nothing: `categories` and `nameAlternative` are of BigQuery's API, whose exports have them empty. */
function isIdle(option: string, value: unknown): boolean {
  if (option === "nameAlternative") return isNothing(value);
  if (option === "categories") return isNothing(isObject(value) ? (value.names ?? null) : value);
  return value === null;
}

function isNow(expression: unknown): boolean {
  return typeof expression === "string" && /^\s*CURRENT_TIMESTAMP(\(\s*\))?\s*$/i.test(expression);
}
