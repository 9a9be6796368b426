import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryTrace } from "./arbitrary-trace.test-helper.js";
import { CausalTracker } from "./causal-tracker.js";
import type { Trace } from "./event.js";
import { closureOf } from "./happens-before.test-helper.js";

test("knows exactly what happened before, by definition", () => {
  fc.assert(
    fc.property(arbitraryTrace(), (trace) => {
      const tracker = new CausalTracker(trace.header.processes);
      const closure = closureOf(trace);
      for (const [position, event] of trace.events.entries()) {
        tracker.observe(event);
        for (const process of trace.header.processes) {
          const before = [...(closure[position] ?? [])].filter(
            (i) => trace.events[i]?.process === process,
          ).length;
          expect(tracker.known(process)).toBe(before + (event.process === process ? 1 : 0));
        }
      }
    }),
  );
});

test("agrees with the clocks that honest processes record", () => {
  fc.assert(
    fc.property(arbitraryTrace(), (trace) => {
      const tracker = new CausalTracker(trace.header.processes);
      for (const event of trace.events) {
        tracker.observe(event);
        expect(tracker.vectorMismatch(event)).toBeUndefined();
        if (event.vector !== undefined) expect(tracker.vector()).toEqual(event.vector);
      }
    }),
  );
});

const exchange: Pick<Trace, "events"> = {
  events: [
    { process: "P1", number: 1, at: 0, kind: "start", incarnation: 0 },
    { process: "P1", number: 2, at: 0, kind: "send", to: "P2", message: 1 },
    { process: "net", number: 1, at: 1, kind: "drop", from: "P1", send: 2, to: "P2", reason: "loss" },
    { process: "P2", number: 1, at: 0, vector: [1, 1], kind: "receive", from: "P1", send: 2 },
  ],
};

test("says what a recorded clock should have been", () => {
  const tracker = new CausalTracker(["P1", "P2"]);
  const mismatches = exchange.events.map((event) => {
    tracker.observe(event);
    return tracker.vectorMismatch(event);
  });
  expect(mismatches).toEqual([undefined, undefined, undefined, [2, 1]]);
});

test("an event of the network knows nothing, since net is no process", () => {
  const tracker = new CausalTracker(["P1", "P2"]);
  for (const event of exchange.events.slice(0, 3)) tracker.observe(event);
  expect(tracker.vector()).toEqual([0, 0]);
  expect(tracker.known("net")).toBe(0);
});

test("a receive whose send nobody saw brings no news", () => {
  const tracker = new CausalTracker(["P1", "P2"]);
  tracker.observe({ process: "P2", number: 1, at: 0, kind: "receive", from: "P1", send: 7 });
  expect(tracker.vector()).toEqual([0, 1]);
});

test("what was sent before the sender learnt more carries no more", () => {
  const tracker = new CausalTracker(["P1", "P2", "P3"]);
  const events: Trace["events"] = [
    { process: "P1", number: 1, at: 0, kind: "start", incarnation: 0 },
    { process: "P1", number: 2, at: 0, kind: "send", to: "P2", message: 1 },
    { process: "P2", number: 1, at: 0, kind: "start", incarnation: 0 },
    { process: "P2", number: 2, at: 0, kind: "send", to: "P3", message: 2 },
    { process: "P2", number: 3, at: 0, kind: "receive", from: "P1", send: 2 },
    { process: "P3", number: 1, at: 0, kind: "receive", from: "P2", send: 2 },
  ];
  for (const event of events) tracker.observe(event);
  expect(tracker.vector()).toEqual([0, 2, 1]);
});
