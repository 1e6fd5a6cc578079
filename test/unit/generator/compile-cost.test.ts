import { describe, expect, it } from "vitest";
import {
  type CompiledEntity,
  estimateCompileCost,
  MANAGED_LIMITS,
  warnOfCompileCost,
} from "../../../generator/src/generate/compile-cost.ts";

const entity = (name: string, leaves: number): CompiledEntity => ({
  name,
  leaves: Array.from({ length: leaves }) as CompiledEntity["leaves"],
});

/** The most leaves that one entity may have without a warning. */
function reach(): number {
  let leaves = 1;
  while (warnOfCompileCost([entity("user", leaves + 1)]) === undefined) leaves++;
  return leaves;
}

describe("what compiling a project costs", () => {
  it("says nothing of a project that fits managed Dataform", () => {
    expect(warnOfCompileCost([])).toBeUndefined();
    expect(warnOfCompileCost([entity("user", 50), entity("account", 10)])).toBeUndefined();
  });

  it("says of an entity that is too large what it takes, what there is, and how many leaves fit", () => {
    const fit = reach();
    const warning = warnOfCompileCost([entity("user", 5 * fit)]) ?? "";
    const { cpuSeconds, megabytes } = estimateCompileCost([entity("user", 5 * fit)]);
    expect(warning).toContain(`about ${cpuSeconds.toFixed(1)} s of CPU and ${megabytes.toFixed(0)} MB`);
    expect(warning).toContain(`${MANAGED_LIMITS.cpuSeconds} s and ${MANAGED_LIMITS.megabytes} MB`);
    expect(warning).toContain(`user has ${5 * fit} leaves, of which about ${fit} fit`);
    expect(warning).not.toContain("\n");
  });

  it("parts entities that fit one by one into repositories that fit", () => {
    const large = Math.floor(reach() * 0.8);
    const warning = warnOfCompileCost([entity("a", large), entity("b", 1), entity("c", large)]) ?? "";
    expect(warning).toContain("a Dataform repository each for a, b; c");
    expect(warning).not.toContain("leaves, of which");
  });

  it("names what is left where one entity is too large", () => {
    const warning = warnOfCompileCost([entity("huge", 10 * reach()), entity("small", 1)]) ?? "";
    expect(warning).toMatch(/huge has .* a Dataform repository each for small /);
  });
});
