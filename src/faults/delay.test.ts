import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../core/index.js";
import { DelayDistribution } from "./delay.js";
import type { DelayFault } from "./plan.js";

function meanOf(delay: DelayFault, draws = 100_000): number {
  const distribution = new DelayDistribution(delay);
  let sum = 0;
  for (let i = 0; i < draws; i++) sum += distribution.quantile((i + 0.5) / draws);
  return sum / draws;
}

describe("a delay", () => {
  test("without a mean takes each microsecond of its range equally often", () => {
    const random = new Random(1);
    const distribution = new DelayDistribution({ min: 5, max: 8 });
    const counts = new Map<number, number>();
    for (let i = 0; i < 40_000; i++) {
      const delay = distribution.quantile(random.fraction());
      counts.set(delay, (counts.get(delay) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([5, 6, 7, 8]);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(300);
  });

  test.each([
    { min: 5_000, max: 50_000, mean: 10_000 },
    { min: 5_000, max: 50_000, mean: 27_500 },
    { min: 5_000, max: 50_000, mean: 27_000 },
    { min: 5_000, max: 50_000, mean: 45_000 },
    { min: 0, max: 10_000_000, mean: 10_000 },
  ])("has the mean asked for: $mean of $min..$max", (delay) => {
    expect(Math.abs(meanOf(delay) - delay.mean) / delay.mean).toBeLessThan(0.002);
  });

  test("with a mean is exponential: a wide range hardly cuts it", () => {
    // The quantile function of the uncut distribution is -mean · ln(1 - p).
    const distribution = new DelayDistribution({ min: 0, max: 1_000_000, mean: 10_000 });
    for (const p of [0.1, 0.5, 0.9, 0.99]) {
      expect(distribution.quantile(p)).toBeCloseTo(-10_000 * Math.log(1 - p), -1);
    }
  });

  test("stays whole and within its bounds, and grows with the number drawn or falls with it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3e13 }), { minLength: 3, maxLength: 3 }),
        fc.double({ min: 0, max: 1 - 2 ** -32, noNaN: true }),
        ([a = 0, b = 0, c = 0], fraction) => {
          const [min = 0, mean = 0, max = 0] = [a, b, c].sort((x, y) => x - y);
          const delay = new DelayDistribution({ min, max, mean }).quantile(fraction);
          expect(Number.isSafeInteger(delay)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(min);
          expect(delay).toBeLessThanOrEqual(max);
        },
      ),
    );
  });

  test("whose mean is one of its bounds is that bound", () => {
    for (const fraction of [0, 0.5, 1 - 2 ** -32]) {
      expect(new DelayDistribution({ min: 5, max: 50, mean: 5 }).quantile(fraction)).toBe(5);
      expect(new DelayDistribution({ min: 5, max: 50, mean: 50 }).quantile(fraction)).toBe(50);
      expect(new DelayDistribution({ min: 7, max: 7 }).quantile(fraction)).toBe(7);
    }
  });
});
