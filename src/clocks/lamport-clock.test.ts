import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clocksAlong, histories, pairs, type ClockRules } from "../../test/support/random-history.js";
import { processNames } from "../core/index.js";
import { COUNT_MAX, LamportClock } from "./index.js";
import type { LamportStamp } from "./index.js";

const RULES: ClockRules<number, LamportStamp> = {
  start: () => 0,
  local: (own) => LamportClock.tick(own),
  send(own, process) {
    const { time, stamp } = LamportClock.send(own, `P${process + 1}`);
    return [time, stamp];
  },
  receive: (own, stamp) => LamportClock.receive(own, stamp[0]),
};

describe("logical-clocks.md §1", () => {
  test("the example: P 1, 2; Q 1, 3, 4; P 5; and R's 1 is concurrent with all of these although 1 < 3", () => {
    const pLocal = LamportClock.tick(0);
    const m = LamportClock.send(pLocal, "P");
    const qLocal = LamportClock.tick(0);
    const qReceives = LamportClock.receive(qLocal, m.stamp[0]);
    const r = LamportClock.send(qReceives, "Q");
    const pReceives = LamportClock.receive(m.time, r.stamp[0]);
    expect([pLocal, m.time, qLocal, qReceives, r.time, pReceives]).toEqual([1, 2, 1, 3, 4, 5]);
    expect(LamportClock.tick(0)).toBe(1);
  });

  test("what happened before has the smaller time", () => {
    fc.assert(
      fc.property(histories(), (history) => {
        const times = clocksAlong(history, RULES);
        const broken = pairs(history).filter(
          ({ e, f, before }) => before && !((times[e] ?? NaN) < (times[f] ?? NaN)),
        );
        expect(broken).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("stamps are distinct, and their order is total and extends happened-before", () => {
    fc.assert(
      fc.property(histories(), (history) => {
        const names = processNames(history.processes);
        const stamps = clocksAlong(history, RULES).map((time, e): LamportStamp => [
          time,
          names[history.events[e]?.process ?? -1] ?? "",
        ]);
        const broken = pairs(history).filter(({ e, f, before }) => {
          const order = LamportClock.compare(stamps[e] ?? [0, ""], stamps[f] ?? [0, ""], names);
          const mirrored = LamportClock.compare(stamps[f] ?? [0, ""], stamps[e] ?? [0, ""], names);
          return order === 0 || Math.sign(order) !== -Math.sign(mirrored) || (before && order > 0);
        });
        expect(broken).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("a smaller time proves nothing: two concurrent events have different times", () => {
    const history = {
      processes: 2,
      events: [
        { kind: "local", process: 0 },
        { kind: "local", process: 1 },
        { kind: "local", process: 1 },
      ],
    } as const;
    const times = clocksAlong(history, RULES);
    expect(times[0]).toBeLessThan(times[2] ?? NaN);
    const related = pairs(history).filter(({ e, f, before }) => before && (e === 0 || f === 0));
    expect(related).toEqual([]);
  });

  test("a duplicate only makes the time larger", () => {
    const once = LamportClock.receive(3, 7);
    expect(LamportClock.receive(once, 7)).toBe(once + 1);
  });
});

test("the stamp on a message is the time of its send", () => {
  expect(LamportClock.send(4, "P2")).toEqual({ time: 5, stamp: [5, "P2"] });
});

test("equal times go by place in the run's order, so P10 follows P9", () => {
  const names = processNames(10);
  expect(LamportClock.compare([4, "P9"], [4, "P10"], names)).toBeLessThan(0);
  expect(LamportClock.compare([5, "P1"], [4, "P10"], names)).toBeGreaterThan(0);
  expect(LamportClock.compare([4, "P3"], [4, "P3"], names)).toBe(0);
  expect(() => LamportClock.compare([4, "P3"], [4, "mallory"], names)).toThrow(/mallory/);
});

test.each([NaN, -1, 1.5, Infinity, 2 ** 53, "7", undefined])("refuses a message stamped %s", (time) => {
  expect(() => LamportClock.receive(1, time as number)).toThrow(
    expect.objectContaining({ code: "clock-rejected" }),
  );
});

test("refuses to count past what a double holds exactly", () => {
  expect(LamportClock.tick(COUNT_MAX - 1)).toBe(COUNT_MAX);
  expect(() => LamportClock.tick(COUNT_MAX)).toThrow(expect.objectContaining({ code: "clock-exhausted" }));
  expect(() => LamportClock.receive(0, COUNT_MAX)).toThrow(
    expect.objectContaining({ code: "clock-exhausted" }),
  );
});
