import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clocksAlong, histories, pairs, type ClockRules } from "../../test/support/random-history.js";
import { SparseVectorClock, VectorClock, type DenseVector, type SparseVector } from "./index.js";

const NAMES = ["P1", "P2", "P3", "P4", "P5"];
const name = (process: number): string => NAMES[process] ?? "";

const SPARSE: ClockRules<SparseVector, SparseVector> = {
  start: () => SparseVectorClock.ZERO,
  local: (own, self) => SparseVectorClock.tick(own, name(self)),
  send(own, self) {
    const sent = SparseVectorClock.tick(own, name(self));
    return [sent, sent];
  },
  receive: (own, stamp, self) => SparseVectorClock.receive(own, stamp, name(self)),
};

describe("logical-clocks.md §2.1", () => {
  test("an absent member counts zero", () => {
    const { compare } = SparseVectorClock;
    expect(compare({}, {})).toBe("equal");
    expect(compare({ P1: 1 }, { P1: 1, P2: 0 })).toBe("equal");
    expect(compare({ P1: 1 }, { P1: 1, P2: 2 })).toBe("before");
    expect(compare({ P1: 1, P2: 2 }, { P1: 1 })).toBe("after");
    expect(compare({ P1: 1 }, { P2: 1 })).toBe("concurrent");
  });

  test("it orders as happened-before does, and as the dense vector does", () => {
    fc.assert(
      fc.property(histories(), (history) => {
        const stamps = clocksAlong(history, SPARSE);
        const wrong = pairs(history).filter(({ e, f, before }) => {
          const order = SparseVectorClock.compare(stamps[e] ?? {}, stamps[f] ?? {});
          return (
            (order === "before") !== before ||
            order !== VectorClock.compare(dense(stamps[e]), dense(stamps[f]))
          );
        });
        expect(wrong).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test("a second life under its own key is not mistaken for the first", () => {
    const first = SparseVectorClock.tick(SparseVectorClock.ZERO, SparseVectorClock.memberKey("P1", 0));
    const second = SparseVectorClock.tick(SparseVectorClock.ZERO, SparseVectorClock.memberKey("P1", 1));
    expect(SparseVectorClock.compare(first, second)).toBe("concurrent");
  });

  test("a member that left is kept until everybody has seen its last event", () => {
    const clock = { P1: 4, P2: 3, P3: 5 };
    const behind = [clock, { P1: 2, P2: 2, P3: 5 }];
    expect(SparseVectorClock.prune(clock, "P2", 3, behind)).toEqual(clock);
    const level = [clock, { P1: 2, P2: 3, P3: 5 }];
    expect(SparseVectorClock.prune(clock, "P2", 3, level)).toEqual({ P1: 4, P3: 5 });
  });
});

test("a thousand joins and leaves leave the clock as small as the group", () => {
  let clock = SparseVectorClock.tick(SparseVectorClock.ZERO, "P1");
  for (let i = 0; i < 1000; i++) {
    const guest = SparseVectorClock.memberKey("guest", i);
    clock = SparseVectorClock.receive(clock, SparseVectorClock.tick(SparseVectorClock.ZERO, guest), "P1");
    clock = SparseVectorClock.prune(clock, guest, 1, [clock]);
  }
  expect(clock).toEqual({ P1: 1001 });
});

test("merge commutes, associates and is idempotent, and prints in one order", () => {
  const sparse = fc.dictionary(fc.constantFrom(...NAMES), fc.integer({ min: 1, max: 5 }));
  fc.assert(
    fc.property(sparse, sparse, sparse, (a, b, c) => {
      const { merge } = SparseVectorClock;
      expect(JSON.stringify(merge(a, b))).toBe(JSON.stringify(merge(b, a)));
      expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
      expect(merge(a, a)).toEqual(a);
    }),
  );
});

test.each(["__proto__", "constructor", "toString"])("a member called %s counts like any other", (member) => {
  const once = SparseVectorClock.tick(SparseVectorClock.ZERO, member);
  const twice = SparseVectorClock.receive(SparseVectorClock.ZERO, once, member);
  expect(SparseVectorClock.countOf(SparseVectorClock.ZERO, member)).toBe(0);
  expect(SparseVectorClock.countOf(twice, member)).toBe(2);
  expect(SparseVectorClock.compare(once, twice)).toBe("before");
  expect(SparseVectorClock.prune(twice, member, 2, [])).toEqual({});
});

function dense(clock: SparseVector | undefined): DenseVector {
  return NAMES.map((member) => SparseVectorClock.countOf(clock ?? {}, member));
}
