import type { TableRef } from "../types.ts";
import type { CompileContext } from "./context.ts";

/**
 * The table that a path names. The parts before the dataset are the project, which may have a domain
 * (`example.com:project`). The dataset is "" where neither the path nor the session has one.
 */
export function tableRef(path: readonly string[], context: CompileContext): TableRef {
  const tableId = path.at(-1) ?? "";
  const datasetId = path.at(-2) ?? context.defaultDataset ?? "";
  const projectId = path.length > 2 ? path.slice(0, -2).join(".") : context.defaultProject;
  return { projectId, datasetId, tableId };
}
