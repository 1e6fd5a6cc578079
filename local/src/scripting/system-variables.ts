import { BigQueryError } from "../errors.ts";
import type { SqlValue } from "../values.ts";
import type { Session } from "./session.ts";

/** SET of a system variable: https://cloud.google.com/bigquery/docs/reference/system-variables says which may be set. */
export function assignSystemVariable(session: Session, path: readonly string[], value: SqlValue): void {
  const name = path.join(".").toLowerCase();
  const text = typeof value === "string" ? value : undefined;
  switch (name) {
    case "dataset_id": {
      const projectId = session.defaultDataset?.projectId ?? session.defaultProject;
      session.defaultDataset = text === undefined ? undefined : { projectId, datasetId: text };
      break;
    }
    case "dataset_project_id":
      if (text === undefined) throw invalid("@@dataset_project_id cannot be NULL");
      session.defaultProject = text;
      if (session.defaultDataset !== undefined)
        session.defaultDataset = { ...session.defaultDataset, projectId: text };
      break;
    case "query_label":
      break;
    case "time_zone":
      // Statements are analyzed and run in UTC: another zone would change what timestamps mean in half of them.
      if (text !== "UTC" && text !== "Etc/UTC") {
        throw invalid(`Not supported by the local BigQuery endpoint: SET @@time_zone to anything but UTC`);
      }
      break;
    default:
      throw invalid(`Cannot assign to read-only system variable @@${name}`);
  }
  session.system.set(name, value);
}

function invalid(message: string): BigQueryError {
  return new BigQueryError("invalidQuery", message, "query");
}
