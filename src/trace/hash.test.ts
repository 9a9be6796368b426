import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryTrace } from "./arbitrary-trace.test-helper.js";
import { TraceHasher, traceHash } from "./hash.js";
import { readTrace } from "./trace-reader.js";
import { writeTrace } from "./trace-writer.js";

test.each([
  ["", "cbf29ce484222325"],
  ["a", "af63dc4c8601ec8c"],
  ["foobar", "85944171f73967e8"],
])("FNV-1a, 64 bits, of %j is the published value", (text, hash) => {
  const hasher = new TraceHasher();
  hasher.text(text);
  expect(hasher.digest()).toBe(hash);
});

test("agrees with the definition in arbitrary precision, over UTF-8 bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      let expected = 0xcbf29ce484222325n;
      for (const byte of Buffer.from(text, "utf8")) {
        expected = ((expected ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
      }
      const hasher = new TraceHasher();
      hasher.text(text);
      expect(hasher.digest()).toBe(expected.toString(16).padStart(16, "0"));
    }),
  );
});

test("survives writing and reading, and tells runs apart that differ in one event", () => {
  fc.assert(
    fc.property(arbitraryTrace(), (trace) => {
      const hash = traceHash(trace.events);
      expect(traceHash(readTrace(writeTrace(trace)).events)).toBe(hash);
      expect(traceHash(trace.events.slice(0, -1))).not.toBe(hash);
    }),
  );
});
