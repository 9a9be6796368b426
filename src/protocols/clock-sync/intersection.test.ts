import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { intersection, marzullo, type Interval } from "./intersection.js";

const intervals = (...ends: (readonly [number, number])[]): Interval[] =>
  ends.map(([low, high]) => ({ low, high }));

describe("Marzullo", () => {
  test("[8,12], [11,13] and [10,12] have [11,12] in common; with [14,15] for the last, two have", () => {
    expect(marzullo(intervals([8, 12], [11, 13], [10, 12]))).toEqual({ low: 11, high: 12, count: 3 });
    expect(marzullo(intervals([8, 12], [11, 13], [14, 15]))).toEqual({ low: 11, high: 12, count: 2 });
  });

  test("intervals that touch overlap in a point, and no intervals have nothing", () => {
    expect(marzullo(intervals([1, 2], [2, 3]))).toEqual({ low: 2, high: 2, count: 2 });
    expect(marzullo([])).toBeUndefined();
  });
});

describe("RFC 5905, §11.2.1", () => {
  test("[0,4], [1,3.5] and [2.2,6] give [1,4], which keeps two midpoints inside", () => {
    expect(intersection(intervals([0, 4], [1, 3.5], [2.2, 6]))).toEqual({ low: 1, high: 4 });
  });

  test("one that is elsewhere does not count among three, and two against two are no majority", () => {
    expect(intersection(intervals([0, 2], [1, 3], [90, 91]))).toEqual({ low: 1, high: 2 });
    expect(intersection(intervals([0, 2], [1, 3], [90, 92], [91, 93]))).toBeUndefined();
    expect(intersection([])).toBeUndefined();
  });
});

const interval = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 20 }))
  .map(([low, width]) => ({ low, high: low + width }));

test("no point lies in more intervals than Marzullo counts, and its interval lies in so many", () => {
  fc.assert(
    fc.property(fc.array(interval, { minLength: 1, maxLength: 7 }), (given) => {
      const at = (point: number) => given.filter(({ low, high }) => low <= point && point <= high).length;
      const best = marzullo(given);
      expect(best?.count).toBe(Math.max(...given.flatMap(({ low, high }) => [at(low), at(high)])));
      expect([at(best?.low ?? -1), at(best?.high ?? -1)]).toEqual([best?.count, best?.count]);
    }),
  );
});

test("while fewer than half are wrong, the truth is inside", () => {
  const right = fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 20 }))
    .map(([before, after]) => ({ low: 100 - before, high: 100 + after }));
  const majority = fc
    .array(right, { minLength: 1, maxLength: 5 })
    .chain((good) => fc.array(interval, { maxLength: good.length - 1 }).map((bad) => [...bad, ...good]));
  fc.assert(
    fc.property(majority, (given) => {
      const found = intersection(given);
      // It may find none: where the truth is an end of all, they have no more than that point in common.
      if (found === undefined) return;
      expect(found.low).toBeLessThanOrEqual(100);
      expect(found.high).toBeGreaterThanOrEqual(100);
    }),
  );
});
