import fc from "fast-check";
import { expect, test } from "vitest";
import { NETWORK, Random } from "../core/index.js";
import { arbitraryTrace } from "./arbitrary-trace.test-helper.js";
import { CausalMerger } from "./causal-merger.js";
import type { TraceEvent } from "./event.js";
import { idOf } from "./event.js";
import { readTrace } from "./trace-reader.js";
import { writeTrace } from "./trace-writer.js";

const start = (process: string): TraceEvent => ({ process, number: 1, at: 0, kind: "start", incarnation: 0 });
const send: TraceEvent = { process: "P1", number: 2, at: 0, kind: "send", to: "P2", message: 1 };
const receive: TraceEvent = { process: "P2", number: 2, at: 0, kind: "receive", from: "P1", send: 2 };
const timer: TraceEvent = { process: "P2", number: 3, at: 0, kind: "timer", timer: "t" };

test("holds an event back until its send was released, and whatever follows it on its lane", () => {
  const merger = new CausalMerger(["P1", "P2"]);
  expect(merger.push(start("P2")).map(idOf)).toEqual(["P2:1"]);
  expect(merger.push(receive)).toEqual([]);
  expect(merger.push(timer)).toEqual([]);
  expect(merger.push(start("P1")).map(idOf)).toEqual(["P1:1"]);
  expect(merger.pending).toBe(2);
  expect(merger.push(send).map(idOf)).toEqual(["P1:2", "P2:2", "P2:3"]);
  expect(merger.flush()).toEqual([]);
});

test("releases every event once, causes first, whatever the processes' relative speed", () => {
  let held = 0;
  fc.assert(
    fc.property(arbitraryTrace({ happeningsMax: 100 }), fc.nat(), (trace, seed) => {
      const random = new Random(seed);
      const lanes = [...trace.header.processes, NETWORK].map((process) =>
        trace.events.filter((event) => event.process === process),
      );
      const merger = new CausalMerger(trace.header.processes);
      const released: TraceEvent[] = [];
      while (released.length + merger.pending < trace.events.length) {
        const event = lanes[random.below(lanes.length)]?.shift();
        if (event === undefined) continue;
        released.push(...merger.push(event));
        held = Math.max(held, merger.pending);
      }
      expect(merger.flush()).toEqual([]);
      expect(released.length).toBe(trace.events.length);
      expect(() => readTrace(writeTrace({ ...trace, events: released }))).not.toThrow();
    }),
  );
  expect(held).toBeGreaterThan(2);
});

test("a long wait is released in order", () => {
  const merger = new CausalMerger(["P1", "P2"]);
  merger.push(start("P2"));
  merger.push(receive);
  for (let number = 3; number < 5000; number++) merger.push({ ...timer, number });
  merger.push(start("P1"));
  const released = merger.push(send);
  expect(released.length).toBe(4999);
  expect(released.slice(1).map((event) => event.number)).toEqual(
    Array.from({ length: 4998 }, (_, i) => i + 2),
  );
});

test("names at the end what never came, and forgets it", () => {
  const merger = new CausalMerger(["P1", "P2"]);
  for (const event of [start("P2"), receive, timer]) merger.push(event);
  expect(merger.flush()).toEqual([
    { event: receive, waitsFor: "P1:2" },
    { event: timer, waitsFor: "P2:2" },
  ]);
  expect(merger.pending).toBe(0);
  expect(merger.flush()).toEqual([]);
});

test("refuses a gap, a repetition, and a process that the run does not have", () => {
  const merger = new CausalMerger(["P1", "P2"]);
  expect(() => merger.push(receive)).toThrow("expected event P2:1, got P2:2");
  merger.push(start("P2"));
  expect(() => merger.push(start("P2"))).toThrow("expected event P2:2, got P2:1");
  expect(() => merger.push(start("P9"))).toThrow("event P9:1 names P9, which is not a process of this run");
  expect(() => merger.push({ ...receive, from: "P9" })).toThrow("event P2:2 names P9");
});

test("has room for so many waiting events and no more, but always for what they wait for", () => {
  const merger = new CausalMerger(["P1", "P2"], { pendingMax: 2 });
  for (const event of [start("P2"), receive, timer]) merger.push(event);
  expect(() => merger.push({ ...timer, number: 4 })).toThrow(
    "2 events wait for events of other processes, the first for P1:2; no room for P2:4",
  );
  merger.push(start("P1"));
  expect(merger.push(send).map(idOf)).toEqual(["P1:2", "P2:2", "P2:3"]);
});
