import { expect, it } from "vitest";
import type { CompiledAction } from "../../../generator/src/dataform/graph.ts";
import { RunWatch } from "../../../generator/src/dataform/run-watch.ts";

function action(name: string, ...waitsFor: string[]): CompiledAction {
  const target = (of: string) => ({ database: "p", schema: "d", name: of });
  return {
    target: target(name),
    fileName: `definitions/${name}.sqlx`,
    dependencyTargets: waitsFor.map(target),
  };
}

it("follows a run of the CLI by its own lines, in whatever pieces they come", () => {
  const watch = new RunWatch([
    action("temp", "source"),
    action("final", "temp"),
    action("assertion", "final"),
  ]);
  expect(watch.running()).toEqual(["d.temp"]);
  expect(watch.read("Running...\n\nTable created:  d.temp [table]\n \t jobId: x\n \t Bytes bi")).toEqual([
    { kind: "done", action: "d.temp", line: "Table created:  d.temp [table]" },
  ]);
  expect(watch.running()).toEqual(["d.final"]);
  const failed = watch.read(
    "lled: 0 B, 10.00 MiB\nOperation failed:  d.final\n  > SELECT 'Assertion passed:  d.assertion'\n",
  );
  expect(failed).toEqual([{ kind: "failed", action: "d.final", line: "Operation failed:  d.final" }]);
  expect(watch.bytesBilled).toBe(10 * 1024 * 1024);
  expect(watch.read("Skipping assertion execution:  d.assertion\n")).toMatchObject([{ kind: "skipped" }]);
  expect(watch.read("Assertion execution disabled:  d.audit [disabled]\n")).toMatchObject([
    { kind: "disabled", action: "d.audit" },
  ]);
  expect([watch.running(), watch.ended, watch.total]).toEqual([[], 4, 3]);
});
