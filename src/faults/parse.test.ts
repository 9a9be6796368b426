import { describe, expect, test } from "vitest";
import { MILLISECOND, processNames, SECOND, UsageError } from "../core/index.js";
import { parseFaults } from "./parse.js";
import type { FaultPlan } from "./plan.js";

const ms = MILLISECOND;
const s = SECOND;

function schedule(text: string): FaultPlan["schedule"] {
  return parseFaults(text).schedule;
}

function links(text: string): FaultPlan["links"] {
  return parseFaults(text).links;
}

function problem(text: string, processes = processNames(4)): string {
  try {
    parseFaults(text, processes);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message).not.toMatch(/[\n\r]/);
    return message;
  }
  return "accepted";
}

describe("the fault language", () => {
  test("reads faults of every link", () => {
    expect(links("delay 5..50ms, loss 10%, duplicate 5%, reorder 20%, corrupt 1%")).toEqual([
      { delay: { min: 5 * ms, max: 50 * ms } },
      { loss: 0.1 },
      { duplicate: 0.05 },
      { reorder: 0.2 },
      { corrupt: 0.01 },
    ]);
    expect(links("delay 20ms")).toEqual([{ delay: { min: 20 * ms, max: 20 * ms } }]);
    expect(links("delay 500us..2s mean 10ms")).toEqual([{ delay: { min: 500, max: 2 * s, mean: 10 * ms } }]);
    expect(links("loss 0.5%")).toEqual([{ loss: 0.005 }]);
  });

  test("reads faults of one direction, of all links from or to a process, and of both directions", () => {
    expect(links("P1->P3 loss 50%")).toEqual([{ from: "P1", to: "P3", loss: 0.5 }]);
    expect(links("P1 → P3 loss 50%")).toEqual([{ from: "P1", to: "P3", loss: 0.5 }]);
    expect(links("P1->* loss 50%")).toEqual([{ from: "P1", loss: 0.5 }]);
    expect(links("*->P3 loss 50%")).toEqual([{ to: "P3", loss: 0.5 }]);
    expect(links("*->* loss 50%")).toEqual([{ loss: 0.5 }]);
    expect(links("P1 <-> P3 loss 50%")).toEqual([
      { from: "P1", to: "P3", loss: 0.5 },
      { from: "P3", to: "P1", loss: 0.5 },
    ]);
    expect(links("*<->P3 loss 50%")).toEqual([
      { to: "P3", loss: 0.5 },
      { from: "P3", loss: 0.5 },
    ]);
  });

  test("reads several faults of one link in one item", () => {
    expect(links("P1->P3 loss 50% delay 1..2ms mean 1.5ms duplicate 5%")).toEqual([
      { from: "P1", to: "P3", loss: 0.5, delay: { min: 1000, max: 2000, mean: 1500 }, duplicate: 0.05 },
    ]);
  });

  test("reads scheduled faults", () => {
    expect(schedule("partition P1 P2 | P3 P4 at 2s..5s, partition P1|P2|P3 at 2..5s")).toEqual([
      {
        kind: "partition",
        groups: [
          ["P1", "P2"],
          ["P3", "P4"],
        ],
        at: 2 * s,
        until: 5 * s,
      },
      { kind: "partition", groups: [["P1"], ["P2"], ["P3"]], at: 2 * s, until: 5 * s },
    ]);
    expect(schedule("one-way P1 -> P2 at 1s..2s, one-way P1->P2 at 3s")).toEqual([
      { kind: "one-way", from: "P1", to: "P2", at: s, until: 2 * s },
      { kind: "one-way", from: "P1", to: "P2", at: 3 * s },
    ]);
    expect(schedule("crash P2 at 3s, restart P2 at 5s, pause P1 at 1s..2s, refuse P2 at 0s..1s")).toEqual([
      { kind: "crash", process: "P2", at: 3 * s },
      { kind: "restart", process: "P2", at: 5 * s },
      { kind: "pause", process: "P1", at: s, until: 2 * s },
      { kind: "refuse", process: "P2", at: 0, until: s },
    ]);
    expect(schedule("fail-send P1 at 1s..2s, fail-receive P1 at 1s, disk-full P1 at 2s")).toEqual([
      { kind: "failed-send", process: "P1", at: s, until: 2 * s },
      { kind: "failed-receive", process: "P1", at: s },
      { kind: "disk-full", process: "P1", at: 2 * s },
    ]);
  });

  test("reads a clock's step, drift and time, each of which may be absent", () => {
    expect(schedule("clock P3 +250ms drift 80ppm, clock P3 -1s at 2s, clock P3 drift -5 ppm")).toEqual([
      { kind: "clock", process: "P3", at: 0, step: 250 * ms, driftPpm: 80 },
      { kind: "clock", process: "P3", at: 2 * s, step: -s, driftPpm: 0 },
      { kind: "clock", process: "P3", at: 0, step: 0, driftPpm: -5 },
    ]);
    expect(schedule("clock P3 -0ms drift -0ppm")).toEqual([
      { kind: "clock", process: "P3", at: 0, step: 0, driftPpm: 0 },
    ]);
  });

  test("separates items by commas and line ends, ignores comments and further white space", () => {
    const text = `
      # the usual
      loss   10 % ,, delay 5 .. 50 ms   # everywhere, always
      \tcrash P2 at 3s\r\n`;
    expect(parseFaults(text)).toEqual({
      links: [{ loss: 0.1 }, { delay: { min: 5 * ms, max: 50 * ms } }],
      schedule: [{ kind: "crash", process: "P2", at: 3 * s }],
    });
    expect(parseFaults(" # nothing\n")).toEqual({ links: [], schedule: [] });
  });

  test("lets processes be called like words of the language", () => {
    expect(schedule("partition at loss | drift at 2s")).toEqual([
      { kind: "partition", groups: [["at", "loss"], ["drift"]], at: 2 * s },
    ]);
    expect(links("loss->P-- loss 5%, P-->-x loss 5%")).toEqual([
      { from: "loss", to: "P--", loss: 0.05 },
      { from: "P-", to: "-x", loss: 0.05 },
    ]);
  });

  test("reads the JSON of a plan when the text begins with a brace", () => {
    const plan: FaultPlan = {
      links: [{ from: "P1", loss: 0.5 }],
      schedule: [{ kind: "crash", process: "P2", at: 3 }],
    };
    expect(parseFaults(` ${JSON.stringify(plan, undefined, 2)}`)).toEqual(plan);
  });
});

describe("one line says what is wrong with the text", () => {
  test("names the nearest word", () => {
    expect(problem("delay 5ms, los 10%")).toMatchInlineSnapshot(
      `"fault "los 10%": there is no fault "los"; did you mean "loss"? Faults: delay, loss, duplicate, reorder, corrupt, partition, one-way, crash, restart, pause, clock, refuse, fail-send, fail-receive, disk-full"`,
    );
    expect(problem("failed-send P1 at 1s")).toMatchInlineSnapshot(
      `"fault "failed-send P1 at 1s": there is no fault "failed-send"; did you mean "fail-send"? Faults: delay, loss, duplicate, reorder, corrupt, partition, one-way, crash, restart, pause, clock, refuse, fail-send, fail-receive, disk-full"`,
    );
    expect(problem("kill P2 at 1s")).toMatchInlineSnapshot(
      `"fault "kill P2 at 1s": there is no fault "kill"; did you mean "crash"? Faults: delay, loss, duplicate, reorder, corrupt, partition, one-way, crash, restart, pause, clock, refuse, fail-send, fail-receive, disk-full"`,
    );
    expect(problem("P1->P2 reoder 5%")).toMatchInlineSnapshot(
      `"fault "P1->P2 reoder 5%": there is no fault "reoder"; did you mean "reorder"? Faults: delay, loss, duplicate, reorder, corrupt"`,
    );
    expect(problem("P1->P2 crash")).toMatchInlineSnapshot(
      `"fault "P1->P2 crash": there is no fault "crash". Faults: delay, loss, duplicate, reorder, corrupt"`,
    );
    expect(problem("crash Q2 at 3s")).toMatchInlineSnapshot(
      `"fault "crash Q2 at 3s": there is no process "Q2"; did you mean "P2"? Processes: P1, P2, P3, P4"`,
    );
    expect(problem("crash somebody at 3s", processNames(30))).toMatchInlineSnapshot(
      `"fault "crash somebody at 3s": there is no process "somebody". Processes: P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, … (30)"`,
    );
  });

  test("says what was expected where the form is wrong", () => {
    expect(problem("loss 10")).toMatchInlineSnapshot(
      `"fault "loss 10": loss takes a percentage, such as 10%, but "10" is given"`,
    );
    expect(problem("loss")).toMatchInlineSnapshot(
      `"fault "loss": loss takes a percentage, such as 10%, but nothing is given"`,
    );
    expect(problem("loss 10% at 2s..5s")).toMatchInlineSnapshot(
      `"fault "loss 10% at 2s..5s": loss takes a percentage, such as 10%, but "10% at 2s..5s" is given; faults of links last for the whole run"`,
    );
    expect(problem("loss 10% loss 20%")).toMatchInlineSnapshot(
      `"fault "loss 10% loss 20%": loss is given twice; give it once"`,
    );
    expect(problem("delay 5")).toMatchInlineSnapshot(
      `"fault "delay 5": delay takes a duration or a range, such as 20ms, 5..50ms or 5..50ms mean 10ms, but "5" is given"`,
    );
    expect(problem("delay 5..10..20ms")).toMatchInlineSnapshot(
      `"fault "delay 5..10..20ms": delay takes a duration or a range, such as 20ms, 5..50ms or 5..50ms mean 10ms, but "5..10..20ms" is given"`,
    );
    expect(problem("delay 5..50ms mean")).toMatchInlineSnapshot(
      `"fault "delay 5..50ms mean": mean takes a duration, such as mean 10ms, but nothing is given"`,
    );
    expect(problem("P1->P2")).toMatchInlineSnapshot(
      `"fault "P1->P2": after a link comes one of delay, loss, duplicate, reorder, corrupt"`,
    );
    expect(problem("crash P2")).toMatchInlineSnapshot(
      `"fault "crash P2": crash takes one time, such as crash P2 at 3s, but there is no "at""`,
    );
    expect(problem("crash P2 at 3s..4s")).toMatchInlineSnapshot(
      `"fault "crash P2 at 3s..4s": crash takes one time, such as crash P2 at 3s, but "3s..4s" is given"`,
    );
    expect(problem("crash P2 P3 at 3s")).toMatchInlineSnapshot(
      `"fault "crash P2 P3 at 3s": crash takes one process, such as crash P2 at 1s, but "P2 P3" is given"`,
    );
    expect(problem("pause at 3s")).toMatchInlineSnapshot(
      `"fault "pause at 3s": pause takes one process, such as pause P2 at 1s, but nothing is given"`,
    );
    expect(problem("pause P1 at")).toMatchInlineSnapshot(
      `"fault "pause P1 at": at takes a time or a range, such as at 2s or at 2s..5s, but nothing is given"`,
    );
    expect(problem("pause P1 at -1s")).toMatchInlineSnapshot(
      `"fault "pause P1 at -1s": at takes a time or a range, such as at 2s or at 2s..5s, but "-1s" is given"`,
    );
    expect(problem("one-way P1 P2 at 3s")).toMatchInlineSnapshot(
      `"fault "one-way P1 P2 at 3s": one-way takes two processes, such as one-way P1 -> P2 at 1s..2s, but "P1 P2" is given"`,
    );
    expect(problem("clock P3")).toMatchInlineSnapshot(
      `"fault "clock P3": clock takes a process and a step, a drift or both, such as clock P3 +250ms drift 80ppm, but "P3" is given"`,
    );
    expect(problem("clock P3 250ms")).toMatchInlineSnapshot(
      `"fault "clock P3 250ms": clock takes a process and a step, a drift or both, such as clock P3 +250ms drift 80ppm, but "P3 250ms" is given"`,
    );
    expect(problem("clock P3 +5ms at 1s..2s")).toMatchInlineSnapshot(
      `"fault "clock P3 +5ms at 1s..2s": clock takes the one time of the change, such as at 2s, but "1s..2s" is given"`,
    );
    expect(problem("pause P1 at 9999h")).toMatchInlineSnapshot(
      `"fault "pause P1 at 9999h": "9999h" is longer than a year; give at most 8760h"`,
    );
  });

  test("says what is accepted where a value is out of range", () => {
    expect(problem("loss 110%")).toMatchInlineSnapshot(`"fault "loss 110%": loss is 110%; give 0% to 100%"`);
    expect(problem("delay 50..5ms")).toMatchInlineSnapshot(
      `"fault "delay 50..5ms": the shortest delay, 50ms, is longer than the longest, 5ms; did you mean 5ms..50ms?"`,
    );
    expect(problem("delay 5..50ms mean 60ms")).toMatchInlineSnapshot(
      `"fault "delay 5..50ms mean 60ms": the mean, 60ms, lies outside the range; give 5ms to 50ms"`,
    );
    expect(problem("clock P3 drift 0.5ppm")).toMatchInlineSnapshot(
      `"fault "clock P3 drift 0.5ppm": the drift is 0.5 ppm; give a whole number from -500000 to 500000"`,
    );
    expect(problem("clock P3 drift 600000ppm")).toMatchInlineSnapshot(
      `"fault "clock P3 drift 600000ppm": the drift is 600000 ppm; give a whole number from -500000 to 500000"`,
    );
    expect(problem("pause P1 at 2s..2s")).toMatchInlineSnapshot(
      `"fault "pause P1 at 2s..2s": it ends at 2s, not after it begins at 2s; give BEGIN..END"`,
    );
  });

  test("finds plans that make no sense", () => {
    expect(problem("partition P1 P2 at 2s")).toMatchInlineSnapshot(
      `"fault "partition P1 P2 at 2s": a partition has two groups or more; write them as P1 P2 | P3 P4"`,
    );
    expect(problem("partition P1 | at 2s")).toMatchInlineSnapshot(
      `"fault "partition P1 | at 2s": a group is empty; give each side of | a process"`,
    );
    expect(problem("partition P1 P2 | P2 P3 at 2s")).toMatchInlineSnapshot(
      `"fault "partition P1 P2 | P2 P3 at 2s": "P2" is named twice; a process is in one group at most"`,
    );
    expect(problem("P1->P1 loss 5%")).toMatchInlineSnapshot(
      `"fault "P1->P1 loss 5%": a process has no link to itself; give two processes"`,
    );
    expect(problem("one-way P1->P1 at 1s")).toMatchInlineSnapshot(
      `"fault "one-way P1->P1 at 1s": a process has no link to itself; give two processes"`,
    );
    expect(problem("crash P2 at 3s, crash P2 at 5s")).toMatchInlineSnapshot(
      `"fault "crash P2 at 5s": P2 is down since 3s; restart it in between, or leave one crash out"`,
    );
    expect(problem("restart P2 at 2s, crash P2 at 3s")).toMatchInlineSnapshot(
      `"fault "restart P2 at 2s": P2 is up at 2s; crash it before"`,
    );
    expect(problem("pause P1 at 2s..4s, pause P1 at 1s..3s")).toMatchInlineSnapshot(
      `"fault "pause P1 at 2s..4s": P1 is paused already, until 3s; join the two pauses"`,
    );
    expect(problem("pause P1 at 1s, pause P1 at 2s..3s")).toMatchInlineSnapshot(
      `"fault "pause P1 at 2s..3s": P1 is paused already, until the end of the run; join the two pauses"`,
    );
  });

  test("accepts crashes and restarts in turn, whatever their order in the text, and pauses end to end", () => {
    expect(problem("restart P2 at 4s, crash P2 at 5s, crash P2 at 3s")).toBe("accepted");
    expect(problem("crash P2 at 3s, restart P2 at 3s")).toBe("accepted");
    expect(problem("pause P1 at 2s..3s, pause P1 at 1s..2s")).toBe("accepted");
  });

  test("shortens what it repeats and shows what a terminal would obey", () => {
    expect(problem(`x\u001b[31m\u202e${"y".repeat(1000)}`)).toMatchInlineSnapshot(
      `"fault "x\\u{1b}[31m\\u{202e}yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…": there is no fault "x\\u{1b}[31m\\u{202e}yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…". Faults: delay, loss, duplicate, reorder, corrupt, partition, one-way, crash, restart, pause, clock, refuse, fail-send, fail-receive, disk-full"`,
    );
  });

  test("refuses more than the limits", () => {
    expect(problem(" ".repeat(65_537))).toMatchInlineSnapshot(
      `"the fault text is 65537 characters long; at most 65536"`,
    );
    expect(problem("loss 1%,".repeat(1_001))).toMatchInlineSnapshot(
      `"the fault text has 1001 items; at most 1000"`,
    );
    expect(problem("loss 1%,".repeat(1_000))).toBe("accepted");
    expect(problem("P1<->P2 loss 1%,".repeat(501))).toMatchInlineSnapshot(
      `"the fault plan has 1002 items; at most 1000"`,
    );
  });
});
