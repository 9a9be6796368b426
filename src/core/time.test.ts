import fc from "fast-check";
import { expect, test } from "vitest";
import { UsageError } from "./errors.js";
import { DURATION_MAX, formatDuration, HOUR, MILLISECOND, MINUTE, parseDuration, SECOND } from "./time.js";

test("reads a number and a unit", () => {
  expect(parseDuration("250ms")).toBe(250 * MILLISECOND);
  expect(parseDuration("10s")).toBe(10 * SECOND);
  expect(parseDuration("1.5s")).toBe(1_500 * MILLISECOND);
  expect(parseDuration("2m")).toBe(2 * MINUTE);
  expect(parseDuration("8760h")).toBe(8760 * HOUR);
  expect(parseDuration("80us")).toBe(80);
  expect(parseDuration("80µs")).toBe(80);
  expect(parseDuration(" 0s ")).toBe(0);
  // 1.1 × 1,000,000 is not whole in floating point; a duration is.
  expect(parseDuration("1.1s")).toBe(1_100_000);
});

test("writes the largest unit that stays exact", () => {
  const shown = (duration: number) => formatDuration(duration);
  expect(shown(0)).toBe("0ms");
  expect(shown(999)).toBe("999us");
  expect(shown(1_500)).toBe("1.5ms");
  expect(shown(250 * MILLISECOND)).toBe("250ms");
  expect(shown(1_500 * MILLISECOND)).toBe("1500ms");
  expect(shown(1_500_001)).toBe("1.500001s");
  expect(shown(90 * SECOND)).toBe("90s");
  expect(shown(2 * MINUTE)).toBe("2m");
  expect(shown(36 * HOUR)).toBe("36h");
  expect(shown(-250 * MILLISECOND)).toBe("-250ms");
});

test("reads back exactly what it wrote, up to a year", () => {
  const anywhere = fc.integer({ min: 0, max: DURATION_MAX });
  const round = fc
    .tuple(fc.integer({ min: 0, max: 8760 }), fc.constantFrom(1, MILLISECOND, SECOND, MINUTE, HOUR))
    .map(([count, unit]) => count * unit);
  fc.assert(
    fc.property(fc.oneof(anywhere, round), (duration) => {
      expect(parseDuration(formatDuration(duration))).toBe(duration);
    }),
    { numRuns: 1000 },
  );
});

test("refuses what is no duration, and says what is", () => {
  for (const text of [
    "",
    "10",
    "s",
    "-1s",
    "+1s",
    "1e3s",
    ".5s",
    "5.s",
    "1,5s",
    "10 s",
    "10sec",
    "10S",
    "∞s",
  ]) {
    expect(() => parseDuration(text), text).toThrow(UsageError);
  }
  expect(() => parseDuration("soon")).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: "soon" is not a duration; write a number and a unit, such as 250ms, 10s or 2m (units: us, ms, s, m, h)]`,
  );
});

test("refuses what is longer than a year", () => {
  expect(parseDuration("8760h")).toBe(DURATION_MAX);
  expect(() => parseDuration("8760.001h")).toThrowErrorMatchingInlineSnapshot(
    `[UsageError: "8760.001h" is longer than a year; give at most 8760h]`,
  );
  expect(() => parseDuration(`${"9".repeat(400)}s`)).toThrow("longer than a year");
});
