/**
 * `npm run -s mutants -- [FAMILY] [--json]`: plants each listed bug into a copy of what is compiled, and says whether
 * the scenario that must catch it does. Exits 1 if one is missed, 2 for a family that does not exist.
 */
import { fork } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildMutant, misfit, transpileFolder } from "./lib/mutate.mjs";
import { root } from "./lib/run.mjs";
import { table } from "./lib/table.mjs";
import { SetupError, setUp } from "./setup.mjs";

/**
 * @typedef {import("../test/mutants/mutant.js").Mutant} Mutant
 * @typedef {import("../test/mutants/mutant.js").Scenario} Scenario
 * @typedef {import("./lib/mutant-child.mjs").Outcome | { kind: "hung", evidence: string }} Outcome
 *
 * @typedef {object} Row
 * @property {Mutant} mutant
 * @property {"caught" | "missed" | "equivalent" | "error"} result
 * @property {string} evidence
 *
 * @typedef {object} Score
 * @property {readonly Row[]} rows
 * @property {number} caught
 * @property {number} total without the equivalent ones
 * @property {string[]} missed ids of those that nothing noticed, and of those that could not be tried
 */

/**
 * By family name, `ricart-agrawala`, or by the letters of its ids, `RA`.
 *
 * @param {import("../test/mutants/mutant.js").Mutant} mutant @param {string} family
 */
function belongs(mutant, family) {
  return mutant.family === family || mutant.id.replace(/-.*$/, "") === family.toUpperCase();
}

/**
 * Tries the mutants in `folder/*.ts` with the scenarios in `folder/scenarios/*.ts`; only those of `family`, if given.
 *
 * @param {{ folder?: string, family?: string | undefined, onRow?: (row: Row) => void }} [options]
 * @returns {Promise<Score>}
 */
export async function tryMutants({ folder = join(root, "test/mutants"), family, onRow } = {}) {
  // Inside the repository, so that the copies find the packages they import.
  mkdirSync(join(root, ".mutants"), { recursive: true });
  const place = mkdtempSync(join(root, ".mutants/"));
  try {
    transpileFolder(folder, join(place, "scenarios-and-lists"));
    const listed = await load(join(place, "scenarios-and-lists"));
    const mutants = listed.mutants.filter((mutant) => family === undefined || belongs(mutant, family));
    if (mutants.length === 0 && family !== undefined) {
      throw new UnknownFamilyError(family, [...new Set(listed.mutants.map((mutant) => mutant.family))]);
    }

    const needed = new Set(mutants.map((mutant) => mutant.scenario));
    const unmutated = pathToFileURL(join(root, "dist/")).href;
    /** @type {Map<string, Outcome>} What each scenario says of the code as it is. */
    const asItIs = new Map();
    await eachAtOnce([...listed.scenarios.values()], async (entry) => {
      const { name } = entry.scenario;
      if (needed.has(name)) asItIs.set(name, await play(entry, unmutated));
    });

    /** @type {Map<Mutant, Row>} */
    const rows = new Map();
    await eachAtOnce(mutants, async (mutant) => {
      const row = { mutant, ...(await tryMutant(mutant, listed.scenarios, asItIs, place)) };
      rows.set(mutant, row);
      onRow?.(row);
    });
    return score(mutants.map((mutant) => /** @type {Row} */ (rows.get(mutant))));
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** @param {readonly Row[]} rows @returns {Score} */
function score(rows) {
  return {
    rows,
    caught: rows.filter(({ result }) => result === "caught").length,
    total: rows.filter(({ mutant }) => mutant.equivalent === undefined).length,
    missed: rows
      .filter(({ result }) => result === "missed" || result === "error")
      .map(({ mutant }) => mutant.id),
  };
}

/**
 * @param {Mutant} mutant
 * @param {ReadonlyMap<string, Playable>} scenarios
 * @param {ReadonlyMap<string, Outcome>} asItIs
 * @param {string} place
 * @returns {Promise<{ result: Row["result"], evidence: string }>}
 */
async function tryMutant(mutant, scenarios, asItIs, place) {
  const entry = scenarios.get(mutant.scenario);
  const before = asItIs.get(mutant.scenario);
  if (entry === undefined || before === undefined) {
    return { result: "error", evidence: `there is no scenario "${mutant.scenario}"` };
  }
  if (before.kind !== "passed") {
    return { result: "error", evidence: `the scenario fails without any mutant: ${before.evidence}` };
  }
  const problem = misfit(mutant);
  if (problem !== undefined) return { result: "error", evidence: problem };

  const copy = join(place, mutant.id);
  let changed;
  try {
    changed = buildMutant(mutant, copy);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { result: "error", evidence: `the mutant does not compile: ${error.message}` };
  }
  const outcome = await play(entry, pathToFileURL(`${copy}/`).href, changed);
  rmSync(copy, { recursive: true });
  return judge(mutant, entry.scenario, outcome);
}

/** @param {Mutant} mutant @param {Scenario} scenario @param {Outcome} outcome @returns {{ result: Row["result"], evidence: string }} */
function judge({ equivalent }, scenario, outcome) {
  if (outcome.kind === "broken") {
    return { result: "error", evidence: `the mutant does not load: ${outcome.evidence}` };
  }
  if (outcome.kind === "passed") {
    return equivalent === undefined
      ? { result: "missed", evidence: "the scenario passes" }
      : { result: "equivalent", evidence: equivalent };
  }
  if (outcome.kind === "hung" && !scenario.hangingIsEvidence) {
    return {
      result: "error",
      evidence: `${outcome.evidence}, which this scenario does not take as evidence`,
    };
  }
  return equivalent === undefined
    ? { result: "caught", evidence: outcome.evidence }
    : { result: "error", evidence: `it is not equivalent: ${outcome.evidence}` };
}

/** @typedef {{ scenario: Scenario, file: string }} Playable */

/**
 * Plays a scenario in a process of its own, against the build at `rootUrl`.
 *
 * @param {Playable} entry @param {string} rootUrl @param {string} [changed]
 * @returns {Promise<Outcome>}
 */
function play({ scenario, file }, rootUrl, changed) {
  const seconds = scenario.secondsMax ?? 120;
  return new Promise((resolve, reject) => {
    const child = fork(
      join(root, "tools/lib/mutant-child.mjs"),
      [pathToFileURL(file).href, scenario.name, rootUrl, ...(changed === undefined ? [] : [changed])],
      // A mutant that queues for ever must not take the machine's memory with it.
      { execArgv: ["--max-old-space-size=1024"], stdio: ["ignore", "ignore", "ignore", "ipc"] },
    );
    /** @type {Outcome} */
    let outcome = { kind: "hung", evidence: "it ended without an answer" };
    const timer = setTimeout(() => {
      outcome = { kind: "hung", evidence: `it was not over after ${seconds} s` };
      child.kill("SIGKILL");
    }, seconds * 1000);
    child.once("message", (/** @type {Outcome} */ message) => (outcome = message));
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      resolve(outcome);
    });
  });
}

/**
 * The lists and scenarios compiled into `folder`.
 *
 * @param {string} folder
 * @returns {Promise<{ mutants: readonly Mutant[], scenarios: ReadonlyMap<string, Playable> }>}
 */
async function load(folder) {
  /** @type {Map<string, Mutant>} */
  const mutants = new Map();
  for (const file of modulesIn(folder)) {
    for (const mutant of (await import(pathToFileURL(file).href)).mutants ?? []) {
      if (mutants.has(mutant.id)) throw new Error(`two mutants are called ${mutant.id}`);
      mutants.set(mutant.id, mutant);
    }
  }
  /** @type {Map<string, Playable>} */
  const scenarios = new Map();
  for (const file of modulesIn(join(folder, "scenarios"))) {
    for (const scenario of (await import(pathToFileURL(file).href)).scenarios ?? []) {
      if (scenarios.has(scenario.name)) throw new Error(`two scenarios are called "${scenario.name}"`);
      scenarios.set(scenario.name, { scenario, file });
    }
  }
  return { mutants: [...mutants.values()], scenarios };
}

/** @param {string} folder */
function modulesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".js"))
    .toSorted()
    .map((name) => join(folder, name));
}

/**
 * As many at once as the machine has processors, in order.
 *
 * @template T
 * @param {readonly T[]} items @param {(item: T) => Promise<void>} work
 */
async function eachAtOnce(items, work) {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

class UnknownFamilyError extends Error {
  /** @param {string} given @param {readonly string[]} known */
  constructor(given, known) {
    super(`unknown family of mutants "${given}"`);
    this.given = given;
    this.known = known;
  }
}

async function main() {
  const given = process.argv.slice(2);
  const json = given.includes("--json");
  const [family] = given.filter((argument) => argument !== "--json");
  try {
    await setUp((line) => console.error(line));
    const progress = process.stderr.isTTY
      ? (/** @type {Row} */ { mutant, result }) => process.stderr.write(`\r\x1b[K${mutant.id} ${result}`)
      : undefined;
    const { rows, caught, total, missed } = await tryMutants({
      family,
      ...(progress && { onRow: progress }),
    });
    if (progress) process.stderr.write("\r\x1b[K");
    if (json) {
      console.log(JSON.stringify({ caught, total, missed }));
    } else {
      console.log(
        table(
          ["mutant", "result", "by", "evidence"],
          rows.map(({ mutant, result, evidence }) => [mutant.id, result, mutant.scenario, evidence]),
        ),
      );
      console.log(`caught ${caught} of ${total}`);
    }
    return missed.length === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof SetupError) {
      console.error(error.message);
      return 4;
    }
    if (error instanceof UnknownFamilyError) {
      const { unknownName } = await import("../dist/core/index.js");
      console.error(unknownName("family of mutants", error.given, error.known).message);
      return 2;
    }
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
