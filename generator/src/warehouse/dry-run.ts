import type { Warehouse } from "./client.ts";

/**
 * How good a dry run's bytes are, in BigQuery's words (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2):
 * of a script it may know only what stands before its first DDL, of a clustered table only the most that it reads.
 */
export type Accuracy = "PRECISE" | "UPPER_BOUND" | "LOWER_BOUND" | "UNKNOWN";

/** What a dry run says that a query or script would process. */
export interface DryRunBytes {
  readonly bytes: number;
  readonly accuracy: Accuracy;
}

const ACCURACIES = new Map<string | undefined, Accuracy>([
  ["PRECISE", "PRECISE"],
  ["UPPER_BOUND", "UPPER_BOUND"],
  ["LOWER_BOUND", "LOWER_BOUND"],
]);

/** Bytes that a query or script would process; nothing runs, nothing is billed. Throws what BigQuery finds wrong with it. */
export async function dryRun({ client, project }: Warehouse, query: string): Promise<DryRunBytes> {
  const [job] = await client.createQueryJob({ query, dryRun: true, location: project.location });
  const { totalBytesProcessed, query: details } = job.metadata.statistics ?? {};
  if (totalBytesProcessed === undefined) return { bytes: 0, accuracy: "UNKNOWN" };
  return {
    bytes: Number(totalBytesProcessed),
    accuracy: ACCURACIES.get(details?.totalBytesProcessedAccuracy) ?? "UNKNOWN",
  };
}
