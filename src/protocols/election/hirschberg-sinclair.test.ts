import { describe, expect, test } from "vitest";
import { electionOf, permutations } from "../../../test/support/elections.js";
import { processNames, Random } from "../../core/index.js";
import { parseIds } from "./election.js";
import { hirschbergSinclair } from "./hirschberg-sinclair.js";

function elect(ids: readonly number[], starters?: readonly string[]) {
  const processes = processNames(ids.length);
  const protocol = hirschbergSinclair(parseIds(ids.join(" "), processes));
  const { leaders, sent } = electionOf(protocol, ids.length, starters ?? processes);
  const elected = sent.filter(({ message }) => message.kind === "elected").length;
  return { leaders: new Set(Object.values(leaders)), elected, cost: sent.length - elected };
}

const bound = (n: number) => 8 * n * (1 + Math.ceil(Math.log2(n)));

describe("from the source", () => {
  test.each([2, 3, 4, 5, 6])(
    "over all orders of %i ids the highest wins within 8n(1 + ⌈log₂ n⌉) messages",
    (n) => {
      for (const ids of permutations(n)) {
        const { leaders, elected, cost } = elect(ids);
        expect(leaders).toEqual(new Set([`P${ids.indexOf(n) + 1}`]));
        expect(elected).toBe(n);
        expect(cost).toBeLessThanOrEqual(bound(n));
      }
    },
  );

  test("64 ids in any order stay far below 3584 messages, which falling ids cannot change", () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = new Random(seed);
      const left = Array.from({ length: 64 }, (_, k) => k + 1);
      const ids = left.map(() => 0).map(() => left.splice(random.below(left.length), 1)[0] ?? 0);
      expect(elect(ids).cost).toBeLessThanOrEqual(bound(64));
    }
    const falling = Array.from({ length: 64 }, (_, k) => 64 - k);
    expect(elect(falling).cost).toBeLessThanOrEqual(bound(64));
  });

  test("two processes, worked by hand: a probe and a reply each way, then two rounds and the news", () => {
    // P2: phase 0 out and back both ways (4), phase 1 round both ways (4). P1: one probe each way, dropped (2).
    expect(elect([1, 2])).toMatchObject({ cost: 10, elected: 2 });
  });
});

test("one that starts alone wakes whoever is higher", () => {
  expect(elect([2, 1, 4, 3], ["P2"]).leaders).toEqual(new Set(["P3"]));
});

test("alone, a process leads at once", () => {
  expect(elect([7]).leaders).toEqual(new Set(["P1"]));
});
