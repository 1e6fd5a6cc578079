// Prints the closing line of .ci/run from vitest's JSON reports, and fails when anything failed.
// usage: node count-tests.mjs <report.json>:<exit code of its command> ...
import { readFileSync } from "node:fs";

/** What one suite ran: a check or a test file that failed without failing a test counts as one failure. */
function count(argument) {
  const [, report, exitCode] = /^(.*):(\d+)$/.exec(argument);
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, reasons: [] };
  }
  const skipped = result.numPendingTests + (result.numTodoTests ?? 0);
  const brokenFiles = result.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failed = result.numFailedTests + brokenFiles.length;
  const failedTests = result.testResults.flatMap((file) =>
    file.assertionResults.filter((test) => test.status === "failed"),
  );
  const reasons = [
    ...failedTests.map(({ fullName, failureMessages }) => [fullName, failureMessages[0]]),
    ...brokenFiles.map(({ name, message }) => [name, message]),
  ];
  const isUnexplained = failed === 0 && (exitCode !== "0" || result.numPassedTests === 0);
  return { passed: result.numPassedTests, failed: isUnexplained ? 1 : failed, skipped, reasons };
}

const counts = process.argv.slice(2).map(count);
const sum = (name) => counts.reduce((total, suite) => total + suite[name], 0);
// The end of a log is what is kept of it: a random history's seed has to stand there.
for (const [test, message = ""] of counts.flatMap(({ reasons }) => reasons))
  console.log(`FAILED ${test}: ${message.split("\n", 1)[0].slice(0, 1_000)}`);
if (sum("skipped") > 0) console.log(`${sum("skipped")} skipped`);
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
process.exitCode = counts.length > 0 && sum("failed") === 0 ? 0 : 1;
