import fc from "fast-check";
import { expect, test } from "vitest";
import type { SequenceRange } from "./sequence-ranges.js";
import { gaps, includesSequence, withSequence } from "./sequence-ranges.js";

const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 40 });

function rangesOf(members: readonly number[]): readonly SequenceRange[] {
  return members.reduce<readonly SequenceRange[]>((ranges, seq) => withSequence(ranges, seq), []);
}

test("has exactly the numbers that were put in, whatever their order", () => {
  fc.assert(
    fc.property(numbers, (members) => {
      const ranges = rangesOf(members);
      for (let seq = 0; seq <= 42; seq++) expect(includesSequence(ranges, seq)).toBe(members.includes(seq));
    }),
  );
});

test("keeps its ranges ascending, apart, and never touching", () => {
  fc.assert(
    fc.property(numbers, (members) => {
      const ranges = rangesOf(members);
      for (const [i, [first, last]] of ranges.entries()) {
        expect(first).toBeLessThanOrEqual(last);
        expect(first).toBeGreaterThan((ranges[i - 1]?.[1] ?? -1) + 1);
      }
    }),
  );
});

test("names as gaps exactly what is missing up to the highest number", () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 45 }), (given, highest) => {
      const members = given.filter((seq) => seq !== 1);
      const missing = gaps(rangesOf(members), 1, highest, 100).flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, i) => first + i),
      );
      const expected = Array.from({ length: highest }, (_, i) => i + 1).filter(
        (seq) => !members.includes(seq),
      );
      expect(missing).toEqual(expected);
    }),
  );
});

test("names no more gaps than allowed, the first ones", () => {
  expect(
    gaps(
      [
        [3, 3],
        [5, 5],
        [7, 7],
      ],
      1,
      9,
      2,
    ),
  ).toEqual([
    [1, 2],
    [4, 4],
  ]);
});
