/**
 * One scenario against one build, in a process of its own: `mutant-child.mjs SCENARIO-FILE NAME ROOT [CHANGED-FILE]`.
 * Sends its parent the `Outcome`, and ends.
 */

/** @typedef {{ kind: "passed" } | { kind: "refuted" | "broken", evidence: string }} Outcome */

const [, , file = "", name, root = "", changed] = process.argv;

/** @type {Promise<Outcome>} */
const accident = new Promise((resolve) => {
  process.once("uncaughtException", (error) => resolve({ kind: "refuted", evidence: firstLine(error) }));
});

const outcome = await Promise.race([tryScenario(), accident]);
// Whatever the scenario left running ends here.
process.send?.(outcome, () => process.exit());

/** @returns {Promise<Outcome>} */
async function tryScenario() {
  /** @type {import("../../test/mutants/mutant.js").Scenario} */
  let scenario;
  try {
    const { scenarios } = await import(file);
    scenario = scenarios.find((/** @type {{ name: string }} */ candidate) => candidate.name === name);
    // A mutant that does not even load refutes nothing.
    if (changed !== undefined) await import(new URL(changed, root).href);
  } catch (error) {
    return { kind: "broken", evidence: firstLine(error) };
  }
  try {
    await scenario.run(root);
    return { kind: "passed" };
  } catch (error) {
    return { kind: "refuted", evidence: firstLine(error) };
  }
}

/** Cut off where it stops being readable. @param {unknown} error */
function firstLine(error) {
  const text = error instanceof Error ? error.message || error.name : String(error);
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
