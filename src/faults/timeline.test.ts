import fc from "fast-check";
import { expect, test } from "vitest";
import { Timeline } from "./timeline.js";

const span = fc
  .record({
    at: fc.nat(20),
    length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(Infinity)),
    value: fc.constantFrom("a", "b", "c"),
  })
  .map(({ at, length, value }) => ({ at, until: at + length, value }));

test("answers as a look at every span does, in any order of times", () => {
  fc.assert(
    fc.property(
      fc.array(span, { maxLength: 8 }),
      fc.array(fc.integer({ min: -2, max: 30 })),
      (spans, times) => {
        const timeline = new Timeline(["a", "b", "c"], spans);
        for (const now of times) {
          const plain = spans.filter(({ at, until }) => at <= now && now < until).map(({ value }) => value);
          expect(timeline.at(now)).toBe(plain.sort()[0]);
        }
      },
    ),
  );
});

test("is in force at its beginning and not at its end", () => {
  const timeline = new Timeline(["cut"], [{ at: 10, until: 20, value: "cut" }]);
  expect([9, 10, 19, 20].map((now) => timeline.at(now))).toEqual([undefined, "cut", "cut", undefined]);
});
