import fc from "fast-check";
import { expect, test } from "vitest";
import { numbersOf, randomNumbers, type Draw } from "./random-numbers.js";
import { STREAM_PART_MAX, streamPart } from "./stream-part.js";

const draws = fc.record({
  count: fc.integer({ min: 1, max: 5_000 }),
  max: fc.integer({ min: 1, max: 1_000_000_000 }),
  seed: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
});

test("a seed gives the same numbers in every version", () => {
  expect(numbersOf({ count: 10, max: 100, seed: 42 }, 0, 10)).toMatchInlineSnapshot(`
    [
      85,
      98,
      59,
      71,
      93,
      37,
      95,
      32,
      88,
      53,
    ]
  `);
  expect(numbersOf({ count: 3_000, max: 6, seed: 1 }, 1_020, 1_030)).toMatchInlineSnapshot(`
    [
      1,
      2,
      1,
      1,
      2,
      2,
      6,
      6,
      3,
      1,
    ]
  `);
});

test("any cut into parts gives the same numbers, in range", () => {
  fc.assert(
    fc.property(draws, fc.nat(5_000), (draw, cut) => {
      const whole = numbersOf(draw, 0, draw.count);
      const at = cut % draw.count;
      expect([...numbersOf(draw, 0, at), ...numbersOf(draw, at, draw.count)]).toEqual(whole);
      expect(whole).toHaveLength(draw.count);
      for (const number of whole) expect(number >= 1 && number <= draw.max).toBe(true);
    }),
  );
});

test("every face of a die comes up about as often", () => {
  const faces = [0, 0, 0, 0, 0, 0];
  for (const number of numbersOf({ count: 60_000, max: 6, seed: 7 }, 0, 60_000)) {
    faces[number - 1] = (faces[number - 1] ?? 0) + 1;
  }
  // Five standard deviations: sqrt(60000 · 1/6 · 5/6) is 91.
  for (const times of faces) expect(Math.abs(times - 10_000)).toBeLessThan(456);
});

test("parts put together are the stream", () => {
  const draw: Draw = { count: 10_000, max: 1_000, seed: 3 };
  const numbers: unknown[] = [];
  while (numbers.length < draw.count) {
    const args = { ...draw, from: numbers.length };
    expect(randomNumbers.check("draw", args)).toBeUndefined();
    const part = streamPart(randomNumbers.handle(null, "draw", args).value);
    expect(part?.items.length).toBeLessThanOrEqual(STREAM_PART_MAX);
    expect(part?.from).toBe(numbers.length);
    numbers.push(...(part?.items ?? []));
  }
  expect(numbers).toEqual(numbersOf(draw, 0, draw.count));
});

test("a seed that is left out is chosen, one that is given stays", () => {
  expect(randomNumbers.prepare?.("draw", { count: 1, max: 6 }, 99)).toEqual({ count: 1, max: 6, seed: 99 });
  expect(randomNumbers.prepare?.("draw", { count: 1, max: 6, seed: 5 }, 99)).toMatchObject({ seed: 5 });
});

test.each([
  [{ count: 0, max: 6, seed: 1 }, /count is a whole number from 1/],
  [{ count: 1e10, max: 6, seed: 1 }, /count is a whole number from 1/],
  [{ count: 5, max: 0.5, seed: 1 }, /max is a whole number/],
  [{ count: 5, max: 6, seed: -1 }, /seed is a whole number/],
  [{ count: 5, max: 6, seed: 1, from: 6 }, /from and most/],
  [{ count: 5, max: 6, seed: 1, from: 0, most: 1e9 }, /from and most/],
  [{ count: 5, max: "6", seed: 1 }, /draw takes numbers/],
  [null, /draw takes numbers/],
])("%j is refused", (args, reason) => {
  expect(randomNumbers.check("draw", args)).toMatch(reason);
});
