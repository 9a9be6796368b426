import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryTrace, headerOf } from "./arbitrary-trace.test-helper.js";
import type { TraceEvent } from "./event.js";
import { LINE_LENGTH_MAX } from "./limits.js";
import { TraceError } from "./trace-error.js";
import { traceChunks, TraceWriter, writeTrace } from "./trace-writer.js";

const start: TraceEvent = { process: "P1", number: 1, at: 0, local: 3, kind: "start", incarnation: 0 };

test("equal runs are equal byte by byte, whatever order their objects were built in", () => {
  const turned: TraceEvent = { incarnation: 0, kind: "start", local: 3, at: 0, number: 1, process: "P1" };
  const header = headerOf(["P1"]);
  const { options: _, ...rest } = header;
  const turnedHeader = { options: { eager: true, rounds: 3 }, ...rest };
  const end = { stopped: "quiescent" } as const;
  expect(writeTrace({ header: turnedHeader, events: [turned], end })).toBe(
    writeTrace({ header, events: [start], end }),
  );
});

test("chunks joined are the whole text, and each is as long as asked", () => {
  fc.assert(
    fc.property(arbitraryTrace(), fc.integer({ min: 1, max: 3000 }), (trace, lengthMin) => {
      const chunks = [...traceChunks(trace, lengthMin)];
      expect(chunks.join("")).toBe(writeTrace(trace));
      for (const chunk of chunks.slice(0, -1)) expect(chunk.length).toBeGreaterThanOrEqual(lengthMin);
    }),
  );
});

test("every line is one JSON value, and ends with a line feed", () => {
  fc.assert(
    fc.property(arbitraryTrace(), (trace) => {
      const lines = writeTrace(trace).split("\n");
      expect(lines.pop()).toBe("");
      expect(lines.length).toBe(trace.events.length + 2);
      for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    }),
  );
});

test("refuses a line that no reader would take, and can still end the run", () => {
  const writer = new TraceWriter();
  writer.header(headerOf(["P1"]));
  writer.event(start);
  const long: TraceEvent = {
    process: "P1",
    number: 2,
    at: 0,
    kind: "output",
    value: "x".repeat(LINE_LENGTH_MAX),
  };
  expect(() => writer.event(long)).toThrow(TraceError);
  expect(() => writer.event(long)).toThrow(/event P1:2 \(output\) takes \d+ characters/);
  expect(writer.events).toBe(1);
  expect(writer.end({ stopped: "failed" })).toContain('"events":1');
});

test("an absent payload is written as null, never as broken JSON", () => {
  const writer = new TraceWriter();
  writer.header(headerOf(["P1"]));
  expect(writer.event({ process: "P1", number: 1, at: 0, kind: "command", command: undefined })).toBe(
    '{"process":"P1","number":1,"at":0,"kind":"command","command":null}\n',
  );
});
