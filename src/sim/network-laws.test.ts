import fc from "fast-check";
import { expect, test } from "vitest";
import { MILLISECOND, processNames, UsageError, type ProcessId } from "../core/index.js";
import { checkFaults, type FaultPlan, type LinkFault, type ScheduledFault } from "../faults/index.js";
import { idOf, traceHash, TraceRules, type Trace, type TraceEvent } from "../trace/index.js";
import { play, settingsOf, type Move, type Script } from "./puppet.test-helper.js";
import { Simulation } from "./simulation.js";

const PROCESSES = processNames(3);
const END = 60 * MILLISECOND;

const process = fc.constantFrom(...PROCESSES);
const instant = fc.nat(END);

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ send: process, text: fc.constantFrom("a", "b") }) },
  fc.record({ timer: fc.constantFrom("s", "t"), after: fc.nat(10 * MILLISECOND) }),
  fc.record({ cancel: fc.constantFrom("s", "t") }),
  fc.record({ save: fc.nat(9) }),
  fc.record({ choose: fc.integer({ min: 1, max: 4 }) }),
);
const script: fc.Arbitrary<Script> = fc.array(fc.tuple(instant, process, move), {
  maxLength: 60,
  size: "max",
});

const rate = fc.constantFrom(0, 0.1, 0.5, 1);
const link: fc.Arbitrary<LinkFault> = fc.oneof(
  rate.map((loss) => ({ loss })),
  rate.map((duplicate) => ({ duplicate })),
  rate.map((reorder) => ({ reorder })),
  rate.map((corrupt) => ({ corrupt })),
  fc.nat(8 * MILLISECOND).map((max) => ({ delay: { min: 0, max } })),
  fc.record({ from: fc.constant("P1"), to: fc.constant("P2"), loss: rate }),
);

const span = fc
  .tuple(instant, instant)
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => ({ at: Math.min(a, b), until: Math.max(a, b) }));
const scheduled: fc.Arbitrary<readonly ScheduledFault[]> = fc.oneof(
  fc.tuple(process, span).map(([down, { at, until }]): ScheduledFault[] => [
    { kind: "crash", process: down, at },
    { kind: "restart", process: down, at: until },
  ]),
  fc.tuple(process, instant).map(([down, at]): ScheduledFault[] => [{ kind: "crash", process: down, at }]),
  fc
    .tuple(process, span)
    .map(([paused, times]): ScheduledFault[] => [{ kind: "pause", process: paused, ...times }]),
  fc
    .tuple(span)
    .map(([times]): ScheduledFault[] => [{ kind: "partition", groups: [["P1"], ["P2", "P3"]], ...times }]),
  fc.tuple(span).map(([times]): ScheduledFault[] => [{ kind: "one-way", from: "P1", to: "P2", ...times }]),
  fc
    .tuple(process, span, fc.constantFrom("refuse", "failed-send", "failed-receive", "disk-full"))
    .map(([hit, times, kind]): ScheduledFault[] => [{ kind, process: hit, ...times }]),
  fc
    .tuple(process, instant, fc.integer({ min: -1000, max: 1000 }))
    .map(([wrong, at, driftPpm]): ScheduledFault[] => [
      { kind: "clock", process: wrong, at, step: 500, driftPpm },
    ]),
);

const plan: fc.Arbitrary<FaultPlan> = fc
  .record({ links: fc.array(link, { maxLength: 3 }), schedule: fc.array(scheduled, { maxLength: 4 }) })
  .map(({ links, schedule }) => ({ links, schedule: schedule.flat() }))
  .filter(makesSense);

function makesSense(faults: FaultPlan): boolean {
  try {
    checkFaults(faults, PROCESSES);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

const run = fc
  .record({ script, faults: plan, seed: fc.nat() })
  .map(({ script: moves, ...settings }) => ({ moves, settings: { ...settings, processes: PROCESSES } }));

/** Holds the law to traces of random scripts under random faults. */
function always(law: (trace: Trace) => void, runs = 150): void {
  fc.assert(
    fc.property(run, ({ moves, settings }) => law(play(moves, settings))),
    { numRuns: runs },
  );
}

interface Fate {
  readonly event: TraceEvent & { readonly kind: "send" };
  copies: number;
  /** A fault let later messages of its link overtake it, or doubled it. */
  disorderly: boolean;
  readonly arrivals: TraceEvent[];
  readonly drops: TraceEvent[];
}

function fatesOf(trace: Trace): Map<string, Fate> {
  const fates = new Map<string, Fate>();
  for (const event of trace.events) {
    if (event.kind === "send") {
      fates.set(idOf(event), { event, copies: 1, disorderly: false, arrivals: [], drops: [] });
      continue;
    }
    if (!("send" in event)) continue;
    const fate = fates.get(`${event.from}:${event.send}`);
    if (fate === undefined)
      throw new Error(`${idOf(event)} names ${event.from}:${event.send}, not sent before`);
    if (event.kind === "receive") fate.arrivals.push(event);
    else if (event.kind === "drop") fate.drops.push(event);
    else fate.disorderly = true;
    if (event.kind === "duplicate") fate.copies = event.copies;
  }
  return fates;
}

test("every trace keeps the rules of the format: numbers without gaps, messages that name their send, …", () => {
  always((trace) => {
    const rules = new TraceRules(trace.header);
    for (const event of trace.events) expect(rules.problem(event)).toBeUndefined();
  });
});

test("G1: what is received was sent before, to its receiver, and arrives at most once per copy", () => {
  always((trace) => {
    for (const { event, copies, arrivals } of fatesOf(trace).values()) {
      expect(arrivals.length).toBeLessThanOrEqual(copies);
      for (const arrival of arrivals) {
        expect(arrival.process).toBe(event.to);
        expect(arrival.at).toBeGreaterThanOrEqual(event.at);
      }
    }
  });
});

test("G2: each link keeps the order of its messages, but for those that a fault reordered or doubled", () => {
  always((trace) => {
    const latest = new Map<string, number>();
    const fates = fatesOf(trace);
    for (const event of trace.events) {
      if (event.kind !== "receive" || fates.get(`${event.from}:${event.send}`)?.disorderly === true) continue;
      const name = `${event.from}>${event.process}`;
      expect(event.send).toBeGreaterThan(latest.get(name) ?? 0);
      latest.set(name, event.send);
    }
  });
});

test("G3: between crash and restart a process does nothing, and it comes back with nothing but what it saved", () => {
  always((trace) => {
    const down = new Set<ProcessId>();
    const saved = new Map<ProcessId, unknown>();
    for (const event of trace.events) {
      if (event.kind === "restart") {
        expect(down.delete(event.process)).toBe(true);
        expect(event.saved).toEqual(saved.get(event.process));
      }
      expect(down.has(event.process)).toBe(false);
      if (event.kind === "crash") down.add(event.process);
      if (event.kind === "save") saved.set(event.process, event.saved);
    }
  });
});

test("G3: after a restart the state is what it took in since, and it is none while it is down", () => {
  fc.assert(
    fc.property(run, ({ moves, settings }) => {
      const since = new Map<ProcessId, unknown[]>(PROCESSES.map((each) => [each, []]));
      const down = new Set<ProcessId>();
      const simulation = new Simulation(settingsOf(moves, settings), (event) => {
        if (event.kind === "crash") down.add(event.process);
        if (event.kind === "restart") down.delete(event.process);
        if (event.kind === "crash" || event.kind === "restart") since.set(event.process, []);
        if (event.kind === "output") since.get(event.process)?.push(event.value);
      });
      simulation.run();
      for (const each of PROCESSES) {
        if (down.has(each)) expect(simulation.stateOf(each)).toBeUndefined();
        else expect(simulation.stateOf(each)).toMatchObject({ seen: since.get(each) });
      }
    }),
    { numRuns: 100 },
  );
});

test("G4: the same settings give the same trace", () => {
  fc.assert(
    fc.property(run, ({ moves, settings }) => {
      expect(traceHash(play(moves, settings).events)).toBe(traceHash(play(moves, settings).events));
    }),
    { numRuns: 50 },
  );
});

test("G5: a run that is called quiescent has lost sight of no message: each copy arrived or was dropped", () => {
  always((trace) => {
    expect(trace.end.stopped).toBe("quiescent");
    for (const { copies, arrivals, drops } of fatesOf(trace).values()) {
      expect(arrivals.length + drops.length).toBe(copies);
    }
  }, 300);
});

test("time never runs backward on the reference axis, and net has no clock of its own", () => {
  always((trace) => {
    let now = 0;
    for (const event of trace.events) {
      expect(event.at).toBeGreaterThanOrEqual(now);
      now = event.at;
      expect(event.local === undefined).toBe(event.process === "net" || event.kind === "crash");
    }
  });
});

test("the plans tried are not all harmless", () => {
  const seen = new Set<string>();
  always((trace) => {
    for (const event of trace.events) seen.add(event.kind === "drop" ? event.reason : event.kind);
  }, 300);
  const wanted = ["loss", "corrupt", "partition", "refused", "failed-send", "failed-receive", "crashed"];
  expect([...seen]).toEqual(
    expect.arrayContaining([...wanted, "duplicate", "hold", "restart", "pause", "save"]),
  );
});
