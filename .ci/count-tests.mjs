// Prints the closing line of .ci/run from vitest's JSON report, and fails when anything failed.
// usage: node count-tests.mjs <report.json> <exit code of npm test>
import { readFileSync } from "node:fs";

const [report, exitCode] = process.argv.slice(2);

/** What ran: a check or a test file that failed without failing a test counts as one failure. */
function count() {
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const skipped = result.numPendingTests + (result.numTodoTests ?? 0);
  const brokenFiles = result.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failed = result.numFailedTests + brokenFiles.length;
  return { passed: result.numPassedTests, failed: failed === 0 && exitCode !== "0" ? 1 : failed, skipped };
}

const { passed, failed, skipped } = count();
console.log(
  skipped === 0
    ? `${passed} passed, ${failed} failed`
    : `${passed} passed, ${failed} failed, ${skipped} skipped`,
);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
