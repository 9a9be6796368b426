import { expect, test } from "vitest";
import { UsageError } from "../core/index.js";
import { coneText } from "./cone.js";
import { NARRATION, request, TraceBuilder, twoWantIn } from "./trace-builder.test-helper.js";

test("an event's cone in words: past, future, causes, effects, and what led to it", () => {
  const trace = twoWantIn();
  const entered = trace.events.find(
    (event) => event.kind === "output" && event.process === "P1" && event.at === 7000,
  );
  const text = coneText(trace, `P1:${entered?.number}`, { narration: NARRATION });
  expect(`\n${text}\n`).toMatchInlineSnapshot(`
    "
    P1:11 at 7.0 ms: P1 enters the critical section

    20 events could have caused it, it could affect 9, and 4 are concurrent:
      neither.

      process  past                   future                events
      P1       up to P1:11 at 7.0 ms  from P1:11 at 7.0 ms  15
      P2       up to P2:7 at 5.0 ms   from P2:9 at 13.0 ms  13
      P3       up to P3:3 at 3.0 ms   nothing               6

    Direct causes
      P1:10 at 7.0 ms: P1 has everyone's reply and enters

    Direct effects
      P1:12 at 12.0 ms: P1 is told to release

    What led to it, step by step
      P1:1 at 1.0 ms: P1 is told to acquire
      P1:4 at 1.0 ms: P1 sends request 1 to P2
      P2:7 at 5.0 ms: P2 sends reply 1 to P1
      P1:11 at 7.0 ms: P1 enters the critical section
    "
  `);
});

test("a long chain shows its end, and says how much came before", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  run.at(0).timer("P1", "go");
  for (let hop = 0; hop < 100; hop++) {
    const [from, to] = hop % 2 === 0 ? ["P1", "P2"] : ["P2", "P1"];
    run.at(hop).receive(run.send(from ?? "", to ?? "", request(hop)));
  }
  const lines = coneText(run.trace(), "P1:101").split("\n");
  expect(lines.length).toBeLessThan(40);
  expect(lines.join("\n")).toMatch(/\d+ earlier events/);
});

test("an event nobody has is the caller's mistake; an event of the network has no cone", () => {
  const trace = twoWantIn();
  expect(() => coneText(trace, "P9:1")).toThrow(UsageError);
  expect(() => coneText(trace, "nonsense")).toThrow(UsageError);
  const run = new TraceBuilder(["P1"]);
  run.fault("loss 5%", "begin");
  expect(coneText(run.trace(), "net:1")).toContain("0 events could have caused it");
});

test("text from the trace is escaped, and lines keep to the columns", () => {
  const run = new TraceBuilder(["P1", "P2"]);
  run.receive(run.at(1).send("P1", "P2", "\x1b[2J".repeat(30)));
  const text = coneText(run.trace(), "P2:1", { columns: 50 });
  expect(text).not.toContain("\x1b");
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(50);
});
