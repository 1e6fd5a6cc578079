// Runs jobs one after another, as the Dataform CLI would, so that a test can kill it: node run-jobs.mjs URL FILE-OF-JOBS
import { readFileSync } from "node:fs";

const [url, file] = process.argv.slice(2);
for (const query of JSON.parse(readFileSync(file, "utf8"))) {
  const body = JSON.stringify({ query, useLegacySql: false, timeoutMs: 600_000, location: "US" });
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  if (!response.ok) throw new Error(await response.text());
}
