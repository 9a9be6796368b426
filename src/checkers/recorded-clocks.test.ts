import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryTrace } from "../trace/arbitrary-trace.test-helper.js";
import type { Trace, TraceEvent } from "../trace/index.js";
import { MutexRun, toldOf } from "./hand-made.test-helper.js";
import { recordedClocks } from "./recorded-clocks.js";

/** The run with these vectors recorded, by event. */
function recorded(run: MutexRun, vectors: Readonly<Record<string, readonly number[]>>): Trace {
  const trace = run.trace();
  const events = trace.events.map((event): TraceEvent => {
    const vector = vectors[`${event.process}:${event.number}`];
    return vector === undefined ? event : { ...event, vector };
  });
  return { header: { ...trace.header, source: "processes" }, events, end: trace.end };
}

test("holds for what clocks that follow the rules record", () => {
  fc.assert(
    fc.property(arbitraryTrace(), (trace) => {
      expect(toldOf(recordedClocks, trace)).toEqual([]);
    }),
  );
});

test("has nothing to compare where nothing was recorded", () => {
  expect(toldOf(recordedClocks, new MutexRun().message("P1", "P2").trace())).toEqual([]);
});

test("is violated by a clock that missed what a message tells", () => {
  const run = new MutexRun().message("P1", "P2");
  expect(toldOf(recordedClocks, recorded(run, { "P1:2": [2, 0, 0], "P2:2": [2, 2, 0] }))).toEqual([]);
  expect(toldOf(recordedClocks, recorded(run, { "P1:2": [2, 0, 0], "P2:2": [0, 2, 0] })))
    .toMatchInlineSnapshot(`
    [
      "P2 recorded [0, 2, 0] at P2:2; its messages imply [2, 2, 0] [P2:2]",
    ]
  `);
});

test("is violated by a clock that knows too much, counts itself wrong, or has not an entry per process", () => {
  const run = new MutexRun().message("P1", "P2");
  for (const vector of [
    [2, 2, 1],
    [2, 3, 0],
    [2, 2],
    [2, 2, 0, 0],
  ]) {
    expect(toldOf(recordedClocks, recorded(run, { "P2:2": vector })), vector.join()).toHaveLength(1);
  }
});
