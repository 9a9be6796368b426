import fc from "fast-check";
import { expect, test } from "vitest";
import type { Trace } from "../trace/index.js";
import type { Story } from "./story.js";
import { storyOf } from "./story-teller.js";
import { textDiagram } from "./text.js";
import { request, TraceBuilder, type Sent } from "./trace-builder.test-helper.js";

/** What a lane goes through, message by message: `s3` sends message 3, `r3` receives it. */
function lanesOfTrace(trace: Trace): Map<string, string[]> {
  const lanes = new Map<string, string[]>(trace.header.processes.map((process) => [process, []]));
  const numbers = new Map<string, string>();
  for (const event of trace.events) {
    if (event.kind === "send") {
      const number = labelNumber(`request ${(event.message as { timestamp: number }).timestamp}`);
      numbers.set(`${event.process}:${event.number}`, number);
      lanes.get(event.process)?.push(`s${number}`);
    } else if (event.kind === "receive") {
      lanes.get(event.process)?.push(`r${numbers.get(`${event.from}:${event.send}`)}`);
    }
  }
  return lanes;
}

function lanesOfStory(story: Story): Map<string, string[]> {
  const lanes = new Map<string, string[]>(story.processes.map((process) => [process, []]));
  for (const row of story.rows) {
    if (row.kind !== "arrow") continue;
    const number = labelNumber(row.label);
    if (row.sent === "now") lanes.get(row.from)?.push(`s${number}`);
    for (const { to, fate } of row.heads) if (fate === "arrives") lanes.get(to)?.push(`r${number}`);
  }
  return lanes;
}

function labelNumber(label: string): string {
  return label.split(" ")[1] ?? "";
}

/** Any interleaving of sends to one or all, and arrivals in any order. */
const exchanges = fc.array(fc.record({ who: fc.nat(3), act: fc.nat(5), pick: fc.nat(20) }), {
  minLength: 1,
  maxLength: 40,
});

function traceOf(acts: readonly { who: number; act: number; pick: number }[]): Trace {
  const names = ["P1", "P2", "P3", "P4"];
  const run = new TraceBuilder(names);
  let inFlight: Sent[] = [];
  acts.forEach(({ who, act, pick }, place) => {
    const from = names[who] ?? "P1";
    const peers = names.filter((name) => name !== from);
    run.at(place);
    if (act === 0) {
      run.timer(from, "all");
      inFlight.push(...peers.map((to) => run.send(from, to, request(place))));
    } else if (act <= 2) {
      run.timer(from, "one");
      inFlight.push(run.send(from, peers[pick % 3] ?? "P1", request(place)));
    } else {
      const arriving = inFlight[pick % Math.max(1, inFlight.length)];
      if (arriving === undefined) return;
      run.receive(arriving);
      if (act === 5) run.explain(arriving.to, "thinks");
      inFlight = inFlight.filter((one) => one !== arriving);
    }
  });
  return run.trace();
}

test("every lane keeps its own order, wherever arrows are drawn", () => {
  fc.assert(
    fc.property(exchanges, (acts) => {
      const trace = traceOf(acts);
      const told = lanesOfTrace(trace);
      for (const [lane, drawn] of lanesOfStory(storyOf(trace, { rowsMax: 1000 }))) {
        // A broadcast's send is one row; a send drawn at its arrival in a row "earlier" has no place of its own.
        const once = [...new Set(told.get(lane))].filter((what) => drawn.includes(what));
        expect(drawn).toEqual(once);
      }
    }),
    { numRuns: 500 },
  );
});

test("of two arrows that would slide past each other on a lane, one stays where it is", () => {
  const run = new TraceBuilder(["P1", "P2", "P3"]);
  const out = run.at(1).timer("P1", "go").send("P1", "P2", request(1));
  const into = run.at(5).timer("P3", "go").send("P3", "P1", request(2));
  run.at(6).timer("P3", "go").send("P3", "P2", request(3));
  run.at(10).receive(out);
  run.at(20).receive(into);
  expect(lanesOfStory(storyOf(run.trace())).get("P1")).toEqual(["s1", "r2"]);
});

test("with room for all rows, every arrival is drawn exactly once", () => {
  fc.assert(
    fc.property(exchanges, (acts) => {
      const trace = traceOf(acts);
      const drawn = [...lanesOfStory(storyOf(trace, { rowsMax: 1000 })).entries()];
      for (const [lane, what] of drawn) {
        const arrivals = (told: readonly string[]): string[] => told.filter((one) => one.startsWith("r"));
        expect(arrivals(what)).toEqual(arrivals(lanesOfTrace(trace).get(lane) ?? []));
      }
    }),
  );
});

test("rows stay bounded, and beginning, end and faults stay in", () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 80 }), fc.integer({ min: 100, max: 400 }), (rowsMax, rounds) => {
      const run = new TraceBuilder(["P1", "P2"]);
      for (let round = 0; round < rounds; round++) {
        const sent = run.at(round).timer("P1", "next").send("P1", "P2", request(round));
        run.receive(sent);
        if (round === 50) run.fault("partition P1 | P2", "begin");
      }
      const { rows } = storyOf(run.trace(), { rowsMax });
      expect(rows.length).toBeLessThanOrEqual(rowsMax);
      expect(rows[0]?.kind === "arrow" && rows[0].label).toBe("request 0");
      expect(rows.at(-2)?.kind === "arrow" && rows.at(-2)).toMatchObject({ label: `request ${rounds - 1}` });
      expect(rows.filter(({ kind }) => kind === "fault").length).toBe(1);
    }),
  );
});

test("a fold says what it leaves out and how long that took", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  for (let round = 0; round < 100; round++) {
    const sent = run.at(round).timer("P1", "next").send("P1", "P2", request(round));
    run.receive(sent);
    run.receive(run.send("P2", "P1", { kind: "ack" }));
  }
  const folds = storyOf(run.trace(), { rowsMax: 12 }).rows.filter((row) => row.kind === "fold");
  expect(folds.map(({ text }) => text)).toMatchInlineSnapshot(`
    [
      "91 messages, 91 acknowledgements, 91 ms",
    ]
  `);
});

test("ten times the events take no more than thirty times the time", () => {
  const small = longRun(1_250);
  const large = longRun(12_500);
  expect(large.events.length).toBe(100_000);
  expect(textDiagram(large).split("\n").length).toBeLessThan(200);
  expect(drawingTime(large)).toBeLessThan(30 * drawingTime(small));
});

/** Microseconds of this process's own time, of the attempt that other work on the machine disturbed least. */
function drawingTime(trace: Trace): number {
  const attempts = Array.from({ length: 4 }, () => {
    const before = process.cpuUsage();
    textDiagram(trace);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.min(...attempts);
}

function longRun(rounds: number): Trace {
  const run = new TraceBuilder(["P1", "P2", "P3", "P4"]);
  for (let round = 0; round < rounds; round++) {
    const from = `P${(round % 4) + 1}`;
    run.at(round).timer(from, "next");
    const body = request(round);
    const sent = run.send(from, `P${((round + 1) % 4) + 1}`, { kind: "data", seq: round, body });
    run.receive(sent).explain(sent.to, "ra.defer", { own: [1, "P2"] });
    run.output(sent.to, { kind: round % 2 === 0 ? "entered" : "exited" });
    run.receive(run.send(sent.to, from, { kind: "ack", ack: round }));
    run.timer("P1", "beat");
  }
  return run.trace();
}
