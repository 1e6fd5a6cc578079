import type { EntityModel } from "./model.ts";

/** What Google gives one compilation of managed Dataform: CPU seconds (https://cloud.google.com/dataform/docs/quotas) and MB of memory. */
export const MANAGED_LIMITS: CompileCost = { cpuSeconds: 8, megabytes: 200 };

/** What compiling a project takes: seconds of CPU, and the most memory at once in MB. */
export interface CompileCost {
  readonly cpuSeconds: number;
  readonly megabytes: number;
}

/** An entity as far as compiling it costs. */
export type CompiledEntity = Pick<EntityModel, "name" | "leaves">;

/**
 * Measured with @dataform/core 3.0.62 in the sandbox of @dataform/cli's worker, its heap held to what it needs, on projects of 1 to 20
 * entities and 1 to 1,000 leaves; test/e2e/managed.test.ts holds it near what is measured today. What managed Dataform's own sandbox takes nobody says.
 */
const EMPTY_PROJECT: CompileCost = { cpuSeconds: 1.2, megabytes: 102 };
const PER_ENTITY: CompileCost = { cpuSeconds: 0.05, megabytes: 5 };
const PER_LEAF: CompileCost = { cpuSeconds: 0.0035, megabytes: 0.125 };

/** What a project of these entities takes, by the measured cost of an entity and of a leaf. */
export function estimateCompileCost(entities: readonly CompiledEntity[]): CompileCost {
  const leaves = entities.reduce((sum, entity) => sum + entity.leaves.length, 0);
  const sum = (part: keyof CompileCost): number =>
    EMPTY_PROJECT[part] + PER_ENTITY[part] * entities.length + PER_LEAF[part] * leaves;
  return { cpuSeconds: sum("cpuSeconds"), megabytes: sum("megabytes") };
}

/**
 * What to say of a project that managed Dataform may not be able to compile: the figures, the limits, and how to split it. Undefined
 * where it fits.
 */
export function warnOfCompileCost(entities: readonly CompiledEntity[]): string | undefined {
  const cost = estimateCompileCost(entities);
  if (fits(cost)) return undefined;
  const figures = `compiling takes about ${cost.cpuSeconds.toFixed(1)} s of CPU and ${cost.megabytes.toFixed(0)} MB`;
  const limits = `managed Dataform gives ${MANAGED_LIMITS.cpuSeconds} s and ${MANAGED_LIMITS.megabytes} MB`;
  return `${figures}; ${limits}: ${remedy(entities)} (docs/managed-dataform.md)`;
}

function fits({ cpuSeconds, megabytes }: CompileCost): boolean {
  return cpuSeconds <= MANAGED_LIMITS.cpuSeconds && megabytes <= MANAGED_LIMITS.megabytes;
}

function remedy(entities: readonly CompiledEntity[]): string {
  const tooLarge = entities.filter((entity) => !fits(estimateCompileCost([entity])));
  const others = splitToFit(entities.filter((entity) => !tooLarge.includes(entity)));
  const steps = tooLarge.map(
    ({ name, leaves }) =>
      `${name} has ${leaves.length} leaves, of which about ${leavesThatFit()} fit: run it by \`npm run update\`, or make two entities of it`,
  );
  if (others.length > 1 || (others.length > 0 && tooLarge.length > 0)) {
    const groups = others.map((group) => group.map(({ name }) => name).join(", "));
    steps.push(`a Dataform repository each for ${groups.join("; ")}`);
  }
  return steps.join("; ");
}

/** How many leaves one entity alone may have. */
function leavesThatFit(): number {
  const left = (part: keyof CompileCost): number =>
    (MANAGED_LIMITS[part] - EMPTY_PROJECT[part] - PER_ENTITY[part]) / PER_LEAF[part];
  return Math.floor(Math.min(left("cpuSeconds"), left("megabytes")));
}

/** Entities in groups that fit, in their order. */
function splitToFit(entities: readonly CompiledEntity[]): readonly (readonly CompiledEntity[])[] {
  const groups: CompiledEntity[][] = [];
  for (const entity of entities) {
    const group = groups.at(-1);
    if (group !== undefined && fits(estimateCompileCost([...group, entity]))) group.push(entity);
    else groups.push([entity]);
  }
  return groups;
}
