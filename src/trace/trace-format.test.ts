import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CausalTracker } from "./causal-tracker.js";
import { traceHash } from "./hash.js";
import { EVENTS_MAX, LINE_LENGTH_MAX, PAYLOAD_DEPTH_MAX } from "./limits.js";
import { readTrace } from "./trace-reader.js";
import { writeTrace } from "./trace-writer.js";

const page = readFileSync(new URL("../../docs/trace-format.md", import.meta.url), "utf8");
/** Without the padding of its tables. */
const words = page.replaceAll(/ +/g, " ");
const example = /```json-lines\n([^`]+)```/.exec(page)?.[1] ?? "";

test("the example of the specification is a trace, written exactly as this writer writes it", () => {
  const trace = readTrace(example, { name: "docs/trace-format.md" });
  expect(trace.events.length).toBeGreaterThan(10);
  expect(writeTrace(trace)).toBe(example);
});

test("the example's trace hash is the one that the specification states", () => {
  expect(page).toContain(`\`${traceHash(readTrace(example).events)}\``);
});

test("the example's recorded clocks are right", () => {
  const { header, events } = readTrace(example);
  const tracker = new CausalTracker(header.processes);
  for (const event of events) {
    tracker.observe(event);
    expect(tracker.vectorMismatch(event)).toBeUndefined();
  }
});

test("the specification states the limits that the reader has", () => {
  expect(words).toContain(`| ${LINE_LENGTH_MAX.toLocaleString("en-US")} UTF-16 code units`);
  expect(words).toContain(`| events in a trace | ${EVENTS_MAX.toLocaleString("en-US")} |`);
  expect(words).toContain(`| nesting of a payload | ${PAYLOAD_DEPTH_MAX} |`);
});
