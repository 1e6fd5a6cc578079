/** Random entities as real Dataform projects: generated, compiled by Dataform, planned as Dataform runs them. */

import { fileURLToPath } from "node:url";
import { compileProject } from "../../generator/src/dataform/compiler.ts";
import { inTemporaryProject, type ProjectFiles } from "../../generator/src/dataform/project-copy.ts";
import { generateProject } from "../../generator/src/generate/project.ts";
import { type Action, planActions } from "./dataform.ts";
import { restField } from "./endpoint.ts";
import type { Entity } from "./oracle.ts";
import { type Field, timestampText } from "./values.ts";

/** The kinds of run; each is its own compilation (`--vars`). */
export type RunKind = "plain" | "replayFrom" | "rebuild";

/** One entity's compiled project. */
export interface CompiledEntity {
  readonly entity: Entity;
  readonly name: string;
  readonly dataset: string;
  /** Final's table, without the dataset. */
  readonly final: string;
  readonly actions: Readonly<Record<RunKind, readonly Action[]>>;
}

/** The folder that the projects here take what is not theirs from. */
export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** The project everything runs in. */
export const PROJECT = "exactness";

/** entities.json and the schemas for these entities; each has a dataset of its own. */
export function projectInput(entities: ReadonlyMap<string, Entity>): {
  config: unknown;
  schemas: ReadonlyMap<string, string>;
} {
  const config = {
    entities: [...entities].map(([name, entity]) => ({
      name,
      schema: `schemas/${name}.json`,
      key: entity.key,
      ingestTimestamp: entity.ingestTimestamp,
      lookback: `${entity.lookback / 1_000_000n} seconds`,
      dataset: name,
      tables: { final: finalTable(name, entity) },
      ...(entity.eventTimestamp === undefined ? {} : { eventTimestamp: entity.eventTimestamp }),
      ...(entity.eventAhead === undefined ? {} : { eventAhead: eventAheadOption(entity.eventAhead) }),
      ...(entity.clearedFields === undefined ? {} : { clearedFields: entity.clearedFields }),
      ...(entity.deleted === undefined ? {} : { deleted: entity.deleted }),
      ...(entity.byCommit ? { cursor: "commit" } : {}),
      ...(entity.mergesDaily ? { mergeEvery: "1 day" } : {}),
    })),
  };
  const schemas = new Map(
    [...entities].map(([name, entity]) => [
      `schemas/${name}.json`,
      JSON.stringify({ fields: entity.fields.map(schemaField) }),
    ]),
  );
  return { config, schemas };
}

function finalTable(name: string, { final = `${name}_final` }: Entity): string {
  return final;
}

function eventAheadOption({ limit, keepsOut }: NonNullable<Entity["eventAhead"]>): object {
  return { limit: `${limit / 1_000_000n} seconds`, then: keepsOut ? "keepOut" : "ingestTimestamp" };
}

function schemaField(field: Field): unknown {
  const fields = field.fields?.map(schemaField);
  return {
    ...restField(field),
    ...(fields ? { fields } : {}),
    ...(field.merge ? { merge: field.merge } : {}),
  };
}

/** The files of a project with these entities, as a user has them on disk. */
export async function projectFiles(entities: ReadonlyMap<string, Entity>): Promise<ProjectFiles> {
  const { config, schemas } = projectInput(entities);
  const settings = {
    warehouse: "bigquery",
    defaultDatabase: PROJECT,
    defaultSchema: "analytics",
    assertionSchema: "analytics",
    defaultLocation: "US",
  };
  return new Map([
    ...generateProject(config, schemas, { defaultDataset: "analytics" }),
    ["dataform.json", JSON.stringify(settings)],
    ["package.json", JSON.stringify({ dependencies: { "@dataform/core": "*" } })],
  ]);
}

/** Generates and compiles all entities as one project, once per kind of run; `replayFrom` is one time for all. */
export async function compileEntities(
  entities: ReadonlyMap<string, Entity>,
  replayFrom: bigint,
): Promise<ReadonlyMap<string, CompiledEntity>> {
  const runs = {
    // The audit, and key_is_unique with it, is built only where it is asked for; no run here runs it by itself.
    plain: { audit: "true", auditShare: "1" },
    replayFrom: { replayFrom: `${timestampText(replayFrom)}Z` },
    rebuild: { rebuild: "true" },
  };
  const plans = await inTemporaryProject(await projectFiles(entities), REPOSITORY, async (root) => {
    const plan = async (kind: RunKind) => planActions(await compileProject(root, { vars: runs[kind] }));
    return {
      plain: await plan("plain"),
      replayFrom: await plan("replayFrom"),
      rebuild: await plan("rebuild"),
    };
  });
  const of = (plan: readonly Action[], dataset: string): Action[] =>
    plan.filter(
      ({ target, jobs }) => target.schema === dataset || jobs.some((job) => job.includes(`.${dataset}.`)),
    );
  return new Map(
    [...entities].map(([name, entity]) => {
      const actions = {
        plain: of(plans.plain, name),
        replayFrom: of(plans.replayFrom, name),
        rebuild: of(plans.rebuild, name),
      };
      return [name, { entity, name, dataset: name, final: finalTable(name, entity), actions }];
    }),
  );
}
