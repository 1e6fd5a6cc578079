import { isDeepStrictEqual } from "node:util";
import type { EntityConfig, Environment, EventAhead, Lookback, Source } from "../project/config.ts";
import { datasetIn, onlyReadsUpdates, tableIn } from "../project/environments.ts";
import { isOwnName } from "../project/names.ts";
import { InputError, ProblemList, show } from "../project/problems.ts";
import type { SchemaField } from "../project/schema.ts";
import { findField, findInstruction, findKeys, findTimestamp, plainColumn } from "./columns.ts";
import type { Column, LeafNode, PlainColumn, TreeNode } from "./nodes.ts";
import { ACTION_SUFFIXES, DELETE_SUFFIXES } from "./own-tables.ts";
import { POLICIES } from "./policies.ts";
import { AliasNames, asSparse, buildNode, checkSize, leavesOf, requiredPaths } from "./tree.ts";
import { VALUE_TYPES } from "./value-types.ts";

/** An entity as the templates need it. */
export interface EntityModel {
  readonly name: string;
  readonly schemaFile: string;
  readonly dataset: string;
  /** Where the updates are: in an environment that only reads them another dataset than its own. */
  readonly updatesDataset: string;
  /** Where the updates are, if they are others' and only read: never made, changed or erased. */
  readonly source?: Source;
  /** Whether this entity's folder tells Dataform of the updates: where two entities read one source, the first one's does. */
  readonly declaresUpdates: boolean;
  /** The model as the project has it, where this is it in an environment. */
  readonly base?: EntityModel;
  readonly lookback: Lookback;
  /** Whether runs read what was committed since the last merge, and not what was stamped since (R5). */
  readonly readsCommits: boolean;
  /** How long a merge may wait, where not every run merges (R13). */
  readonly mergeEvery?: Lookback;
  readonly tables: Readonly<Record<ActionRole, string> & Partial<Record<DeleteRole, string>>>;
  readonly columns: readonly Column[];
  /** Those of them that do not merge. */
  readonly plain: readonly PlainColumn[];
  readonly keys: readonly PlainColumn[];
  /** The attributes that the schema has as REQUIRED: updates may leave them out all the same. */
  readonly required: readonly string[];
  /** Key columns by which BigQuery can cluster, as they stand in SQL. */
  readonly clusterBy: readonly string[];
  /** What clusters the updates: the ingest timestamp first, so that a run reads hours of a day, then the key. */
  readonly updatesClusterBy: readonly string[];
  readonly ingest: PlainColumn;
  /** The event timestamp's column, where it is another one than the ingest timestamp's. */
  readonly event?: PlainColumn;
  /** What becomes of an event timestamp far ahead of its ingest timestamp (R4); there where `event` is. */
  readonly ahead?: EventAhead;
  /** The column that versions values: the event timestamp's, else the ingest timestamp's. */
  readonly version: PlainColumn;
  readonly tree: readonly TreeNode[];
  readonly leaves: readonly LeafNode[];
  /** The column of updates that names cleared fields, where the entity has one. */
  readonly clears?: PlainColumn;
  /** The column of updates that deletes, where the entity has one. */
  readonly deletes?: PlainColumn;
  /** Both: columns of updates that are not the user's attributes. */
  readonly instructions: readonly PlainColumn[];
  /** Whether deletes or clears meet policies that must know of them before they decide (R11). */
  readonly hasFloors: boolean;
  /** Whether clears do. */
  readonly hasClearFloors: boolean;
  /** Whether tombstones keep deletes, or such clears. */
  readonly hasTombstones: boolean;
  /** What MERGE calls final: SET takes a column of that name for the whole row. */
  readonly mergeTarget: string;
  readonly config: EntityConfig;
}

/** The actions of an entity, by what they do. */
export type ActionRole = "updates" | "temp" | "final" | keyof typeof ACTION_SUFFIXES;

/** The actions that only an entity with deletes has. */
export type DeleteRole = keyof typeof DELETE_SUFFIXES;

const EVENT_AHEAD: EventAhead = { limit: { count: 1, unit: "DAY" }, keepsOut: false };
const MAX_CLUSTERING_COLUMNS = 4;

/** Joins an entity's configuration and its schema; throws an InputError that lists all faults. */
export function buildModel(
  config: EntityConfig,
  fields: readonly SchemaField[],
  defaultDataset: string,
): EntityModel {
  const problems = new ProblemList(config.schema);
  const configProblems = new ProblemList(config.file);
  checkOwnNames(fields, problems);
  const keyNames = findKeys(config, fields, configProblems);
  const ingestName = findTimestamp("ingestTimestamp", config.ingestTimestamp, config, fields, configProblems);
  const eventName =
    config.eventTimestamp === undefined
      ? undefined
      : findTimestamp("eventTimestamp", config.eventTimestamp, config, fields, configProblems);
  if (
    config.eventTimestamp === undefined &&
    !isDeepStrictEqual(config.eventAhead ?? EVENT_AHEAD, EVENT_AHEAD)
  ) {
    configProblems.add(
      `${config.path}.eventAhead`,
      "there is no event timestamp that could be ahead",
      "name the eventTimestamp, or leave eventAhead out",
    );
  }
  if (keyNames.some((name) => name === ingestName || name === eventName)) {
    configProblems.add(
      `${config.path}.key`,
      "a timestamp is part of the key",
      "name the columns that identify the user only",
    );
  }
  const clears = findInstruction("clearedFields", config, fields, configProblems);
  const deletes = findInstruction("deleted", config, fields, configProblems);
  throwAll(configProblems, problems);

  const instructions = [clears, deletes].filter((column) => column !== undefined);
  const aliases = new AliasNames(fields.map((field) => field.name));
  const columns: Column[] = [];
  const required: string[] = [];
  for (const field of fields) {
    if (instructions.some((column) => column.name === field.name)) continue;
    const kind = keyNames.includes(field.name)
      ? "key"
      : field.name === ingestName
        ? "ingest"
        : field.name === eventName
          ? "event"
          : undefined;
    if (kind === undefined) {
      columns.push(buildNode(asSparse(field), [], aliases, problems));
      required.push(...requiredPaths(field));
    } else columns.push(plainColumn(field, kind, problems));
  }
  const tree = columns.filter(
    (column): column is TreeNode => column.kind === "leaf" || column.kind === "record",
  );
  const leaves = tree.flatMap(leavesOf);
  if (leaves.length === 0) {
    problems.add("", "no attribute beside the key and the timestamps", "add at least one field to merge");
  }
  refusePolicies(config, leaves, problems);
  checkSize(columns, tree, problems);
  throwAll(problems);

  const plain = columns.filter(
    (column): column is PlainColumn => column.kind !== "leaf" && column.kind !== "record",
  );
  const keys = keyNames.flatMap((name) => plain.filter((column) => column.name === name));
  const ingest = plain.find((column) => column.kind === "ingest");
  if (ingest === undefined) throw new Error("the ingest timestamp was checked above");
  const event = plain.find((column) => column.kind === "event");
  const hasPolicies = leaves.some(({ policy }) => !POLICIES[policy].knowsThePast);
  const hasClearFloors = clears !== undefined && hasPolicies;
  const clusterBy = keys.filter((key) => VALUE_TYPES[key.field.type].isClusterable).map((key) => key.quoted);
  return {
    name: config.name,
    schemaFile: config.schema,
    dataset: config.dataset ?? defaultDataset,
    updatesDataset: config.source?.dataset ?? config.dataset ?? defaultDataset,
    source: config.source && { project: undefined, ...config.source },
    declaresUpdates: true,
    lookback: config.lookback,
    readsCommits: config.cursor === "commit",
    mergeEvery: config.mergeEvery,
    tables: {
      ...config.tables,
      ...named(config.name, ACTION_SUFFIXES),
      ...(deletes === undefined ? {} : named(config.name, DELETE_SUFFIXES)),
      ...(hasClearFloors ? named(config.name, { tombstones: DELETE_SUFFIXES.tombstones }) : {}),
    },
    columns,
    plain,
    keys,
    required,
    clusterBy: clusterBy.slice(0, MAX_CLUSTERING_COLUMNS),
    updatesClusterBy: [ingest.quoted, ...clusterBy].slice(0, MAX_CLUSTERING_COLUMNS),
    ingest,
    event,
    ahead: event === undefined ? undefined : (config.eventAhead ?? EVENT_AHEAD),
    version: event ?? ingest,
    tree,
    leaves,
    clears,
    deletes,
    instructions,
    hasFloors: hasClearFloors || (deletes !== undefined && hasPolicies),
    hasClearFloors,
    hasTombstones: deletes !== undefined || hasClearFloors,
    mergeTarget: findField("final", fields) === undefined ? "final" : "_final",
    config,
  };
}

/** The entity in an environment: its tables have other names there, but for updates that it only reads. */
export function modelIn(model: EntityModel, environment: Environment | undefined): EntityModel {
  if (environment === undefined) return model;
  const tables = Object.entries(model.tables).map(([role, table]) => [
    role,
    role === "updates" ? table : tableIn(table, environment),
  ]);
  return {
    ...model,
    base: model,
    dataset: datasetIn(model.dataset, environment),
    tables: Object.fromEntries(tables) as EntityModel["tables"],
  };
}

/** Where a table is; the project is the project's own where it is absent. */
export interface Place {
  readonly project?: string;
  readonly dataset: string;
  readonly table: string;
}

/** Where one of the entity's tables is. */
export function placeOf(model: EntityModel, role: ActionRole): Place {
  const table = model.tables[role];
  if (role !== "updates") return { dataset: model.dataset, table };
  return { project: model.source?.project, dataset: model.updatesDataset, table };
}

/** A place as people write it: `dataset.table`, behind its project where that is another one. */
export function placeText({ project, dataset, table }: Place): string {
  return [project, dataset, table].filter((part) => part !== undefined).join(".");
}

/** What the updates' table is called among what decides the meaning of final: others' by their whole place. */
export function updatesName({ source, tables }: EntityModel): string {
  return source === undefined ? tables.updates : placeText(source);
}

/** Whether the updates are this environment's own, to be made, extended and erased: neither others' nor another environment's. */
export function ownsUpdates(model: EntityModel, environment: Environment | undefined): boolean {
  return model.source === undefined && !onlyReadsUpdates(environment);
}

function named<Role extends string>(
  entity: string,
  suffixes: Readonly<Record<Role, string>>,
): Readonly<Record<Role, string>> {
  const names = Object.entries<string>(suffixes).map(([role, suffix]) => [role, `${entity}${suffix}`]);
  return Object.fromEntries(names) as Record<Role, string>;
}

function throwAll(...lists: readonly ProblemList[]): void {
  const problems = lists.flatMap((list) => {
    try {
      list.throwIfAny();
      return [];
    } catch (error) {
      if (error instanceof InputError) return [...error.problems];
      throw error;
    }
  });
  if (problems.length > 0) throw new InputError(problems);
}

function checkOwnNames(fields: readonly SchemaField[], problems: ProblemList): void {
  for (const field of fields) {
    if (isOwnName(field.name)) {
      problems.add(
        `${field.path}.name`,
        `${show(field.name)} is a name the generated tables use`,
        "choose another name",
      );
    }
  }
}

/** A late delete or clear takes back what was, and first, max, min and union have forgotten what was before: only a run reads that (R11). */
function refusePolicies(
  { mergeEvery, deleted, clearedFields }: EntityConfig,
  leaves: readonly LeafNode[],
  problems: ProblemList,
): void {
  const options = [deleted && "deleted", clearedFields && "clearedFields"].filter(
    (option) => option !== undefined,
  );
  if (mergeEvery === undefined || options.length === 0) return;
  for (const leaf of leaves) {
    if (POLICIES[leaf.policy].knowsThePast) continue;
    problems.add(
      `${leaf.field.path}.merge`,
      `"${leaf.policy}" together with ${options.join(" and ")} is merged in every run: what comes late makes it read all updates of a user`,
      `use "latest", or leave mergeEvery out`,
    );
  }
}
