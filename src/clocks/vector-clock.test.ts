import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  clocksAlong,
  happenedBefore,
  histories,
  pairs,
  type ClockRules,
} from "../../test/support/random-history.js";
import { VectorClock, type DenseVector } from "./index.js";

function rules(processes: number): ClockRules<DenseVector, DenseVector> {
  return {
    start: () => VectorClock.zero(processes),
    local: (own, self) => VectorClock.tick(own, self),
    send(own, self) {
      const sent = VectorClock.tick(own, self);
      return [sent, sent];
    },
    receive: (own, stamp, self) => VectorClock.receive(own, stamp, self),
  };
}

const vectors = fc.array(fc.nat({ max: 5 }), { minLength: 3, maxLength: 3 });

describe("logical-clocks.md §2", () => {
  test("the example: m is concurrent with C's local event, and A's [1,0,0] comes before C's [1,2,2]", () => {
    const [a, b, c] = [0, 1, 2];
    const m = VectorClock.tick(VectorClock.zero(3), a);
    const bReceives = VectorClock.receive(VectorClock.zero(3), m, b);
    const r = VectorClock.tick(bReceives, b);
    const cLocal = VectorClock.tick(VectorClock.zero(3), c);
    const cReceives = VectorClock.receive(cLocal, r, c);
    expect([m, bReceives, r, cLocal, cReceives]).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [1, 2, 0],
      [0, 0, 1],
      [1, 2, 2],
    ]);
    expect(VectorClock.compare(m, cLocal)).toBe("concurrent");
    expect(VectorClock.compare(m, cReceives)).toBe("before");
    expect(VectorClock.compare(cReceives, m)).toBe("after");
  });

  test("V(e) < V(f) exactly when e happened before f", () => {
    let concurrent = 0;
    fc.assert(
      fc.property(histories(), (history) => {
        const stamps = clocksAlong(history, rules(history.processes));
        const truth = happenedBefore(history);
        const wrong = pairs(history).filter(({ e, f, before }) => {
          const [a, b] = [stamps[e] ?? [], stamps[f] ?? []];
          const neither = !before && !truth[f]?.[e];
          if (neither) concurrent++;
          return VectorClock.happensBefore(a, b) !== before || VectorClock.concurrent(a, b) !== neither;
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 400 },
    );
    expect(concurrent).toBeGreaterThan(1000);
  });

  test("the fast test agrees: e reaches f when V(e)[p] <= V(f)[p] for e's process p", () => {
    fc.assert(
      fc.property(histories(), (history) => {
        const stamps = clocksAlong(history, rules(history.processes));
        const wrong = pairs(history).filter(({ e, f, before }) => {
          const of = history.events[e]?.process ?? -1;
          return VectorClock.reaches(stamps[e] ?? [], of, stamps[f] ?? []) !== before;
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test("nobody knows more of a process than it has done, and no entry falls", () => {
    fc.assert(
      fc.property(histories(), (history) => {
        const latest = Array.from({ length: history.processes }, () => VectorClock.zero(history.processes));
        clocksAlong(history, rules(history.processes)).forEach((clock, e) => {
          const process = history.events[e]?.process ?? -1;
          expect(VectorClock.lessOrEqual(latest[process] ?? [], clock)).toBe(true);
          latest[process] = clock;
          clock.forEach((count, j) => expect(count).toBeLessThanOrEqual(latest[j]?.[j] ?? NaN));
        });
      }),
      { numRuns: 200 },
    );
  });
});

test("merge commutes, associates and is idempotent; it is the least upper bound", () => {
  fc.assert(
    fc.property(vectors, vectors, vectors, (a, b, c) => {
      const { merge, lessOrEqual } = VectorClock;
      expect(merge(a, b)).toEqual(merge(b, a));
      expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
      expect(merge(a, a)).toEqual(a);
      expect(lessOrEqual(a, merge(a, b))).toBe(true);
      if (lessOrEqual(a, c) && lessOrEqual(b, c)) expect(lessOrEqual(merge(a, b), c)).toBe(true);
    }),
  );
});

test("compare answers for the mirror image alike", () => {
  const mirror = { equal: "equal", before: "after", after: "before", concurrent: "concurrent" };
  fc.assert(
    fc.property(vectors, vectors, (a, b) => {
      expect(VectorClock.compare(b, a)).toBe(mirror[VectorClock.compare(a, b)]);
      expect(VectorClock.compare(a, [...a])).toBe("equal");
    }),
  );
});

test("before needs one smaller entry, not all of them", () => {
  expect(VectorClock.compare([1, 2, 0], [1, 2, 1])).toBe("before");
});

test("no function changes or returns what it was given", () => {
  const own = Object.freeze([1, 2, 3]);
  const theirs = Object.freeze([3, 2, 1]);
  expect(VectorClock.tick(own, 0)).toEqual([2, 2, 3]);
  expect(VectorClock.merge(own, own)).not.toBe(own);
  expect(VectorClock.receive(own, theirs, 1)).toEqual([3, 3, 3]);
});

test("vectors of different groups do not compare", () => {
  expect(() => VectorClock.compare([1], [1, 2])).toThrow(/1 and of 2 processes/);
  expect(() => VectorClock.tick([1], 1)).toThrow(/entry 1/);
});
