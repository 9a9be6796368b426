import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random, UsageError } from "../core/index.js";
import { arbitraryTrace, headerOf, randomHappenings, traceOf } from "./arbitrary-trace.test-helper.js";
import { CausalTracker } from "./causal-tracker.js";
import { CausalityIndex } from "./causality-index.js";
import type { Trace } from "./event.js";
import { idOf } from "./event.js";
import { closureOf } from "./happens-before.test-helper.js";

test("K01: on 100,000 random histories index and tracker are happens-before by definition, in both directions", () => {
  const random = new Random(1);
  let concurrent = 0;
  let before = 0;
  for (let history = 0; history < 100_000; history++) {
    const trace = traceOf(random.between(2, 4), randomHappenings(random, 6));
    const index = CausalityIndex.of(trace);
    const closure = closureOf(trace);
    const tracker = new CausalTracker(trace.header.processes);
    for (const [b, event] of trace.events.entries()) {
      tracker.observe(event);
      for (let a = 0; a < b; a++) {
        const cause = trace.events[a];
        if (cause === undefined) continue;
        const expected = closure[b]?.has(a) === true ? "before" : "concurrent";
        const tracked =
          cause.process !== "net" && tracker.known(cause.process) >= cause.number ? "before" : "concurrent";
        if (
          index.relation(cause, event) !== expected ||
          tracked !== expected ||
          index.happensBefore(event, cause)
        ) {
          expect.fail(`history ${history}: ${idOf(cause)} and ${idOf(event)} should be ${expected}`);
        }
        if (expected === "before") before++;
        else concurrent++;
      }
    }
  }
  expect(Math.min(before, concurrent)).toBeGreaterThan(100_000);
}, 60_000);

describe("on any run", () => {
  test("the past cone is everything that happened before, and the event", () => {
    onEvents(({ index, trace, closure }, position) => {
      const event = at(trace, position);
      const expected = trace.header.processes.map((process) => {
        const inPast = [...(closure[position] ?? []), position].filter(
          (i) => trace.events[i]?.process === process,
        );
        return event.process === "net" ? 0 : inPast.length;
      });
      expect(index.past(event)).toEqual(expected);
    });
  });

  test("the future cone begins on each lane with the first event that has the event in its past", () => {
    onEvents(({ index, trace, closure }, position) => {
      const event = at(trace, position);
      const expected = trace.header.processes.map((process) => {
        if (event.process === "net") return undefined;
        const first = trace.events.find(
          (other, i) => other.process === process && (i === position || closure[i]?.has(position) === true),
        );
        return first?.number;
      });
      expect(index.future(event)).toEqual(expected);
    });
  });

  test("a path exists exactly when one event happens before the other, and every hop of it is an edge", () => {
    onEvents(({ index, trace, closure }, position) => {
      const a = at(trace, position);
      for (const [other, b] of trace.events.entries()) {
        const path = index.path(idOf(a), idOf(b));
        expect(path !== undefined).toBe(other === position || closure[other]?.has(position) === true);
        if (path === undefined) continue;
        expect(path[0]).toBe(idOf(a));
        expect(path.at(-1)).toBe(idOf(b));
        expect(path.length).toBeLessThanOrEqual(2 * trace.header.processes.length);
        for (let i = 1; i < path.length; i++) {
          const from = index.event(path[i - 1] ?? "");
          const to = index.event(path[i] ?? "");
          const message = to.kind === "receive" && to.from === from.process && to.send === from.number;
          expect(message || (from.process === to.process && from.number < to.number)).toBe(true);
        }
      }
    }, 30);
  });

  test("a cut is consistent when it holds the past of its last events", () => {
    onCuts(({ index, trace, closure }, cut) => {
      const inside = trace.events.flatMap((event, i) =>
        event.number <= (cut[trace.header.processes.indexOf(event.process)] ?? 0) ? [i] : [],
      );
      const closed = inside.every((i) => [...(closure[i] ?? [])].every((cause) => inside.includes(cause)));
      expect(index.isConsistent(cut)).toBe(closed);
    });
  });

  test("the latest consistent cut is consistent, inside the given one, and no event could be added", () => {
    onCuts(({ index }, cut) => {
      const latest = index.latestConsistentCut(cut);
      expect(index.isConsistent(latest)).toBe(true);
      if (index.isConsistent(cut)) expect(latest).toEqual(cut);
      for (const [lane, number] of latest.entries()) expect(number).toBeLessThanOrEqual(cut[lane] ?? 0);
      // Consistent cuts are closed under union, so a larger one would make a larger union of this and some past cone.
      for (const [lane, number] of latest.entries()) {
        for (let more = number + 1; more <= (cut[lane] ?? 0); more++) {
          const past = index.past({ process: index.processes[lane] ?? "", number: more });
          expect(past.some((known, i) => known > (cut[i] ?? 0))).toBe(true);
        }
      }
    });
  });

  test("the past cone of an event is a consistent cut", () => {
    onEvents(({ index, trace }, position) => {
      expect(index.isConsistent(index.past(at(trace, position)))).toBe(true);
    });
  });
});

test("finds an event by its name, and its place in the trace", () => {
  const trace = traceOf(3, randomHappenings(new Random(2), 30));
  const index = CausalityIndex.of(trace);
  for (const [position, event] of trace.events.entries()) {
    expect(index.event(idOf(event))).toBe(event);
    expect(index.position(event)).toBe(position);
  }
  expect(index.count("P1")).toBe(trace.events.filter((event) => event.process === "P1").length);
});

test("an event that the trace does not have is the caller's mistake, and the message says what there is", () => {
  const index = CausalityIndex.of(traceOf(2, []));
  expect(() => index.past("P1:2")).toThrow(
    new UsageError("the trace has no event P1:2; P1 has P1:1 to P1:1"),
  );
  expect(() => index.past("net:1")).toThrow("net has no events");
  expect(() => index.future("P9:1")).toThrow('the trace has no process "P9"; it has P1, P2');
  expect(() => index.future("nonsense")).toThrow(UsageError);
  expect(() => index.isConsistent([1])).toThrow("the cut has 1 numbers; give one per process, 2");
  expect(() => index.isConsistent([1, 2])).toThrow(
    "the cut has 2 events of P2; give a whole number from 0 to 1",
  );
});

test("more clocks than memory should hold are refused by name", () => {
  const processes = Array.from({ length: 4096 }, (_, i) => `P${i + 1}`);
  const receives = Array.from({ length: 2 ** 15 }, (_, i) => i);
  const events: Trace["events"] = [
    { process: "P1", number: 1, at: 0, kind: "start", incarnation: 0 },
    { process: "P1", number: 2, at: 0, kind: "send", to: "P2", message: 1 },
    ...receives.map((i) => ({
      process: "P2",
      number: i + 1,
      at: 0,
      kind: "receive" as const,
      from: "P1",
      send: 2,
    })),
  ];
  const trace: Trace = { header: headerOf(processes), events, end: { stopped: "quiescent" } };
  expect(() => CausalityIndex.of(trace)).toThrow(
    "the clocks of 4096 processes need more than 134217728 entries",
  );
});

interface Scene {
  readonly trace: Trace;
  readonly index: CausalityIndex;
  readonly closure: readonly ReadonlySet<number>[];
}

function onEvents(claim: (scene: Scene, position: number) => void, happeningsMax = 50): void {
  fc.assert(
    fc.property(arbitraryTrace({ happeningsMax }), (trace) => {
      const scene = { trace, index: CausalityIndex.of(trace), closure: closureOf(trace) };
      for (let position = 0; position < trace.events.length; position++) claim(scene, position);
    }),
    { numRuns: 60 },
  );
}

function onCuts(claim: (scene: Scene, cut: readonly number[]) => void): void {
  fc.assert(
    fc.property(arbitraryTrace(), fc.array(fc.nat(1000), { minLength: 5, maxLength: 5 }), (trace, draws) => {
      const index = CausalityIndex.of(trace);
      const cut = index.processes.map((process, i) => (draws[i] ?? 0) % (index.count(process) + 1));
      claim({ trace, index, closure: closureOf(trace) }, cut);
    }),
    { numRuns: 300 },
  );
}

function at(trace: Trace, position: number): Trace["events"][number] {
  const event = trace.events[position];
  if (event === undefined) throw new Error(`the trace has no position ${position}`);
  return event;
}
