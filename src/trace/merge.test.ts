import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NETWORK } from "../core/index.js";
import { arbitraryTrace, headerOf } from "./arbitrary-trace.test-helper.js";
import type { Trace, TraceEvent } from "./event.js";
import { idOf } from "./event.js";
import { mergeTraces } from "./merge.js";
import { TraceError } from "./trace-error.js";
import type { ReadTrace } from "./trace-reader.js";
import { readTrace } from "./trace-reader.js";
import { writeTrace } from "./trace-writer.js";

describe("merging the files that a run's processes wrote", () => {
  test("gives a valid trace with every event once, each lane in its order", () => {
    fc.assert(
      fc.property(arbitraryTrace(), (trace) => {
        const merged = mergeTraces(filesOf(trace));
        expect(merged.header).toEqual(trace.header);
        expect(merged.events.map(idOf).sort()).toEqual(trace.events.map(idOf).sort());
        // The reader refuses anything that comes before its cause.
        expect(readTrace(writeTrace(merged)).events).toEqual(merged.events);
      }),
    );
  });

  test("gives the order of one good clock back", () => {
    fc.assert(
      fc.property(arbitraryTrace(), (trace) => {
        expect(mergeTraces(filesOf(trace)).events).toEqual(trace.events);
      }),
    );
  });

  test("respects causality however wrong the clocks are, and does not depend on the order of the files", () => {
    fc.assert(
      fc.property(arbitraryTrace(), fc.array(fc.integer(), { minLength: 7 }), (trace, ats) => {
        const wrong = trace.events.map((event, i) => ({ ...event, at: ats[i % ats.length] ?? 0 }));
        const files = filesOf({ ...trace, events: wrong });
        const merged = mergeTraces(files);
        expect(() => readTrace(writeTrace(merged))).not.toThrow();
        expect(mergeTraces(files.toReversed())).toEqual(merged);
      }),
    );
  });

  test("takes events with equal clocks in the header's order of processes, net last", () => {
    const { header } = withReceiveAt(0);
    const events: TraceEvent[] = [
      { process: "net", number: 1, at: 0, kind: "pause", target: "P2" },
      { process: "P2", number: 1, at: 0, kind: "start", incarnation: 0 },
      { process: "P1", number: 1, at: 0, kind: "start", incarnation: 0 },
      { process: "P1", number: 2, at: 0, kind: "timer", timer: "t" },
    ];
    const merged = mergeTraces(filesOf({ header, events, end: { stopped: "quiescent" } }));
    expect(merged.events.map(idOf)).toEqual(["P1:1", "P1:2", "P2:1", "net:1"]);
  });

  test("puts a receive after its send even where the receiver's clock is an hour behind", () => {
    const merged = mergeTraces(filesOf(withReceiveAt(-3_600_000_000)));
    expect(merged.events.map(idOf)).toEqual(["P2:1", "P1:1", "P1:2", "P2:2"]);
  });
});

describe("the end of a merged trace", () => {
  const trace = withReceiveAt(5);

  test("is the supervisor's, when it wrote one", () => {
    const files = filesOf(trace);
    const net: ReadTrace = {
      ...file(trace, NETWORK),
      end: { stopped: "time-limit", detail: "10s are over" },
    };
    expect(mergeTraces([...files.filter((f) => f.name !== "net.trace"), net]).end).toEqual(net.end);
  });

  test("is the gravest otherwise, and names its process", () => {
    const [first, second] = [file(trace, "P1"), file(trace, "P2")];
    const killed: ReadTrace = {
      ...second,
      complete: false,
      end: { stopped: "interrupted", detail: "the file has no end line" },
    };
    expect(mergeTraces([first, second]).end).toEqual({ stopped: "quiescent" });
    expect(mergeTraces([first, killed]).end).toEqual({
      stopped: "interrupted",
      detail: "P2: the file has no end line",
    });
  });
});

describe("files that do not make one run are refused", () => {
  const trace = withReceiveAt(5);
  const [first, second] = [file(trace, "P1"), file(trace, "P2")];

  test("when their headers disagree, with what differs", () => {
    const other = { ...second, header: { ...second.header, seed: 42 } };
    expect(problem([first, other])).toEqual([
      "other-run",
      'P2.trace is of another run than P1.trace: its "seed" is 42, not 41',
    ]);
    const withOptions = { ...second, header: { ...second.header, options: { eager: true } } };
    expect(problem([first, withOptions])[0]).toBe("other-run");
  });

  test("but not for the order of a header's keys", () => {
    const turned = { ...second, header: { ...second.header, options: { eager: true, rounds: 3 } } };
    expect(mergeTraces([first, turned]).events.length).toBe(4);
  });

  test("when two are of one process, one is of a whole run, or there are none", () => {
    expect(problem([first, { ...first, name: "again" }])[1]).toBe(
      "again and P1.trace are both of P1; give one of them",
    );
    const { process: _, ...whole } = first.header;
    expect(problem([{ ...first, header: whole }])[1]).toContain("P1.trace holds a whole run");
    expect(problem([])[1]).toBe("there are no files to merge");
  });

  test("when a receive's send is in no file, naming both", () => {
    expect(problem([second])).toEqual([
      "missing-send",
      "P2:2 (receive) needs the send P1:2, but there is no file of P1",
    ]);
    const short = { ...first, events: first.events.slice(0, 1) };
    expect(problem([short, second])).toEqual([
      "missing-send",
      "P2:2 (receive) needs the send P1:2, but P1.trace ends at P1:1",
    ]);
  });

  test("when a receive names an event that is no send to it", () => {
    const events = second.events.map((event) => (event.kind === "receive" ? { ...event, send: 1 } : event));
    expect(problem([first, { ...second, events }])).toEqual([
      "bad-line",
      'P2.trace, event P2:2: expected P1:1 to be an earlier send to "P2", found one that is not',
    ]);
  });

  test("when events wait for each other", () => {
    const circle = (self: string, other: string): ReadTrace => ({
      ...file(trace, self),
      events: [
        { process: self, number: 1, at: 0, kind: "receive", from: other, send: 2 },
        { process: self, number: 2, at: 0, kind: "send", to: other, message: 1 },
      ],
    });
    expect(problem([circle("P1", "P2"), circle("P2", "P1")])).toEqual([
      "bad-line",
      "events wait for each other, which no run can do: P1:1, P2:1",
    ]);
  });
});

function withReceiveAt(at: number): Trace {
  const events: TraceEvent[] = [
    { process: "P1", number: 1, at: 1, kind: "start", incarnation: 0 },
    { process: "P2", number: 1, at: 0, kind: "start", incarnation: 0 },
    { process: "P1", number: 2, at: 2, kind: "send", to: "P2", message: "hello" },
    { process: "P2", number: 2, at, kind: "receive", from: "P1", send: 2 },
  ];
  return { header: headerOf(["P1", "P2"]), events, end: { stopped: "quiescent" } };
}

function filesOf(trace: Trace): ReadTrace[] {
  return [...trace.header.processes, NETWORK].map((process) => file(trace, process));
}

function file(trace: Trace, process: string): ReadTrace {
  const events = trace.events.filter((event) => event.process === process);
  const header = { ...trace.header, process };
  return readTrace(writeTrace({ header, events, end: trace.end }), { name: `${process}.trace` });
}

function problem(files: readonly ReadTrace[]): [code: string, message: string] {
  try {
    mergeTraces(files);
  } catch (error) {
    if (error instanceof TraceError) return [error.code, error.message];
    throw error;
  }
  throw new Error("the files were merged");
}
