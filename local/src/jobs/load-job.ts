import { destinationRef, type LoadConfiguration, refused } from "./configuration.ts";
import type { Faults } from "./faults.ts";
import type { Job, JobOutcome } from "./job.ts";
import type { Loader } from "./ports.ts";
import type { SpoolFile } from "./spool.ts";

/** Runs a load job on uploaded data. */
export async function runLoadJob(
  { loader, faults }: { readonly loader: Loader; readonly faults: Faults },
  job: Job,
  load: LoadConfiguration,
  upload: SpoolFile | undefined,
): Promise<JobOutcome> {
  if (upload === undefined) {
    throw refused("loading from sourceUris; upload the data with the job", "configuration.load.sourceUris");
  }
  const inputFileBytes = upload.bytes;
  await upload.settle();
  faults.onStatement("before", { text: "LOAD", type: "LOAD" });
  const outcome = await loader.load({
    projectId: job.projectId,
    destinationTable: destinationRef(load.destinationTable, job.projectId),
    file: upload.path,
    options: load,
    signal: job.controller.signal,
  });
  faults.onStatement("after", { text: "LOAD", type: "LOAD" });
  return {
    statistics: {
      totalBytesProcessed: "0",
      load: {
        inputFiles: "1",
        inputFileBytes: String(inputFileBytes),
        outputRows: String(outcome.outputRows),
        outputBytes: String(outcome.outputBytes),
        badRecords: String(outcome.badRecords),
      },
    },
    warnings: outcome.warnings,
  };
}
