import { existsSync, readFileSync } from "node:fs";

/** The counts of one vitest JSON report. A file that could not be loaded has no tests to fail, so it counts as one failure; so does a run without a report. */
export function countsOf(reportFile) {
  if (!existsSync(reportFile)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(reportFile, "utf8"));
  const unloaded = report.testResults.filter((file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"));
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export const sum = (all) =>
  all.reduce((total, one) => ({ passed: total.passed + one.passed, failed: total.failed + one.failed, skipped: total.skipped + one.skipped }), {
    passed: 0,
    failed: 0,
    skipped: 0,
  });
