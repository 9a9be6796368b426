import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clocksAlong, histories, pairs, type ClockRules } from "../../test/support/random-history.js";
import { COUNT_MAX, HybridClock, type HybridTime } from "./index.js";

const EPSILON = 1000;

interface Stamped {
  readonly time: HybridTime;
  readonly pt: number;
}

/** Reference time passes by `pace` (0 to 3) per event; each process's clock is off by a constant up to ε/2. */
function rules(offsets: readonly number[], paces: readonly number[]): ClockRules<Stamped, HybridTime> {
  let events = 0;
  let now = EPSILON;
  const physical = (process: number): number => {
    now += paces[events++ % paces.length] ?? 0;
    return now + (offsets[process % offsets.length] ?? 0);
  };
  return {
    start: () => ({ time: HybridClock.ZERO, pt: 0 }),
    local(own, self) {
      const pt = physical(self);
      return { time: HybridClock.tick(own.time, pt), pt };
    },
    send(own, self) {
      const pt = physical(self);
      const time = HybridClock.tick(own.time, pt);
      return [{ time, pt }, time];
    },
    receive(own, stamp, self) {
      const pt = physical(self);
      return { time: HybridClock.receive(own.time, stamp, pt, EPSILON), pt };
    },
  };
}

const clocks = fc.record({
  offsets: fc.array(fc.integer({ min: -EPSILON / 2, max: EPSILON / 2 }), { minLength: 1, maxLength: 5 }),
  paces: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 7 }),
});

describe("logical-clocks.md §4", () => {
  test("the example: (10,0) (3,0) (10,1) (10,2) (10,3) (11,0)", () => {
    const m = HybridClock.tick(HybridClock.ZERO, 10);
    const bLocal = HybridClock.tick(HybridClock.ZERO, 3);
    const bReceives = HybridClock.receive(bLocal, m, 4, EPSILON);
    const r = HybridClock.tick(bReceives, 5);
    const aReceives = HybridClock.receive(m, r, 10, EPSILON);
    const aSends = HybridClock.tick(aReceives, 11);
    expect([m, bLocal, bReceives, r, aReceives, aSends].map(({ l, c }) => [l, c])).toEqual([
      [10, 0],
      [3, 0],
      [10, 1],
      [10, 2],
      [10, 3],
      [11, 0],
    ]);
  });

  test("(1) what happened before has the smaller stamp", () => {
    fc.assert(
      fc.property(histories(), clocks, (history, { offsets, paces }) => {
        const stamps = clocksAlong(history, rules(offsets, paces));
        for (const { e, f, before } of pairs(history)) {
          const [a, b] = [stamps[e]?.time ?? HybridClock.ZERO, stamps[f]?.time ?? HybridClock.ZERO];
          if (before) expect(HybridClock.compare(a, b)).toBeLessThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("(2, 3) l is the largest physical reading in the causal past, so it is never behind and at most ε ahead", () => {
    fc.assert(
      fc.property(histories(), clocks, (history, { offsets, paces }) => {
        const stamps = clocksAlong(history, rules(offsets, paces));
        const largest = stamps.map(({ pt }) => pt);
        for (const { e, f, before } of pairs(history)) {
          if (before) largest[f] = Math.max(largest[f] ?? 0, stamps[e]?.pt ?? 0);
        }
        stamps.forEach(({ time, pt }, e) => {
          expect(time.l).toBe(largest[e]);
          expect(time.l - pt).toBeGreaterThanOrEqual(0);
          expect(time.l - pt).toBeLessThanOrEqual(EPSILON);
        });
      }),
      { numRuns: 300 },
    );
  });

  test("c starts again when l grows", () => {
    expect(HybridClock.tick({ l: 10, c: 7 }, 11)).toEqual({ l: 11, c: 0 });
    expect(HybridClock.receive({ l: 10, c: 7 }, { l: 10, c: 9 }, 12, EPSILON)).toEqual({ l: 12, c: 0 });
  });

  test("on a tie of all three, c exceeds both", () => {
    expect(HybridClock.receive({ l: 10, c: 2 }, { l: 10, c: 5 }, 10, EPSILON)).toEqual({ l: 10, c: 6 });
    expect(HybridClock.receive({ l: 10, c: 5 }, { l: 10, c: 2 }, 10, EPSILON)).toEqual({ l: 10, c: 6 });
  });

  test("a stamp from the far future is refused, and one at the bound is not", () => {
    const own = { l: 100, c: 0 };
    expect(() => HybridClock.receive(own, { l: 100 + EPSILON + 1, c: 0 }, 100, EPSILON)).toThrow(
      expect.objectContaining({ name: "ClockError", code: "clock-rejected" }),
    );
    expect(HybridClock.receive(own, { l: 100 + EPSILON, c: 0 }, 100, EPSILON)).toEqual({
      l: 100 + EPSILON,
      c: 1,
    });
  });
});

test.each<[HybridTime]>([[{ l: NaN, c: 0 }], [{ l: 1, c: NaN }], [{ l: -1, c: 0 }], [{ l: 1, c: 0.5 }]])(
  "refuses the stamp %o",
  (stamp) => {
    expect(() => HybridClock.receive(HybridClock.ZERO, stamp, 10, EPSILON)).toThrow(
      expect.objectContaining({ code: "clock-rejected" }),
    );
  },
);

test("after a restart nothing is stamped until the clock has passed what was stored", () => {
  expect(HybridClock.mayResume({ l: 10, c: 3 }, 10)).toBe(false);
  expect(HybridClock.mayResume({ l: 10, c: 3 }, 11)).toBe(true);
});

test("refuses to count past what a double holds exactly", () => {
  expect(() => HybridClock.tick({ l: 10, c: COUNT_MAX }, 5)).toThrow(
    expect.objectContaining({ code: "clock-exhausted" }),
  );
});
