import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkTrace, type Checker, type Witness } from "../checkers/index.js";
import { Random } from "../core/index.js";
import { arbitraryTrace } from "../trace/arbitrary-trace.test-helper.js";
import type { Trace, TraceEvent } from "../trace/index.js";
import { labs } from "./catalogue.js";
import { fewRetries, runOf } from "./lab-run.test-helper.js";

const WEATHERS = [
  "",
  "loss 15%, duplicate 15%, reorder 20%, delay 0..40ms",
  "loss 10%, crash P2 at 30ms, restart P2 at 60ms",
  "crash P1 at 20ms, duplicate 20%",
];

/** Shows every event to it, whatever kinds it says it looks at. */
function shownAll<Looks extends Checker | Witness>(looks: Looks): Omit<Looks, "kinds"> {
  const all: Omit<Looks, "kinds"> & { kinds?: unknown } = { ...looks };
  delete all.kinds;
  return all;
}

/** Breaks a trace at random: events that never were, or say something else. */
function broken(trace: Trace, seed: number): Trace {
  const random = new Random(seed);
  const rate = random.fraction() * 0.4;
  /** In some, hardly any output is left: a range of costs is wide, and only then passed. */
  const mute = random.chance(0.25);
  const events = trace.events.flatMap((event): TraceEvent[] => {
    if (mute && event.kind === "output" && random.chance(0.9)) return [];
    if (!random.chance(rate)) return [event];
    switch (event.kind) {
      case "deliver":
        return [{ ...event, sequence: random.between(1, 5), message: misaddressed(event.message) }];
      case "receive":
        return random.chance(0.5) ? [{ ...event, send: random.between(1, event.send) }] : [];
      case "output":
        return garbled(event, random);
      case "duplicate":
        return [];
      default:
        return [event];
    }
  });
  return { ...trace, events };
}

/** What says something is for somebody else. */
function misaddressed(message: unknown): unknown {
  if (typeof message !== "object" || message === null || !("text" in message)) return message;
  return { ...message, to: "another" };
}

/** A call that fails instead, another call that runs instead; or the output is missing. */
function garbled(event: TraceEvent & { readonly kind: "output" }, random: Random): TraceEvent[] {
  const { value } = event;
  if (typeof value !== "object" || value === null || random.chance(0.5)) return [];
  if ("outcome" in value) return [{ ...event, value: { ...value, outcome: { kind: "failed" } } }];
  if ("fence" in value) return [{ ...event, value: { ...value, fence: random.below(3) } }];
  if ("leader" in value) return [{ ...event, value: { ...value, leader: event.process } }];
  if ("method" in value) return [{ ...event, value: { ...value, id: "P2#1" } }];
  if ("course" in value) return [{ ...event, value: garbledClock(value, random) }];
  if ("averaged" in value) {
    const clocks = [{ process: "P1", offset: random.between(-9_000, 9_000), error: 5 }];
    const told = [
      { ...value, clocks },
      { ...value, average: 1 },
      { kind: "master", epoch: 1 },
    ];
    return [{ ...event, value: pick<object>(told, random) }];
  }
  return [];
}

/** A clock that says it was set, or that it runs otherwise; of the round it was corrected in or of another. */
function garbledClock(value: object, random: Random): object {
  const course = {
    since: 0,
    reading: random.between(0, 200_000_000),
    millionths: 0,
    driftPpm: 0,
    slew: null,
  };
  const round = [1, random.between(1, 3)];
  return pick(
    [
      { ...value, course, cause: "slew" },
      { ...value, round },
      { ...value, course, round },
    ],
    random,
  );
}

let found = new Set<string>();

function compare(checkers: readonly Checker[], witnesses: readonly Witness[], trace: Trace): void {
  const findings = checkTrace(trace, checkers, witnesses);
  expect(findings).toEqual(checkTrace(trace, checkers.map(shownAll), witnesses.map(shownAll)));
  for (const { checker } of findings.violations) found.add(checker);
  for (const { name, shownBy } of findings.witnesses) if (shownBy !== undefined) found.add(name);
}

describe.each(labs)("$id", (lab) => {
  test("checkers and witnesses find the same in the kinds of event they look at as in all of them", () => {
    found = new Set();
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...WEATHERS), (seed, faults) => {
        // As many as the lab usually has: fewer may not show all that it is about.
        const n = Math.min(5, lab.processes.usual);
        const trace = runOf(lab, { n, seed, faults, options: fewRetries(lab, 3), duration: 5_000_000 });
        compare(lab.checkers, lab.witnesses, trace);
        compare(lab.checkers, lab.witnesses, broken(trace, seed));
      }),
      { numRuns: 120 },
    );
    // The comparison is worth something only where there was something to find.
    const comparable = [...lab.checkers, ...lab.witnesses].map(({ name }) => name);
    expect(comparable.filter((name) => !found.has(name))).toEqual(["recorded-clocks"]);
  });

  test("the same in traces that no lab makes", () => {
    fc.assert(
      fc.property(arbitraryTrace(), fc.nat(), (trace, seed) => {
        compare(lab.checkers, lab.witnesses, inTheirTerms(trace, seed));
      }),
      { numRuns: 300 },
    );
  });
});

/** A random trace with outputs, layers and messages that the checkers understand, instead of its own. */
function inTheirTerms(trace: Trace, seed: number): Trace {
  const random = new Random(seed);
  const events = trace.events.map((event): TraceEvent => {
    const stamp = [random.below(4), event.process];
    switch (event.kind) {
      case "output":
        if (random.chance(0.3)) return { ...event, value: callOutput(event.process, random) };
        if (random.chance(0.3)) {
          const leader = pick(trace.header.processes, random);
          return { ...event, value: { kind: pick(["started", "elected"], random), leader } };
        }
        return {
          ...event,
          value: { kind: pick(["requested", "entered", "exited"], random), stamp, fence: random.below(5) },
        };
      case "send":
        if (random.chance(0.5)) return event;
        return {
          ...event,
          message: { kind: pick(["request", "reply"], random), seq: random.below(3), incarnation: 0 },
        };
      case "deliver":
        return {
          ...event,
          layer: pick(["reliable", "causal-broadcast"], random),
          from: pick(trace.header.processes, random),
          sequence: random.between(1, 4),
        };
      case "explain":
        return {
          ...event,
          rule: pick(["ra.defer.inside", "causal.wait", "rr.replay", "other"], random),
          terms: { id: `${event.process}#1` },
        };
      default:
        return event;
    }
  });
  return { ...trace, header: { ...trace.header, faults: pick(["", "loss 10%"], random) }, events };
}

function callOutput(process: string, random: Random): unknown {
  const kind = pick(["invoked", "executed", "completed"], random);
  const outcome = { kind: pick(["ok", "failed", "unknown"], random), value: random.below(2) };
  return {
    kind,
    id: `${process}#${random.below(3)}`,
    method: "add",
    deadline: 1_000,
    value: random.below(2),
    outcome,
  };
}

function pick<Option>(options: readonly Option[], random: Random): Option {
  const option = options[random.below(options.length)];
  if (option === undefined) throw new Error("nothing to pick from");
  return option;
}
