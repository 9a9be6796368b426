import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Context, Protocol } from "../core/index.js";
import { isInput, type InputEvent, type Trace, type TraceEvent } from "../trace/index.js";
import { Simulation } from "../sim/index.js";
import { parseFaults } from "../faults/index.js";
import { labs } from "./catalogue.js";
import { runOf } from "./lab-run.test-helper.js";
import { userOf, type Lab } from "./lab.js";
import { replay } from "./replay.js";
import { ricartAgrawalaLab } from "./ricart-agrawala.js";
import { runSettings, simulationOf } from "./run-lab.js";

const STORM = "loss 15%, duplicate 15%, reorder 20%, delay 0..40ms";
const WEATHERS = [
  "",
  STORM,
  `${STORM}, crash P2 at 30ms`,
  `${STORM}, crash P2 at 30ms, restart P2 at 80ms, crash P1 at 90ms, restart P1 at 95ms`,
  "partition P1 | P2 P3 at 10ms..300ms, pause P3 at 20ms..60ms",
  "clock P1 +250ms drift 80ppm at 5ms, clock P2 -1s at 30ms",
  "disk-full P1 at 10ms..60ms, crash P1 at 80ms, restart P1 at 90ms",
];

describe.each(labs)("$id", (lab) => {
  test.each(WEATHERS)("what was simulated under %j replays exactly", (faults) => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 3, max: 4 }), (seed, n) => {
        const trace = runOf(lab, { seed, n, faults, duration: 2_000_000 });
        const { steps, differences } = replay(lab, trace);
        expect(differences).toEqual([]);
        expect(steps).toBe(trace.events.filter(isInput).length);
      }),
      { numRuns: 8 },
    );
  });

  test("ends in the states in which the simulation ended", () => {
    const faults = `${STORM}, crash P2 at 30ms, crash P3 at 20ms, restart P3 at 40ms`;
    const processes = ["P1", "P2", "P3"];
    const settings = runSettings(lab, { processes, seed: 5 });
    const simulation = new Simulation(
      simulationOf(lab, settings, { faults: parseFaults(faults, processes) }),
    );
    simulation.run();
    const { states } = replay(lab, runOf(lab, { seed: 5, faults }));
    expect([...states.keys()]).toEqual(["P1", "P3"]);
    for (const [process, state] of states) expect(state).toEqual(simulation.stateOf(process));
  });
});

describe("finds", () => {
  const trace = runOf(ricartAgrawalaLab, { seed: 1 });
  const differences = (events: readonly TraceEvent[]) =>
    replay(ricartAgrawalaLab, { ...trace, events }).differences.map(({ message }) => message);

  /** The trace with one event changed. */
  function changed(id: string, change: (event: TraceEvent) => TraceEvent): TraceEvent[] {
    const [process, number] = id.split(":");
    return trace.events.map((event) =>
      event.process === process && event.number === Number(number) ? change(event) : event,
    );
  }

  /** Name of the first event of a kind that meets the condition. */
  function first(kind: TraceEvent["kind"], meets: (event: TraceEvent) => boolean = () => true): string {
    const found = trace.events.find((event) => event.kind === kind && meets(event));
    if (found === undefined) throw new Error(`no ${kind} in the trace`);
    return `${found.process}:${found.number}`;
  }

  test("nothing in the trace as it is", () => {
    expect(differences(trace.events)).toEqual([]);
  });

  test("a message that says something else, at its sender and at whom it reaches", () => {
    const events = changed(first("send"), (event) => {
      if (event.kind !== "send") throw new Error("no send");
      const frame = event.message as { readonly body: { readonly timestamp: number } };
      return { ...event, message: { ...frame, body: { ...frame.body, timestamp: 99 } } };
    });
    expect(differences(events)[0]).toMatchInlineSnapshot(
      `"the step of P1:2: now makes a send that says something else than P1:5"`,
    );
    expect(differences(events).length).toBeGreaterThan(1);
  });

  test("a message to somebody else", () => {
    const events = changed(first("send"), (event) =>
      event.kind === "send" ? { ...event, to: "P3" } : event,
    );
    expect(differences(events)).not.toEqual([]);
  });

  test("an output that says something else, one too many, and one too few", () => {
    const output = first("output");
    const other = changed(
      output,
      (event) => ({ ...event, value: { kind: "entered", stamp: [1, "P1"] } }) as TraceEvent,
    );
    expect(differences(other)[0]).toMatchInlineSnapshot(
      `"the step of P1:2: now makes an output that says something else than P1:3"`,
    );
    expect(
      differences(trace.events.filter((event) => `${event.process}:${event.number}` !== output)),
    ).toHaveLength(1);
    const doubled = trace.events.flatMap((event) =>
      `${event.process}:${event.number}` === output ? [event, event] : [event],
    );
    expect(differences(doubled)[0]).toMatchInlineSnapshot(
      `"the step of P1:2: now makes an explain where the trace has P1:3, an output"`,
    );
  });

  test("another rule, other terms, another hand-over", () => {
    const explain = first("explain");
    expect(
      differences(changed(explain, (event) => ({ ...event, rule: "made.up" }) as TraceEvent)),
    ).toHaveLength(1);
    expect(differences(changed(explain, (event) => ({ ...event, terms: {} }) as TraceEvent))).toHaveLength(1);
    const deliver = first("deliver");
    expect(differences(changed(deliver, (event) => ({ ...event, sequence: 99 }) as TraceEvent))).toHaveLength(
      1,
    );
  });

  test("an order of events that was not: the request before the last reply", () => {
    // P1's last reply lets it in; a request that came before it would have been deferred for another reason.
    const lane = trace.events.filter(({ process }) => process === "P1");
    const steps: TraceEvent[][] = [];
    for (const event of lane) {
      if (isInput(event)) steps.push([]);
      steps.at(-1)?.push(event);
    }
    const swapped = steps.findIndex((step) => step.some((event) => event.kind === "output"));
    const [before, after] = [steps[swapped], steps[swapped + 1]];
    if (before === undefined || after === undefined) throw new Error("no two steps to swap");
    steps.splice(swapped, 2, after, before);
    const others = trace.events.filter(({ process }) => process !== "P1");
    expect(differences([...others, ...steps.flat()])).not.toEqual([]);
  });

  test("a command that was another", () => {
    const command = first("command");
    expect(
      differences(changed(command, (event) => ({ ...event, command: { kind: "release" } }) as TraceEvent)),
    ).not.toEqual([]);
  });

  test("a receive whose send is gone, and stops there with that process", () => {
    const send = first("send");
    const events = trace.events.filter((event) => `${event.process}:${event.number}` !== send);
    expect(differences(events)).toContainEqual(
      expect.stringContaining("receives a message that no send of the trace carries"),
    );
  });

  test("at most ten differences: after the first, everything may differ", () => {
    const events = trace.events.map((event): TraceEvent =>
      event.kind === "explain" ? { ...event, rule: "made.up" } : event,
    );
    expect(differences(events)).toHaveLength(10);
  });
});

test("effects that died with a crash are not missed, but those before them are", () => {
  const calm = runOf(ricartAgrawalaLab, { seed: 1 });
  const asked = calm.events.findLast(({ process, kind }) => process === "P1" && kind === "output");
  const trace = runOf(ricartAgrawalaLab, { seed: 1, faults: `crash P1 at ${(asked?.at ?? 0) + 1}us` });
  const crash = trace.events.findIndex(({ kind, process }) => kind === "crash" && process === "P1");
  const lane = trace.events.slice(0, crash).filter(({ process }) => process === "P1");
  const last = lane.at(-1);
  const without = (gone: TraceEvent | undefined): Trace => ({
    ...trace,
    events: trace.events.filter((event) => event !== gone),
  });
  expect(last && isInput(last)).toBe(false);
  expect(replay(ricartAgrawalaLab, without(last)).differences).toEqual([]);
  const early = lane.find(({ kind }) => kind === "output");
  expect(replay(ricartAgrawalaLab, without(early)).differences).toHaveLength(1);
});

describe("what a step drew from besides its input", () => {
  /** Tells its clock, its incarnation and what it chose, at the start and at every command. */
  const candid: Protocol<null, never, number, unknown> = {
    name: "candid",
    start: (ctx) => candidly(ctx),
    onMessage: (state) => state,
    onCommand: (_state, _command, ctx) => candidly(ctx),
  };
  function candidly(ctx: Context<never, unknown>): null {
    const chosen = [ctx.choose("first", [0, 1, 2, 3]), ctx.choose("second", [0, 1, 2, 3])];
    ctx.output({ now: ctx.now, incarnation: ctx.incarnation, chosen });
    return null;
  }
  const lab: Lab = {
    ...ricartAgrawalaLab,
    options: [],
    protocol: () => candid,
    user: userOf<null, number, unknown>({
      start: () => ({ state: null, commands: [1, 2, 3].map((i) => ({ after: i * 10_000, command: i })) }),
    }),
  };
  const faults = "clock P1 +250ms drift 80ppm at 5ms, crash P2 at 15ms, restart P2 at 17ms";
  const trace = runOf(lab, { seed: 3, faults });

  test("is in the trace, so the replay is exact", () => {
    expect(replay(lab, trace).differences).toEqual([]);
  });

  test.each<[string, TraceEvent["kind"], (event: InputEvent) => TraceEvent]>([
    ["the clock reading", "command", (event) => ({ ...event, local: 1 })],
    [
      "a choice",
      "command",
      (event) => ({ ...event, picks: event.picks?.map((pick) => (pick + 1) % 4) ?? [] }),
    ],
    ["a choice that there was not", "command", (event) => ({ ...event, picks: [...(event.picks ?? []), 0] })],
    [
      "a choice that was not recorded",
      "start",
      (event) => ({ ...event, picks: event.picks?.slice(1) ?? [] }),
    ],
    [
      "the incarnation",
      "restart",
      (event) => (event.kind === "restart" ? { ...event, incarnation: 7 } : event),
    ],
  ])("and a change of %s is found", (_what, kind, change) => {
    const target = trace.events.find((event) => event.kind === kind);
    const events = trace.events.map((event) => (event === target && isInput(event) ? change(event) : event));
    expect(replay(lab, { ...trace, events }).differences[0]?.at).toBe(`${target?.process}:${target?.number}`);
  });
});
