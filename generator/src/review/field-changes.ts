import { describeEntity } from "../generate/describe.ts";
import { mergeSql } from "../generate/merge-sql.ts";
import { type EntityModel, placeOf, placeText } from "../generate/model.ts";
import { quoteIdentifier } from "../project/names.ts";
import type { SchemaField } from "../project/schema.ts";
import { type Change, code, INIT, type Need } from "./changes.ts";
import { canSetType, describeType, isSameType } from "./column-types.ts";
import { byOwner, changeUpdates, quoted } from "./pair.ts";

/** Where a list of fields stands. */
interface Place {
  /** The entity as the pull request has it. */
  readonly model: EntityModel;
  /** The full names of those tables that are there already, for statements. */
  readonly tables: readonly string[];
  readonly parents: readonly string[];
  /** The pull request names a new final table, which the next run fills from all history. */
  readonly hasNewFinal: boolean;
  readonly projectId: string;
  /** The paths, in lower case, that updates of the table that stays could clear and can no longer (R9). */
  readonly goneClears: readonly string[];
  /** The path of the field around them that moves as one value, where there is one. */
  readonly whole?: string;
}

/** What changes in the fields of an entity's schema, at any depth, in the schema's order. Names are equal whatever their case, as BigQuery's are. */
export function compareFields(before: EntityModel, after: EntityModel, projectId: string): readonly Change[] {
  const tables = (["updates", "final"] as const)
    .filter((role) => !hasNewTable(before, after, role) && (role === "final" || after.source === undefined))
    .map((role) => `${projectId}.${after.dataset}.${after.tables[role]}`);
  const known = clearingPaths(after);
  const place: Place = {
    model: after,
    tables,
    parents: [],
    hasNewFinal: hasNewTable(before, after, "final"),
    projectId,
    goneClears: hasNewTable(before, after, "updates")
      ? []
      : [...clearingPaths(before)].filter((path) => !known.has(path)),
  };
  return compareList(fieldsOf(before), fieldsOf(after), place);
}

function clearingPaths(model: EntityModel): ReadonlySet<string> {
  const leaves = [...mergeSql.leavesOf(describeEntity(model)).values()];
  return new Set(leaves.flatMap((leaf) => mergeSql.clearingPaths(leaf)));
}

/** True where the pull request gives a table another name or dataset: it is made anew. */
export function hasNewTable(
  before: EntityModel,
  after: EntityModel,
  role: "updates" | "temp" | "final",
): boolean {
  const [old, now] = [before, after].map((model) => placeText(placeOf(model, role)));
  return old !== now;
}

function fieldsOf(model: EntityModel): readonly SchemaField[] {
  return model.columns.map(({ field }) => field);
}

function compareList(
  before: readonly SchemaField[],
  after: readonly SchemaField[],
  place: Place,
): readonly Change[] {
  const removed = before.filter((field) => find(field, after) === undefined);
  const added = after.filter((field) => find(field, before) === undefined);
  const changes = after.flatMap((field) => {
    const old = find(field, before);
    return old === undefined ? [addition(field, place, removed, added)] : compareField(old, field, place);
  });
  changes.push(...removed.map((field) => removal(field, place)));
  if (isReordered(before, after)) {
    changes.push({
      path: place.parents.length === 0 ? "order of columns" : `order within ${place.parents.join(".")}`,
      kind: "changed",
      what: "the fields stand in another order",
      means: `the view ${code(place.model.tables.view)} shows them in it; existing tables keep theirs, and values are assigned by name`,
      needs: [],
    });
  }
  return changes;
}

function addition(
  field: SchemaField,
  place: Place,
  removed: readonly SchemaField[],
  added: readonly SchemaField[],
): Change {
  const nothing = field.mode === "REPEATED" ? "`[]`" : "NULL";
  const parts =
    place.whole === undefined
      ? [`${nothing} for every user until an update sets it: the updates so far say nothing about it`]
      : [
          `part of ${code(place.whole)}, which moves as one value: ${nothing} in each known one until it is sent again`,
        ];
  if (field.mode === "REQUIRED")
    parts.push(
      `NULLABLE in the existing ${code(place.model.tables.updates)}: BigQuery adds no REQUIRED column`,
    );
  const renamed = added.length === 1 && removed.length === 1 ? removed[0] : undefined;
  if (renamed !== undefined && describeType(renamed) === describeType(field)) {
    parts.push(`if this is ${code(renamed.name)} by a new name: its values do not come along`);
  }
  return {
    path: pathOf(field, place),
    kind: "added",
    what: code(describeType(field)),
    means: parts.join("; "),
    needs: [INIT],
  };
}

function removal(field: SchemaField, place: Place): Change {
  const path = pathOf(field, place);
  const { tables, dataset, clears } = place.model;
  if (place.whole !== undefined) {
    return {
      path,
      kind: "removed",
      what: code(describeType(field)),
      means: `the tables keep it as part of ${code(place.whole)}, which moves as one value: it stays there, and in the view, for as long as producers send it`,
      needs: [],
    };
  }
  const parts = [
    `${code(tables.updates)} and ${code(tables.final)} keep the column; no run writes it any more, the view leaves it out, and a rebuild empties it`,
    ...(clears === undefined ? [] : ["an update that clears it is a bad row from now on"]),
  ];
  return {
    path,
    kind: "removed",
    what: code(describeType(field)),
    means: parts.join("; "),
    needs: [
      {
        step: "before",
        text: `Make sure that nothing reads ${code(path)} from ${code(`${dataset}.${tables.view}`)}.`,
      },
      ...forgetClears(place, path),
    ],
  };
}

/** What lets a rebuild go on reading the updates that clear what is gone, as the bad rows that they are else. */
function forgetClears({ model, projectId, goneClears }: Place, path: string): readonly Need[] {
  const { clears } = model;
  const gone = path.toLowerCase();
  const paths = goneClears.filter((one) => one === gone || one.startsWith(`${gone}.`));
  if (clears === undefined || paths.length === 0) return [];
  const entity = describeEntity(model);
  const column = quoted(clears);
  const list = paths.map(mergeSql.literal).join(", ");
  return [
    {
      step: "fill",
      text: `Take ${code(path)} out of what the updates clear, once the last ones that clear it are there and out of the streaming buffer: as bad rows they are lost to a rebuild with all else that they say, and it stops.${byOwner(model)}`,
      sql: changeUpdates(
        model,
        projectId,
        (table) =>
          `UPDATE \`${table}\` AS updates SET ${column} = ARRAY(SELECT path FROM UNNEST(updates.${column}) AS path WHERE LOWER(path) NOT IN (${list})) WHERE updates.${quoted(model.ingest)} >= ${mergeSql.START} AND ${mergeSql.clearsAny(entity, "IN", paths)};`,
      ),
    },
  ];
}

function compareField(before: SchemaField, after: SchemaField, place: Place): readonly Change[] {
  const path = pathOf(after, place);
  const isSame = isSameType(before, after) && before.typeParameters === after.typeParameters;
  const retyped = isSame ? [] : [typeChange(before, after, place)];
  if (!isSameType(before, after) && !canSetType(before, after)) return retyped;
  const changes = [
    ...retyped,
    ...comparePolicy(before, after, path, place),
    ...compareMode(before, after, path, place),
    ...compareRest(before, after, path),
  ];
  if (after.type !== "STRUCT") return changes;
  const isWhole = after.mode === "REPEATED" || (after.merge === "atomic" && before.merge === "atomic");
  const inner = {
    ...place,
    parents: [...place.parents, after.name],
    whole: place.whole ?? (isWhole ? path : undefined),
  };
  return [...changes, ...compareList(before.fields, after.fields, inner)];
}

function typeChange(before: SchemaField, after: SchemaField, place: Place): Change {
  const path = pathOf(after, place);
  const what = `${code(describeType(before))} -> ${code(describeType(after))}`;
  if (place.tables.length === 0) {
    return { path, kind: "changed", what, means: "the tables are made anew, with the new type", needs: [] };
  }
  if (!canSetType(before, after)) {
    const isNarrower = isSameType(before, after);
    return {
      path,
      kind: "changed",
      what,
      means: isNarrower
        ? `BigQuery makes no column narrower: existing tables keep ${code(describeType(before))}, only new ones have this`
        : "BigQuery cannot make this change, so `npm run init` and `npm run update` refuse it",
      needs: isNarrower
        ? []
        : [{ step: "fix", text: `Give ${code(path)} its old type back, and the new type a new name.` }],
    };
  }
  const [top = after.name] = place.parents;
  const isNested = place.parents.length > 0;
  const ways = isNested
    ? `Change the type of ${code(path)} in ${place.tables.map(code).join(" and ")}: \`ALTER COLUMN … SET DATA TYPE\`, with the whole RECORD ${code(top)} written out.`
    : `Change the type of ${code(path)} in ${place.tables.length === 2 ? "both tables" : "the table that is there"}.`;
  return {
    path,
    kind: "changed",
    what,
    means: isSameType(before, after)
      ? "BigQuery allows it, but `npm run init` does not do it: until then longer values are refused"
      : "BigQuery allows it, but `npm run init` does not do it, and refuses the tables until it is done",
    needs: [
      isNested
        ? { step: "before", text: ways }
        : {
            step: "before",
            text: ways,
            sql: place.tables.map(
              (table) =>
                `ALTER TABLE \`${table}\` ALTER COLUMN ${quoteIdentifier(after.name)} SET DATA TYPE ${sqlType(after)};`,
            ),
          },
    ],
  };
}

function comparePolicy(
  before: SchemaField,
  after: SchemaField,
  path: string,
  place: Place,
): readonly Change[] {
  const [old, now] = [before.merge ?? "latest", after.merge ?? "latest"];
  if (old === now) return [];
  const { final } = place.model.tables;
  const isRecord = after.type === "STRUCT" && after.mode !== "REPEATED";
  const name = (policy: string) => (isRecord && policy === "latest" ? "field by field" : policy);
  const change = { path, kind: "changed" as const, what: `merge: ${name(old)} -> ${name(now)}` };
  if (place.hasNewFinal) {
    return [
      { ...change, means: `${code(final)} is new, and filled from all history by the new rule`, needs: [] },
    ];
  }
  if (isRecord) {
    return [
      {
        ...change,
        means: `${code(`_versions.${path}`)} of ${code(final)} would have to become a ${now === "atomic" ? "TIMESTAMP" : "RECORD"}, which BigQuery cannot change: \`npm run init\` and \`npm run update\` refuse it`,
        needs: [
          {
            step: "fix",
            text: `Name a new final table in entities.json, such as \`"tables": {"final": "${final}_2"}\`: the next run fills it from all history.`,
          },
        ],
      },
    ];
  }
  return [
    {
      ...change,
      means: `${code(final)} goes on from what "${old}" kept: only a rebuild makes it what "${now}" says of all updates`,
      needs: [{ step: "rebuild", reason: `merge policy of ${code(path)}` }],
    },
  ];
}

function compareMode(before: SchemaField, after: SchemaField, path: string, place: Place): readonly Change[] {
  if (before.mode === after.mode) return [];
  const updates = code(place.model.tables.updates);
  const isRelaxed = after.mode === "NULLABLE";
  return [
    {
      path,
      kind: "changed",
      what: `${before.mode} -> ${after.mode}`,
      means: isRelaxed
        ? `${updates} takes rows without it; final is NULLABLE anyway`
        : `an existing ${updates} stays NULLABLE, because BigQuery makes no column REQUIRED afterwards; a new one is REQUIRED`,
      needs: isRelaxed ? [INIT] : [],
    },
  ];
}

/** What changes no value that is there. */
function compareRest(before: SchemaField, after: SchemaField, path: string): readonly Change[] {
  const list: Change[] = [];
  const note = (what: string, means: string, needs: readonly Need[] = []) =>
    list.push({ path, kind: "changed", what, means, needs });
  if (before.name !== after.name)
    note(
      `spelled ${code(before.name)} -> ${code(after.name)}`,
      "the same column to BigQuery; existing tables keep their spelling, the view has the new one",
    );
  if (before.roundingMode !== after.roundingMode)
    note(
      `rounding: ${before.roundingMode ?? "default"} -> ${after.roundingMode ?? "default"}`,
      "existing tables keep theirs; values already stored stay as they were rounded",
    );
  if (before.policyTag !== after.policyTag)
    note(
      `policy tag: ${before.policyTag ?? "none"} -> ${after.policyTag ?? "none"}`,
      "updates, batch and final are guarded by it; the views show what their reader may see of these",
      before.policyTag === undefined
        ? [INIT]
        : [{ step: "before", text: `Change the policy tag of ${code(path)} in the tables by hand.` }],
    );
  if (before.defaultsToNow !== after.defaultsToNow)
    note(
      after.defaultsToNow ? "default CURRENT_TIMESTAMP()" : "no default any more",
      "existing tables keep theirs: `ALTER COLUMN … SET DEFAULT` or `DROP DEFAULT` changes it",
    );
  if (before.description !== after.description)
    note("description", "documentation only; `npm run init` writes it where a column has none");
  return list;
}

function isReordered(before: readonly SchemaField[], after: readonly SchemaField[]): boolean {
  const names = (fields: readonly SchemaField[], others: readonly SchemaField[]) =>
    fields.filter((field) => find(field, others) !== undefined).map((field) => field.name.toLowerCase());
  return names(before, after).join("\n") !== names(after, before).join("\n");
}

function find(field: SchemaField, fields: readonly SchemaField[]): SchemaField | undefined {
  return fields.find((other) => other.name.toLowerCase() === field.name.toLowerCase());
}

function pathOf(field: SchemaField, { parents }: Place): string {
  return [...parents, field.name].join(".");
}

function sqlType({ type, typeParameters, mode }: SchemaField): string {
  const element = typeParameters === undefined ? type : `${type}(${typeParameters})`;
  return mode === "REPEATED" ? `ARRAY<${element}>` : element;
}
