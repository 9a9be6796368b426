import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tryMutants } from "../../tools/mutants.mjs";
import { setUp } from "../../tools/setup.mjs";
import type { Mutant } from "./mutant.js";

beforeAll(() => setUp(() => {}));

test("every bug on the lists is caught by its scenario", { timeout: 400_000 }, async () => {
  const { rows, caught, total, missed } = await tryMutants();
  const tellMissed = rows
    .filter(({ mutant }) => missed.includes(mutant.id))
    .map(({ mutant, result, evidence }) => `${mutant.id} ${result}: ${evidence}`);
  expect(tellMissed).toEqual([]);
  expect(caught).toBe(total);
  // A harness that finds no list would be content with anything.
  expect(total).toBeGreaterThan(0);
});

const folder = mkdtempSync(join(tmpdir(), "lightcone-mutants-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the harness says of one change to `src/core/ids.ts`, as `result: evidence`. */
async function verdictOn(change: Partial<Mutant>): Promise<string> {
  const mutant: Mutant = {
    id: "X-1",
    family: "planted",
    file: "src/core/ids.ts",
    find: "return `${process}:${number}`;",
    replace: "return `${number}:${process}`;",
    why: "the number comes first",
    scenario: "names",
    ...change,
  };
  mkdirSync(join(folder, "scenarios"), { recursive: true });
  writeFileSync(join(folder, "list.ts"), `export const mutants = ${JSON.stringify([mutant])};`);
  writeFileSync(join(folder, "scenarios/ids.ts"), scenarios);
  const { rows, caught, missed } = await tryMutants({ folder });
  expect([caught, missed.length]).toEqual(
    { caught: [1, 0], equivalent: [0, 0], missed: [0, 1], error: [0, 1] }[rows[0]?.result ?? "error"],
  );
  return rows.map(({ result, evidence }) => `${result}: ${evidence}`).join();
}

const scenarios = `
  async function eventId(root: string): Promise<(process: string, number: number) => string> {
    return (await import(new URL("core/index.js", root).href)).eventId;
  }
  async function check(root: string): Promise<void> {
    const name = (await eventId(root))("P2", 8);
    if (name !== "P2:8") throw new Error("an event is called " + name);
  }
  export const scenarios = [
    { name: "names", claim: "the process comes first", run: check },
    { name: "refuted anyway", claim: "false", run: () => Promise.reject(new Error("never true")) },
    { name: "ends", claim: "it ends", run: check, secondsMax: 2, hangingIsEvidence: true },
    { name: "impatient", claim: "the process comes first", run: check, secondsMax: 2 },
  ];
`;

const endless = "for (;;) if (number < 0) return process;";

test("a bug that breaks the scenario's claim is caught, with the error as evidence", async () => {
  expect(await verdictOn({})).toBe("caught: an event is called 8:P2");
});

test("a change that breaks nothing is missed", async () => {
  const harmless = await verdictOn({ replace: "return [process, number].join(':');" });
  expect(harmless).toBe("missed: the scenario passes");
});

test("a change known to be harmless is not missed, until the scenario notices it", async () => {
  const equivalent = "the same text";
  expect(await verdictOn({ replace: "return [process, number].join(':');", equivalent })).toBe(
    "equivalent: the same text",
  );
  expect(await verdictOn({ equivalent })).toBe("error: it is not equivalent: an event is called 8:P2");
});

test("a change that no longer fits its source is an error", async () => {
  expect(await verdictOn({ find: "return process + number;" })).toContain(
    "error: the text to find occurs 0 times",
  );
  expect(await verdictOn({ find: "ProcessId" })).toMatch(/error: the text to find occurs \d+ times/);
  expect(await verdictOn({ file: "src/core/gone.ts" })).toContain("error: src/core/gone.ts cannot be read");
});

test("a change that does not load is an error and no catch", async () => {
  expect(await verdictOn({ replace: "return (;" })).toContain("error: the mutant does not compile");
  expect(await verdictOn({ find: 'from "./errors.js"', replace: 'from "./gone.js"' })).toContain(
    "error: the mutant does not load",
  );
});

test("hanging is evidence only for a scenario that claims an end", async () => {
  expect(await verdictOn({ replace: endless, scenario: "ends" })).toBe("caught: it was not over after 2 s");
  expect(await verdictOn({ replace: endless, scenario: "impatient" })).toContain(
    "error: it was not over after 2 s",
  );
});

test("a scenario that fails without any mutant catches nothing", async () => {
  expect(await verdictOn({ scenario: "refuted anyway" })).toBe(
    "error: the scenario fails without any mutant: never true",
  );
  expect(await verdictOn({ scenario: "unwritten" })).toBe('error: there is no scenario "unwritten"');
});
