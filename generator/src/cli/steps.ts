import type { Step } from "../warehouse/init/step.ts";
import { formatTable } from "./table.ts";

/** What `init` does to datasets, tables and files, or with `isPlan` would do. */
export function formatSteps(steps: readonly Step[], isPlan: boolean): string {
  const rows = steps.map((step) => [
    `${step.kind} ${step.name}`,
    step.action === "none" ? "as it should be" : step.action,
    [...step.changes, ...step.notes.map((note) => `note: ${note}`)].join("\n"),
  ]);
  return formatTable(["what", isPlan ? "would do" : "does", "in detail"], rows);
}
