import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

/**
 * The counts of one vitest JSON report. A file that could not be loaded has no tests to fail, so it counts as one
 * failure; so does a run without a report.
 */
export function countsOf(reportFile) {
  if (!existsSync(reportFile)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(reportFile, "utf8"));
  const unloaded = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** What failed, to be read at the end of a long run: one line a test or file, with the first line of the reason. */
export function failuresOf(reportFile) {
  if (!existsSync(reportFile)) return [];
  const { testResults } = JSON.parse(readFileSync(reportFile, "utf8"));
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (failed.length > 0) return failed.map((test) => line(name, test.fullName, test.failureMessages[0]));
    return message ? [line(name, "could not be loaded", message)] : [];
  });
}

const line = (file, what, why = "") =>
  `${relative(process.cwd(), file)}: ${what}: ${why.trim().split("\n", 1)[0].slice(0, 400)}`;

export const sum = (all) =>
  all.reduce(
    (total, one) => ({
      passed: total.passed + one.passed,
      failed: total.failed + one.failed,
      skipped: total.skipped + one.skipped,
    }),
    {
      passed: 0,
      failed: 0,
      skipped: 0,
    },
  );
