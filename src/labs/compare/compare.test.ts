import { describe, expect, test } from "vitest";
import { compare, families, findFamily, type CompareRequest, type Measured, type Tried } from "./compare.js";

function resultsOf(request: Partial<CompareRequest>): { measured: Measured[]; tried: Tried[] } {
  const family = findFamily("mutex");
  const results = [...compare({ family, sizes: [4], seed: 1, options: { entries: 2 }, ...request })];
  return {
    measured: results.flatMap((result) => (result.kind === "measured" ? [result] : [])),
    tried: results.flatMap((result) => (result.kind === "tried" ? [result] : [])),
  };
}

describe("mutex", () => {
  const { measured, tried } = resultsOf({ sizes: [2, 5, 8] });

  test("every algorithm is run at every size under every load, and none is out of what is published", () => {
    expect(measured).toHaveLength(8 * 3 * 2);
    expect(measured.flatMap(({ violations }) => violations)).toEqual([]);
    for (const { processes, operations } of measured) expect(operations).toBe(2 * processes);
  });

  test("those with an exact formula cost exactly that", () => {
    const cost = (algorithm: string, processes: number) =>
      measured.flatMap((one) =>
        one.algorithm === algorithm && one.processes === processes ? [one.messagesPerOperation] : [],
      );
    for (const n of [2, 5, 8]) {
      expect(cost("lamport", n)).toEqual([3 * (n - 1), 3 * (n - 1)]);
      expect(cost("ricart-agrawala", n)).toEqual([2 * (n - 1), 2 * (n - 1)]);
    }
  });

  test.each([
    ["lamport", 1],
    ["ricart-agrawala", 1],
    ["roucairol-carvalho", 1],
    ["suzuki-kasami", 1],
    ["token-ring", 1],
    ["maekawa", 2],
  ])("under load %s hands over in %i T, its published synchronisation delay", (algorithm, delays) => {
    const one = measured.find(
      (row) => row.algorithm === algorithm && row.processes === 8 && row.load === "all",
    );
    expect(one?.values["handover"]).toBeCloseTo(delays, 5);
  });

  test("lossy links cost nobody safety, and everybody is served", () => {
    const lossy = tried.filter(({ trial }) => trial === "loss");
    expect(lossy).toHaveLength(8);
    for (const { safe, finished, runs } of lossy) expect([safe, finished]).toEqual([runs, runs]);
  });

  test("a crash without return stops those who ask everybody, and is survived where it returns by those who save", () => {
    const served = (trial: string, algorithm: string) =>
      tried.find((one) => one.trial === trial && one.algorithm === algorithm)?.finished;
    expect(served("crash", "lamport")).toBe(0);
    for (const algorithm of ["suzuki-kasami", "token-ring", "coordinator"])
      expect(served("crash and return", algorithm)).toBe(20);
  });

  test("faults of one's own replace the trials", () => {
    const own = resultsOf({ faults: "duplicate 50%" }).tried;
    expect(new Set(own.map(({ faults }) => faults))).toEqual(new Set(["duplicate 50%"]));
    expect(own).toHaveLength(8);
  });
});

test("election: none is out of what is published, and the worst order for one direction is none for two", () => {
  const { measured, tried } = resultsOf({ family: findFamily("election"), sizes: [2, 8], options: {} });
  expect(measured.flatMap(({ violations }) => violations)).toEqual([]);
  const cost = (algorithm: string, load: string) =>
    measured.find((one) => one.algorithm === algorithm && one.load === load && one.processes === 8)
      ?.messagesPerOperation;
  expect([cost("chang-roberts", "rising"), cost("chang-roberts", "falling")]).toEqual([23, 44]);
  expect(cost("hirschberg-sinclair", "rising")).toBe(cost("hirschberg-sinclair", "falling"));
  for (const { trial, safe, finished, runs } of tried) {
    expect(safe).toBe(runs);
    if (trial === "loss") expect(finished).toBe(runs);
  }
});

test("what cannot be run is refused before anything is", () => {
  expect(() => resultsOf({ sizes: [2, 1] })).toThrow(/-n 1: lamport runs with 2 to 1000 processes/);
  expect(() => resultsOf({ sizes: [2, 300] })).toThrow(/at most 256 processes/);
  expect(() => resultsOf({ options: { entries: 0 } })).toThrow(/--entries takes/);
  expect(() => resultsOf({ faults: "nonsense" })).toThrow(/nonsense/);
  expect(() => findFamily("mutexx")).toThrow(/did you mean "mutex"/);
});

test.each(families)("a published cost that is not met shows: $id", (family) => {
  const [first] = family.members;
  if (first === undefined) throw new Error("a family without members");
  const wrong = { ...family, members: [{ ...first, published: () => 1_000_000 }] };
  const { measured } = resultsOf({ family: wrong });
  expect(measured[0]?.violations).toEqual([
    expect.stringMatching(/^\d+(\.\d+)? messages where .* is published$/),
  ]);
});
