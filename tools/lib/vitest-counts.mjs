import { writeFileSync } from "node:fs";

/**
 * A vitest reporter that writes what a run came to, as a `Counts`, into the file named by LIGHTCONE_COUNTS.
 *
 * Vitest's own JSON leaves out why a test was skipped and counts a file that cannot be loaded as no test at all.
 */
export default class CountsReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    /** @type {Counts} */
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      // Errors outside any test: the file does not load, or its set-up fails.
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") counts.passed++;
        else if (result.state === "failed") counts.failed++;
        else counts.skipped.push({ name: test.fullName, ...reasonOf(result) });
      }
    }
    const file = process.env["LIGHTCONE_COUNTS"];
    if (file === undefined) throw new Error("LIGHTCONE_COUNTS must name the file to write");
    writeFileSync(file, JSON.stringify(counts));
  }
}

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {{ name: string, reason?: string }[]} skipped
 */

/** @param {import("vitest/node").TestResult} result @returns {{ reason?: string }} */
function reasonOf(result) {
  return result.state === "skipped" && result.note !== undefined ? { reason: result.note } : {};
}
