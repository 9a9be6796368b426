import fc from "fast-check";
import { expect, test } from "vitest";
import { ClockCourse } from "../../clocks/index.js";
import { corrected, held, secondsText, slewTime } from "./corrected-clock.js";

const RULE = { slewPpm: 200_000, stepBeyond: 20_000_000 };

test("a correction is slewed, and the clock is then exactly where it was to be, however often it is corrected again", () => {
  const change = fc.record({
    after: fc.nat(3_000_000),
    delta: fc.integer({ min: -2_000_000, max: 2_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      let course = ClockCourse.PERFECT;
      let [at, shown, owed] = [0, 0, 0];
      for (const { after, delta } of changes) {
        at += after;
        const reading = ClockCourse.read(course, at);
        expect(reading).toBeGreaterThanOrEqual(shown);
        course = corrected(course, delta, at, RULE);
        expect(ClockCourse.read(course, at)).toBe(reading);
        shown = reading;
        owed += delta;
        expect(ClockCourse.aim(course, at)).toBe(at + owed);
      }
      const arrival = at + slewTime(course);
      expect(ClockCourse.read(course, arrival)).toBe(arrival + owed);
    }),
  );
});

test("a clock that is ahead is slowed, never stopped: 0.25 s at 500 ppm take 500 s", () => {
  const course = corrected(ClockCourse.PERFECT, -250_000, 0, { ...RULE, slewPpm: 500 });
  expect(slewTime(course)).toBe(500_000_000);
  expect(ClockCourse.read(course, 1_000_000)).toBe(999_500);
  expect(ClockCourse.read(course, 500_000_000)).toBe(499_750_000);
});

test("what is too far to slew is stepped at once, either way", () => {
  for (const delta of [20_000_001, -20_000_001]) {
    const course = corrected(ClockCourse.PERFECT, delta, 5, RULE);
    expect([ClockCourse.read(course, 5), slewTime(course)]).toEqual([5 + delta, 0]);
  }
});

test("when the host's clock is set back, the corrected one goes on from where it was", () => {
  const course = corrected(ClockCourse.PERFECT, 100_000, 1_000_000, RULE);
  const before = ClockCourse.read(course, 1_200_000);
  const after = held(course, 1_200_000, 700_000);
  expect(ClockCourse.read(after, 700_000)).toBe(before);
  expect(ClockCourse.read(after, 700_000 + 300_000)).toBe(ClockCourse.read(course, 1_500_000));
});

test("times are told in seconds, small ones in milliseconds, exactly", () => {
  const told = [100_550_000, 2_150_000, -1_950_000, 1_300, -42, 0].map((time) => secondsText(time, "+"));
  expect(told).toEqual(["+100.55 s", "+2.15 s", "-1.95 s", "+1.3 ms", "-0.042 ms", "+0 s"]);
});
