import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryTrace } from "../trace/arbitrary-trace.test-helper.js";
import { eventLine, writeEvent, type TraceEvent } from "../trace/index.js";
import { LineBytes } from "./line-bytes.js";

function linesOf(events: readonly TraceEvent[]): string {
  const lines = new LineBytes();
  for (const event of events) {
    writeEvent(lines, event);
    lines.literal("\n");
  }
  return lines.bytes.toString("utf8", 0, lines.end);
}

function output(value: unknown): TraceEvent {
  return { process: "P1", number: 1, at: -5, local: 2 ** 40, kind: "output", value };
}

test("the bytes of any event are the UTF-8 of its line", () => {
  fc.assert(
    fc.property(arbitraryTrace(), ({ events }) => {
      expect(linesOf(events)).toBe(events.map((event) => `${eventLine(event)}\n`).join(""));
    }),
    { numRuns: 300 },
  );
});

test("the bytes of any payload are what JSON.stringify gives for it", () => {
  const payload = fc.anything({
    withNullPrototype: true,
    withDate: true,
    withSparseArray: true,
    values: [
      fc.string({ unit: "binary" }),
      fc.string(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double(),
      fc.boolean(),
      fc.constantFrom(null, undefined, -0, 9, 10, 999_999_999, 1_000_000_000, 2 ** 53),
    ],
  });
  fc.assert(
    fc.property(payload, (value) => {
      expect(linesOf([output(value)])).toBe(`${eventLine(output(value))}\n`);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["its own toJSON", { toJSON: () => "instead" }],
  ["a class's toJSON", new Date(0)],
  ["nothing that JSON carries", () => {}],
  ["what must be escaped, late", [1, { a: "plain", b: ['"', "\u2028", "\ud800"] }]],
  ["long text, beyond the room there is", "x".repeat(200_000)],
  ["long text of several bytes each", "日本".repeat(100_000)],
])("a payload with %s is written as JSON.stringify writes it", (_what, value) => {
  expect(linesOf([output(value)])).toBe(`${eventLine(output(value))}\n`);
});

test("lines that are taken back leave no trace, and room that a burst needed is given back", () => {
  const lines = new LineBytes();
  lines.literal("kept");
  const { end } = lines;
  lines.json("", ["x".repeat(2 ** 21)]);
  lines.end = end;
  expect(lines.bytes.toString("utf8", 0, lines.end)).toBe("kept");
  lines.clear();
  expect(lines.bytes.length).toBeLessThan(2 ** 20);
});
