import fc from "fast-check";
import { expect, test } from "vitest";
import { faultTolerantAverage, GAMMA_MAX } from "./fault-tolerant-average.js";

const S = 1_000_000;
/** 100.3 (the master's), 102.5, 98.4 and 101.0 seconds, as offsets. */
const TEXTBOOK = [0, 2_200_000, -1_900_000, 700_000];

test("§3.3: with γ = 4.1 s all four clocks agree, and the mean is +0.25 s", () => {
  expect(faultTolerantAverage(TEXTBOOK, 4_100_000)).toEqual({ mean: 250_000, members: [0, 1, 2, 3] });
});

test("§3.3: with γ = 2.5 s 98.4 is left out, and the mean is 101.2667 s", () => {
  expect(faultTolerantAverage(TEXTBOOK, 2_500_000)).toEqual({ mean: 966_667, members: [0, 1, 3] });
});

test("§3.3: with γ = 1 s 100.3 and 101.0 are left, and the mean is 100.65 s", () => {
  expect(faultTolerantAverage(TEXTBOOK, S)).toEqual({ mean: 350_000, members: [0, 3] });
});

test("the case that networkdelta.c of 1985 got wrong: {10, 18, 25, 29}, whose mean is 20.5", () => {
  expect(faultTolerantAverage([0, 10, 18, 25, 29, 40], 20)).toEqual({ mean: 21, members: [1, 2, 3, 4] });
});

test("when nobody agrees with anybody the master's own clock counts", () => {
  expect(faultTolerantAverage([0, -50, 40, 90], 5)).toEqual({ mean: 0, members: [0] });
  expect(faultTolerantAverage([0, 3_600 * S], S)).toEqual({ mean: 0, members: [0] });
});

test("clocks half a year away are averaged exactly", () => {
  const far = 15_768_000 * S;
  expect(faultTolerantAverage([0, far, far + 1, far + 2], 10)).toEqual({ mean: far + 1, members: [1, 2, 3] });
});

test("γ below 0, above an hour or no whole number is refused; 0 means equal", () => {
  for (const gamma of [-1, GAMMA_MAX + 1, 0.5, Number.NaN]) {
    expect(() => faultTolerantAverage([0], gamma)).toThrow(/γ is/);
  }
  expect(faultTolerantAverage([0, 7, 7], 0)).toEqual({ mean: 7, members: [1, 2] });
});

test("no set within γ is larger than the one averaged, and the mean is of that set", () => {
  const offsets = fc.array(fc.integer({ min: -300, max: 300 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(offsets, fc.nat(200), (given, gamma) => {
      const { mean, members } = faultTolerantAverage(given, gamma);
      const averaged = members.map((place) => given[place] ?? Number.NaN);
      expect(Math.max(...averaged) - Math.min(...averaged)).toBeLessThanOrEqual(gamma);
      const sum = averaged.reduce((total, offset) => total + offset, 0);
      expect(Math.abs(mean - sum / averaged.length)).toBeLessThanOrEqual(0.5);
      const sizes = given.map((low) => given.filter((one) => one >= low && one - low <= gamma).length);
      expect(averaged).toHaveLength(Math.max(...sizes));
    }),
  );
});
