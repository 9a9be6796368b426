import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DURATION_MAX, HOUR, MILLISECOND, SECOND } from "../core/index.js";
import { AdjustableClock, ClockCourse } from "./index.js";

const { PERFECT, read, setDrift, slew, slewLeft, step, referenceDuration } = ClockCourse;

const drifts = fc.integer({ min: -ClockCourse.DRIFT_PPM_MAX, max: ClockCourse.DRIFT_PPM_MAX });
const slews = fc.record({
  delta: fc.integer({ min: -5000, max: 5000 }),
  ppm: fc.integer({ min: 1, max: ClockCourse.SLEW_PPM_MAX }),
});

describe("logical-clocks.md §5", () => {
  test("+50 ppm gains 12 ms over 240 s", () => {
    expect(read(setDrift(PERFECT, 50, 0), 240 * SECOND)).toBe(240 * SECOND + 12 * MILLISECOND);
  });

  test("two clocks of ±20 ppm are 9.6 ms apart after 240 s", () => {
    const fast = read(setDrift(PERFECT, 20, 0), 240 * SECOND);
    const slow = read(setDrift(PERFECT, -20, 0), 240 * SECOND);
    expect(fast - slow).toBe(9_600);
  });

  test("the reading is the exact value rounded down, at any time of a year", () => {
    fc.assert(
      fc.property(drifts, fc.nat({ max: DURATION_MAX }), fc.nat({ max: HOUR }), (ppm, passed, since) => {
        const exact = BigInt(since) + (BigInt(passed) * (1_000_000n + BigInt(ppm))) / 1_000_000n;
        expect(BigInt(read(setDrift(PERFECT, ppm, since), since + passed))).toBe(exact);
      }),
    );
  });
});

test("a perfect clock shows the reference", () => {
  expect(read(PERFECT, 123_456)).toBe(123_456);
  expect(referenceDuration(PERFECT, 250, 7)).toBe(250);
});

test("a step moves every later reading, and only a step back moves it backward", () => {
  const clock = step(setDrift(PERFECT, 100, 0), -250 * MILLISECOND, SECOND);
  expect(read(clock, SECOND)).toBe(SECOND + 100 - 250 * MILLISECOND);
  expect(read(clock, 2 * SECOND)).toBe(2 * SECOND + 200 - 250 * MILLISECOND);
});

test("readings do not depend on how often the clock was adjusted to what it was", () => {
  fc.assert(
    fc.property(
      drifts,
      slews,
      fc.array(fc.nat({ max: 20_000 }), { maxLength: 10 }),
      (ppm, { delta, ppm: rate }, times) => {
        const plain = slew(setDrift(PERFECT, ppm, 0), delta, rate, 0);
        let touched = plain;
        for (const at of times.toSorted((a, b) => a - b)) {
          touched = step(setDrift(touched, ppm, at), 0, at);
          expect(read(touched, at)).toBe(read(plain, at));
        }
        expect(read(touched, 50_000)).toBe(read(plain, 50_000));
      },
    ),
  );
});

test("a slew adds exactly its correction, at its rate, and never more", () => {
  const clock = slew(PERFECT, 3 * MILLISECOND, 500, SECOND);
  expect(read(clock, SECOND)).toBe(SECOND);
  expect(read(clock, 2 * SECOND)).toBe(2 * SECOND + 500);
  expect(slewLeft(clock, 2 * SECOND)).toBe(2_500);
  expect(read(clock, 7 * SECOND)).toBe(7 * SECOND + 3_000);
  expect(read(clock, 60 * SECOND)).toBe(60 * SECOND + 3_000);
  expect(slewLeft(clock, 60 * SECOND)).toBe(0);
});

test("a slew back loses its correction", () => {
  const clock = slew(PERFECT, -3 * MILLISECOND, 500, 0);
  expect(read(clock, SECOND)).toBe(SECOND - 500);
  expect(slewLeft(clock, SECOND)).toBe(-2_500);
  expect(read(clock, HOUR)).toBe(HOUR - 3_000);
});

test("a new slew replaces what the earlier one has left", () => {
  const first = slew(PERFECT, 10_000, 1000, 0);
  const second = slew(first, -500, 1000, 2 * SECOND);
  expect(read(second, 2 * SECOND)).toBe(2 * SECOND + 2_000);
  expect(read(second, 60 * SECOND)).toBe(60 * SECOND + 1_500);
  expect(read(slew(first, 0, 1000, 2 * SECOND), 60 * SECOND)).toBe(60 * SECOND + 2_000);
});

test("a clock that drifts and is slewed never runs backward", () => {
  fc.assert(
    fc.property(drifts, slews, slews, fc.nat({ max: 100_000 }), (ppm, first, second, from) => {
      let clock = slew(setDrift(PERFECT, ppm, 0), first.delta, first.ppm, 0);
      let before = read(clock, from);
      for (let at = from; at < from + 300; at++) {
        if (at === from + 100) clock = slew(clock, second.delta, second.ppm, at);
        if (at === from + 200) clock = setDrift(clock, -ppm, at);
        const now = read(clock, at);
        expect(now).toBeGreaterThanOrEqual(before);
        before = now;
      }
    }),
  );
});

test("a timer fires at the first instant at which the clock has advanced enough", () => {
  fc.assert(
    fc.property(
      drifts,
      slews,
      fc.nat({ max: 60 * SECOND }),
      fc.nat({ max: 100_000 }),
      (ppm, { delta, ppm: rate }, local, at) => {
        const clock = slew(setDrift(PERFECT, ppm, 0), delta, rate, 0);
        const after = referenceDuration(clock, local, at);
        const target = read(clock, at) + local;
        expect(read(clock, at + after)).toBeGreaterThanOrEqual(target);
        if (after > 0) expect(read(clock, at + after - 1)).toBeLessThan(target);
      },
    ),
  );
});

test("a fast clock's timer is short on the reference axis", () => {
  expect(referenceDuration(setDrift(PERFECT, 250_000, 0), 5 * SECOND, 0)).toBe(4 * SECOND);
});

test("refuses what is no drift, no rate and no correction, and says what is accepted", () => {
  expect(() => setDrift(PERFECT, 0.5, 0)).toThrow(/whole number of parts per million from -500000 to 500000/);
  expect(() => setDrift(PERFECT, -500_001, 0)).toThrow(/-500001 ppm/);
  expect(() => slew(PERFECT, 10, 0, 0)).toThrow(/from 1 to 400000/);
  expect(() => slew(PERFECT, 0.5, 10, 0)).toThrow(/whole microseconds/);
  expect(() => step(PERFECT, NaN, 0)).toThrow(/at most a year/);
});

test("is never read before its last adjustment", () => {
  expect(() => read(setDrift(PERFECT, 5, 100), 99)).toThrow(/before that/);
});

test("an adjustable clock is a course that changes in place", () => {
  const clock = new AdjustableClock();
  expect(clock.read(5)).toBe(5);
  clock.step(250, 10);
  clock.setDrift(80, 10);
  expect(clock.read(10 + SECOND)).toBe(10 + SECOND + 250 + 80);
  clock.slew(-330, 1000, 10 + SECOND);
  clock.setDrift(0, 10 + 2 * SECOND);
  expect(clock.read(10 + 3 * SECOND)).toBe(10 + 3 * SECOND + 80);
  expect(clock.referenceDuration(SECOND, 10 + 3 * SECOND)).toBe(SECOND);
});
