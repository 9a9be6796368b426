import { describe, expect, test } from "vitest";
import { electionOf, permutations } from "../../../test/support/elections.js";
import { processNames } from "../../core/index.js";
import { changRoberts, type ChangRobertsMessage } from "./chang-roberts.js";
import { parseIds } from "./election.js";

function elect(ids: readonly number[], starters?: readonly string[], down: readonly string[] = []) {
  const processes = processNames(ids.length);
  const protocol = changRoberts(parseIds(ids.join(" "), processes), {
    patience: down.length === 0 ? 0 : 100_000,
  });
  const { leaders, sent } = electionOf(protocol, ids.length, starters ?? processes, down);
  const count = (kind: ChangRobertsMessage["kind"]) =>
    sent.filter(({ message }) => message.kind === kind).length;
  return { leaders, candidates: count("candidate"), elected: count("elected") };
}

/** n · Hₙ, exactly: all permutations together send n! times as many. */
function meanTimesFactorial(n: number): number {
  const factorial = (k: number): number => (k < 2 ? 1 : k * factorial(k - 1));
  return Array.from({ length: n }, (_, k) => (n * factorial(n)) / (k + 1)).reduce((a, b) => a + b, 0);
}

describe("from the source", () => {
  test.each([2, 3, 4, 5, 6])(
    "over all orders of %i ids the highest wins, in 2n-1 to n(n+1)/2 messages, n·Hₙ on average",
    (n) => {
      const runs = permutations(n).map((ids) => ({ ids, ...elect(ids) }));
      for (const { ids, leaders, elected } of runs) {
        const highest = `P${ids.indexOf(n) + 1}`;
        expect(new Set(Object.values(leaders))).toEqual(new Set([highest]));
        expect(elected).toBe(n);
      }
      const costs = runs.map(({ candidates }) => candidates);
      expect(Math.min(...costs)).toBe(2 * n - 1);
      expect(Math.max(...costs)).toBe((n * (n + 1)) / 2);
      expect(costs.reduce((a, b) => a + b, 0)).toBe(Math.round(meanTimesFactorial(n)));
    },
  );

  test("rising ids are the best order, falling ones the worst", () => {
    expect(elect([1, 2, 3, 4, 5]).candidates).toBe(9);
    expect(elect([5, 4, 3, 2, 1]).candidates).toBe(15);
  });

  test("one that starts alone wakes whoever is higher", () => {
    const { leaders, candidates } = elect([2, 1, 4, 3], ["P1"]);
    expect(new Set(Object.values(leaders))).toEqual(new Set(["P3"]));
    expect(candidates).toBe(6);
  });
});

test("a dead process is left out, and the highest of the others wins", () => {
  for (const dead of ["P1", "P2", "P3", "P4"]) {
    const { leaders } = elect([3, 1, 4, 2], undefined, [dead]);
    const up = Object.entries(leaders).filter(([process]) => process !== dead);
    expect(new Set(up.map(([, leader]) => leader))).toEqual(new Set([dead === "P3" ? "P1" : "P3"]));
  }
});

test("ids that cannot be are refused with the reason", () => {
  const three = processNames(3);
  expect(() => parseIds("1 2", three)).toThrow(/2 ids for 3 processes/);
  expect(() => parseIds("1 2 2", three)).toThrow(/two processes have the id 2/);
  expect(() => parseIds("1 2 x", three)).toThrow(/an id is a whole number; "x" given/);
});
