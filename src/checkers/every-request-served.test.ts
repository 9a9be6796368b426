import { expect, test } from "vitest";
import { everyRequestServed } from "./every-request-served.js";
import { MutexRun, toldOf } from "./hand-made.test-helper.js";

test("holds when every request is followed by its entry", () => {
  const run = new MutexRun().tells("P1", "requested", 1).tells("P2", "requested", 1);
  run.tells("P1", "entered", 1).tells("P1", "exited", 1).tells("P2", "entered", 1);
  expect(toldOf(everyRequestServed, run.trace())).toEqual([]);
});

test("is violated by who still waits when nothing is left to happen", () => {
  const run = new MutexRun()
    .tells("P1", "requested", 1)
    .tells("P1", "entered", 1)
    .tells("P2", "requested", 2);
  expect(toldOf(everyRequestServed, run.trace())).toMatchInlineSnapshot(`
    [
      "P2 waits for ever: its request (2, P2) of P2:2 was never granted, and nothing is left to happen [P2:2]",
    ]
  `);
});

test("is violated by a second request that is not served", () => {
  const run = new MutexRun()
    .tells("P1", "requested", 1)
    .tells("P1", "entered", 1)
    .tells("P1", "requested", 2);
  expect(toldOf(everyRequestServed, run.trace())).toHaveLength(1);
});

test("names the crash that may be why", () => {
  const run = new MutexRun().tells("P2", "requested", 1).crash("P3");
  expect(toldOf(everyRequestServed, run.trace())).toMatchInlineSnapshot(`
    [
      "P2 waits for ever: its request (1, P2) of P2:2 was never granted, and nothing is left to happen; P3 crashed and never came back [P2:2]",
    ]
  `);
  run.restart("P3");
  expect(toldOf(everyRequestServed, run.trace())[0]).not.toContain("P3");
});

test("says nothing of who crashed while waiting: its request died with it", () => {
  const run = new MutexRun().tells("P2", "requested", 1).crash("P2").restart("P2");
  expect(toldOf(everyRequestServed, run.trace())).toEqual([]);
});

test("says nothing of a run that was cut short", () => {
  for (const stopped of ["time-limit", "event-limit", "interrupted", "failed"] as const) {
    expect(toldOf(everyRequestServed, new MutexRun().tells("P1", "requested", 1).trace(stopped))).toEqual([]);
  }
});
