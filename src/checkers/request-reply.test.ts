import { describe, expect, test } from "vitest";
import { TraceBuilder, type Sent } from "../diagram/trace-builder.test-helper.js";
import type { TraceHeader } from "../trace/index.js";
import type { Checker } from "./checker.js";
import { checkTrace } from "./check-trace.js";
import { toldOf, witnessOf } from "./hand-made.test-helper.js";
import { lostReplyMadeGood } from "./lost-reply.js";
import {
  completedOnce,
  everyCallAnswered,
  executedAtMostOnce,
  failedNeverRan,
  requestReplyCheckers,
  resultOfExecution,
  withinCallLimits,
} from "./request-reply.js";

/** Writes runs of request/reply by hand: P1 serves, P2 calls `add` with `{ a: 1 }`. */
class CallRun extends TraceBuilder {
  constructor(mode = "exactly-once", header: Partial<TraceHeader> = {}) {
    super(["P1", "P2"], { options: { mode, attempts: 2 }, ...header });
    for (const process of ["P1", "P2"]) this.event(process, { kind: "start", incarnation: 0 });
  }

  invoked(seq: number, deadline = 10_000, id = `P2#${seq}`): this {
    return this.output("P2", { kind: "invoked", id, method: "add", args: { a: 1 }, deadline });
  }

  request(seq: number, budget = 1, kind = "request"): Sent {
    return this.send("P2", "P1", { kind, seq, incarnation: 0, budget });
  }

  executed(seq: number, value = 5, args: unknown = { a: 1 }): this {
    return this.output("P1", { kind: "executed", id: `P2#${seq}`, method: "add", args, value });
  }

  reply(seq: number): Sent {
    return this.send("P1", "P2", { kind: "reply", seq, incarnation: 0, value: 5 });
  }

  ok(seq: number, value = 5): this {
    return this.output("P2", { kind: "completed", id: `P2#${seq}`, outcome: { kind: "ok", value } });
  }

  ended(seq: number, kind: "failed" | "unknown"): this {
    return this.output("P2", { kind: "completed", id: `P2#${seq}`, outcome: { kind, reason: "why" } });
  }

  crash(process: string): this {
    this.event(process, { kind: "crash" });
    return this;
  }
}

const told = (checker: Checker, run: CallRun): string[] => toldOf(checker, run.trace());

test("a call that is answered breaks no rule", () => {
  const run = new CallRun().invoked(1);
  run.receive(run.request(1)).executed(1);
  run.receive(run.reply(1)).ok(1);
  for (const checker of requestReplyCheckers) expect(told(checker, run)).toEqual([]);
});

test("no call has its effect twice", () => {
  const run = new CallRun().invoked(1).invoked(2).executed(1).executed(2).crash("P1").executed(1);
  expect(told(executedAtMostOnce, run)).toEqual(["P1 ran P2#1 at P1:5, which had run at P1:2 [P1:5 P1:2]"]);
});

test("where replies are not kept, a second run is nobody's fault", () => {
  const run = new CallRun("at-least-once").invoked(1).executed(1).executed(1);
  expect(checkTrace(run.trace(), [executedAtMostOnce], []).violations).toEqual([]);
});

test("a call has at most one outcome, and only if it was called", () => {
  expect(told(completedOnce, new CallRun().invoked(1).ok(1).ended(1, "unknown"))).toEqual([
    "P2#1 ended at P2:3 and again at P2:4 [P2:4 P2:3]",
  ]);
  expect(told(completedOnce, new CallRun().ok(1))).toEqual([
    "P2#1 ended at P2:2, but nobody had called it [P2:2]",
  ]);
});

describe("a result is that of a run of its call", () => {
  test("not of no run", () => {
    expect(told(resultOfExecution, new CallRun().invoked(1).ok(1))).toEqual([
      "P2#1 ended at P2:3 with a result, but had not run [P2:3]",
    ]);
  });

  test("not another value", () => {
    const run = new CallRun().invoked(1).executed(1);
    run.receive(run.reply(1)).ok(1, 6);
    expect(told(resultOfExecution, run)).toEqual([
      "P2#1 ended at P2:4 with 6, but its run at P1:2 gave 5 [P2:4 P1:2]",
    ]);
  });

  test("not of a run that no message tells of", () => {
    expect(told(resultOfExecution, new CallRun().invoked(1).executed(1).ok(1))).toHaveLength(1);
  });

  test("of any of several runs", () => {
    const run = new CallRun("at-least-once").invoked(1).executed(1, 5).executed(1, 6);
    run.receive(run.reply(1)).ok(1, 6);
    expect(told(resultOfExecution, run)).toEqual([]);
  });

  test("and what runs was called so", () => {
    const otherwise = new CallRun().invoked(1).executed(1, 5, { a: 2 });
    expect(told(resultOfExecution, otherwise)).toEqual([
      "P1 ran P2#1 at P1:2, which was called otherwise [P1:2]",
    ]);
    expect(told(resultOfExecution, new CallRun().executed(1))).toEqual([
      "P1 ran P2#1 at P1:2, which nobody had called [P1:2]",
    ]);
  });
});

test("a call that failed does not run, before or after", () => {
  const before = new CallRun().invoked(1).executed(1).ended(1, "failed");
  const after = new CallRun().invoked(1).ended(1, "failed").executed(1);
  for (const run of [before, after]) {
    expect(told(failedNeverRan, run)).toEqual([
      "P2#1 was reported failed at P2:3, but it ran at P1:2 [P2:3 P1:2]",
    ]);
  }
  expect(told(failedNeverRan, new CallRun().invoked(1).executed(1).ended(1, "unknown"))).toEqual([]);
});

describe("every call is answered", () => {
  test("when nothing is left to happen", () => {
    const run = new CallRun().invoked(1);
    expect(told(everyCallAnswered, run)).toEqual([
      "P2 never learned how P2#1 of P2:2 ended, and nothing is left to happen [P2:2]",
    ]);
    expect(toldOf(everyCallAnswered, run.trace("time-limit"))).toEqual([]);
  });

  test("except those of a client that crashed", () => {
    expect(told(everyCallAnswered, new CallRun().invoked(1).crash("P2"))).toEqual([]);
    expect(told(everyCallAnswered, new CallRun().invoked(1).crash("P1"))).toHaveLength(1);
  });
});

describe("a client keeps to its limits", () => {
  test("of attempts", () => {
    const run = new CallRun().invoked(1);
    for (let i = 0; i < 3; i++) run.request(1);
    expect(told(withinCallLimits, run)).toEqual(["P2#1 was sent 3 times by P2:5; the limit is 2 [P2:5]"]);
    const maybe = new CallRun("maybe").invoked(1);
    for (let i = 0; i < 2; i++) maybe.request(1);
    expect(told(withinCallLimits, maybe)).toHaveLength(1);
  });

  test("of time", () => {
    const run = new CallRun().invoked(1);
    run.at(10).request(1);
    run.at(12).request(1, 0, "cancel");
    expect(told(withinCallLimits, run)).toEqual([
      "P2#1 was sent at P2:3, 0 µs after its deadline [P2:3]",
      "P2#1 was sent at P2:4, 2000 µs after its deadline [P2:4]",
    ]);
  });

  test("of the time it grants", () => {
    const run = new CallRun().invoked(1);
    run.at(9).request(1, 1_001);
    expect(told(withinCallLimits, run)).toEqual([
      "P2#1 was sent at P2:3 with a budget of 1001 µs; its caller has 1000 µs left [P2:3]",
    ]);
  });

  test("and sends nothing that nobody called", () => {
    const run = new CallRun();
    run.request(1);
    expect(told(withinCallLimits, run)).toEqual(["P2 sent P2#1 at P2:2, which nobody had called [P2:2]"]);
  });
});

describe("a lost reply is made good", () => {
  const lost = (mode: string): CallRun => {
    const run = new CallRun(mode).invoked(1).executed(1);
    run.drop(run.reply(1), "loss");
    return run;
  };

  test("by its repetition, and by that of no other call", () => {
    const run = lost("exactly-once");
    run.explain("P1", "rr.replay", { id: "P2#2" });
    expect(witnessOf(lostReplyMadeGood, run.trace())).toBeUndefined();
    run.explain("P1", "rr.replay", { id: "P2#1" });
    expect(witnessOf(lostReplyMadeGood, run.trace())).toBe("P1:5");
  });

  test("by a second run, in mode at-least-once alone", () => {
    expect(witnessOf(lostReplyMadeGood, lost("at-least-once").executed(1).trace())).toBe("P1:4");
    expect(witnessOf(lostReplyMadeGood, lost("exactly-once").executed(1).trace())).toBeUndefined();
  });

  test("by an unknown outcome, in mode maybe alone", () => {
    expect(witnessOf(lostReplyMadeGood, lost("maybe").ended(1, "unknown").trace())).toBe("P2:3");
    expect(witnessOf(lostReplyMadeGood, lost("at-most-once").ended(1, "unknown").trace())).toBeUndefined();
  });
});

test("outputs and messages of other shapes are passed over", () => {
  const run = new CallRun();
  for (const value of [null, 1, [], {}, { kind: "completed", id: 4 }, { kind: "completed", id: "P2#1" }]) {
    run.output("P2", value);
    run.send("P2", "P1", value);
  }
  run.output("P2", { kind: "invoked", id: "P2#1" }).output("P2", { kind: "elected", id: "P2#1" });
  for (const checker of requestReplyCheckers) expect(told(checker, run)).toEqual([]);
});
