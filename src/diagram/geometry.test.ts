import { expect, test } from "vitest";
import { AXES } from "./axis.js";
import { layout } from "./geometry.js";
import { request, TraceBuilder, twoWantIn } from "./trace-builder.test-helper.js";

test("physical x is reference time, lanes are processes, and phases become intervals", () => {
  const { x, lane, intervals, extent } = layout(twoWantIn());
  expect(extent).toEqual([1000, 16_000]);
  expect([x[0], lane[0]]).toEqual([1000, 0]);
  expect(intervals).toEqual([
    { lane: 0, phase: "waiting", x1: 1000, x2: 7000 },
    { lane: 0, phase: "inside", x1: 7000, x2: 12_000 },
    { lane: 1, phase: "waiting", x1: 1500, x2: 13_000 },
    { lane: 1, phase: "inside", x1: 13_000, x2: 16_000 },
  ]);
});

test.each(["lamport", "causal"] as const)("%s: no event stands left of its causes", (axis) => {
  const trace = twoWantIn();
  const { x, messages } = layout(trace, { axis });
  for (const { x1, x2 } of messages) expect(x2).toBeGreaterThan(x1);
  const last = new Map<string, number>();
  trace.events.forEach(({ process }, index) => {
    const at = x[index] ?? 0;
    expect(at).toBeGreaterThanOrEqual(last.get(process) ?? -1);
    last.set(process, axis === "lamport" ? at + 1 : at);
  });
});

test("causal: every hop of a chain is one step long, however long it took", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  run.at(0).timer("P1", "go");
  const there = run.send("P1", "P2", request(1));
  run.at(900).receive(there);
  const back = run.send("P2", "P1", request(2));
  run.at(901).receive(back);
  const { messages } = layout(run.trace(), { axis: "causal" });
  expect(messages.map(({ x1, x2 }) => [x1, x2])).toEqual([
    [0, 1],
    [1, 2],
  ]);
});

test("local: a message between disagreeing clocks runs backwards, and says so", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  const number = run.at(10).event("P1", { kind: "send", to: "P2", message: request(1) }, 50_000);
  run.at(11).receive({ from: "P1", send: number, to: "P2" });
  expect(layout(run.trace(), { axis: "local" }).messages).toMatchObject([
    { x1: 60_000, x2: 11_000, backwards: true },
  ]);
  expect(layout(run.trace(), { axis: "physical" }).messages).toMatchObject([{ backwards: false }]);
});

test("a message is delivered, late, duplicated, lost or in flight", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  const send = (n: number) => run.at(n).timer("P1", "next").send("P1", "P2", request(n));
  const [plain, late, twice, lost] = [send(1), send(2), send(3), send(4)];
  send(5);
  run.event("net", { kind: "hold", from: "P1", send: late.send, to: "P2", by: 9, reason: "delay" });
  run.event("net", { kind: "duplicate", from: "P1", send: twice.send, to: "P2", copies: 2 });
  run.at(6).drop(lost, "loss");
  run.at(7).receive(plain).receive(late).receive(twice).receive(twice);
  const { messages, glyphs } = layout(run.trace());
  expect(messages.map(({ state }) => state)).toEqual([
    "delivered",
    "late",
    "delivered",
    "duplicate",
    "lost",
    "in flight",
  ]);
  expect(glyphs.filter((kind) => kind === "duplicate").length).toBe(1);
});

test("crashes and pauses are intervals, partitions spans with their groups", () => {
  const run = new TraceBuilder(["P1", "P2", "P3"]);
  run.at(1).fault("partition P1 P2 | P3", "begin");
  run.at(2).event("P1", { kind: "crash" });
  run.at(3).event("net", { kind: "pause", target: "P2" });
  run.at(4).event("net", { kind: "resume", target: "P2" });
  run.at(5).event("P1", { kind: "restart", incarnation: 1 });
  run.at(6).fault("partition P1 P2 | P3", "end");
  run.at(7).fault("loss 50%", "begin");
  const { intervals, partitions } = layout(run.trace());
  expect(intervals).toEqual([
    { lane: 1, phase: "paused", x1: 3000, x2: 4000 },
    { lane: 0, phase: "crashed", x1: 2000, x2: 5000 },
  ]);
  expect(partitions).toEqual([
    { text: "partition P1 P2 | P3", groups: [[0, 1], [2]], x1: 1000, x2: 6000 },
    { text: "loss 50%", groups: [], x1: 7000, x2: 7000 },
  ]);
});

test.each(AXES)("%s: an empty trace has a layout", (axis) => {
  expect(layout(new TraceBuilder(["P1"]).trace(), { axis })).toMatchObject({ extent: [0, 0], messages: [] });
});
