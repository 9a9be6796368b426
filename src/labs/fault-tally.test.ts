import { describe, expect, test } from "vitest";
import { processNames } from "../core/index.js";
import { parseFaults } from "../faults/index.js";
import type { Trace, TraceEvent } from "../trace/index.js";
import { FaultTally } from "./fault-tally.js";
import { runOf } from "./lab-run.test-helper.js";
import { ricartAgrawalaLab } from "./ricart-agrawala.js";

const OPTIONS = { entries: 6, "max-retries": 5 };

function tallied(
  faults: string,
  n = 4,
): { readonly trace: Trace; readonly touched: Readonly<Record<string, number>> } {
  const trace = runOf(ricartAgrawalaLab, { n, faults, options: OPTIONS });
  const tally = new FaultTally(parseFaults(faults, processNames(n)));
  for (const event of trace.events) tally.observe(event);
  return { trace, touched: Object.fromEntries(tally.finish().map(({ fault, touched }) => [fault, touched])) };
}

type Drop = TraceEvent & { readonly kind: "drop" };

const count = (trace: Trace, counts: (event: TraceEvent) => boolean) => trace.events.filter(counts).length;
const drops = (trace: Trace, reason: Drop["reason"], also: (drop: Drop) => boolean = () => true) =>
  count(trace, (event) => event.kind === "drop" && event.reason === reason && also(event));

describe("counts what the trace shows of", () => {
  test("loss and corruption: messages dropped for it", () => {
    const { trace, touched } = tallied("loss 10%, corrupt 5%");
    expect(touched).toEqual({ "loss 10%": drops(trace, "loss"), "corrupt 5%": drops(trace, "corrupt") });
    expect(Math.min(...Object.values(touched))).toBeGreaterThan(0);
  });

  test("duplication, reordering and delay: messages doubled, held back, sent", () => {
    const { trace, touched } = tallied("duplicate 20%, reorder 20%, delay 0..5ms");
    expect(touched).toEqual({
      "duplicate 20%": count(trace, ({ kind }) => kind === "duplicate"),
      "reorder 20%": count(trace, (event) => event.kind === "hold" && event.reason === "reorder"),
      "delay 0..5ms": count(trace, ({ kind }) => kind === "send"),
    });
    expect(Math.min(...Object.values(touched))).toBeGreaterThan(0);
  });

  test("partitions: messages between groups, while it lasts", () => {
    const faults =
      "partition P1 P2 | P3 at 0s..30ms, partition P1 | P4 at 60ms..400ms, one-way P2 -> P3 at 400ms..2s";
    const { trace, touched } = tallied(faults);
    const cut = (from: number, to: number, pairs: readonly string[]) =>
      drops(
        trace,
        "partition",
        (drop) => drop.at >= from && drop.at < to && pairs.includes(drop.from + drop.to),
      );
    expect(touched).toEqual({
      "partition P1 P2 | P3 at 0ms..30ms": cut(0, 30_000, ["P1P3", "P3P1", "P2P3", "P3P2"]),
      "partition P1 | P4 at 60ms..400ms": cut(60_000, 400_000, ["P1P4", "P4P1"]),
      "one-way P2 -> P3 at 400ms..2s": cut(400_000, 2_000_000, ["P2P3"]),
    });
    expect(Object.values(touched).reduce((sum, each) => sum + each, 0)).toBe(drops(trace, "partition"));
    expect(Math.min(...Object.values(touched))).toBeGreaterThan(0);
  });

  test("refused connections, failed sends and failed receptions: messages of that process", () => {
    const { trace, touched } = tallied(
      "refuse P1 at 0s..50ms, fail-send P2 at 60ms..400ms, fail-receive P3 at 400ms..2s",
    );
    expect(touched).toEqual({
      "refuse P1 at 0ms..50ms": drops(trace, "refused"),
      "fail-send P2 at 60ms..400ms": drops(trace, "failed-send", ({ from }) => from === "P2"),
      "fail-receive P3 at 400ms..2s": drops(trace, "failed-receive", ({ to }) => to === "P3"),
    });
    expect(Math.min(...Object.values(touched))).toBeGreaterThan(0);
  });

  test("crashes, restarts, pauses, clocks and full disks: how often it happened, each to its own", () => {
    const { touched } = tallied(
      "crash P2 at 5ms, restart P2 at 10ms, crash P2 at 20ms, restart P2 at 30ms, crash P3 at 40ms, " +
        "pause P1 at 5ms..10ms, pause P1 at 15ms..20ms, pause P4 at 50s..51s, " +
        "clock P1 +1s at 5ms, clock P1 +1s at 8ms, clock P4 +1s at 1ms, disk-full P1 at 1ms..2ms",
    );
    expect(touched).toEqual({
      "crash P2 at 5ms": 1,
      "restart P2 at 10ms": 1,
      "crash P2 at 20ms": 1,
      "restart P2 at 30ms": 1,
      "crash P3 at 40ms": 1,
      "pause P1 at 5ms..10ms": 1,
      "pause P1 at 15ms..20ms": 1,
      "pause P4 at 50s..51s": 1,
      "clock P1 +1s at 5ms": 1,
      "clock P1 +1s at 8ms": 1,
      "clock P4 +1s at 1ms": 1,
      "disk-full P1 at 1ms..2ms": 1,
    });
  });

  test("a crash that came after the run's end: nothing", () => {
    const plan = parseFaults("crash P2 at 5ms, restart P2 at 6ms, crash P2 at 50s", ["P1", "P2"]);
    const tally = new FaultTally(plan);
    tally.observe({ process: "P2", number: 1, at: 5_000, kind: "crash" });
    expect(tally.finish().map(({ touched }) => touched)).toEqual([1, 0, 0]);
  });
});

describe("a fault is not credited with another's work", () => {
  test("by a name that begins like its own", () => {
    const plan = parseFaults("clock P1 +1s, clock P10 +1s at 1ms", processNames(10));
    const tally = new FaultTally(plan);
    tally.observe({
      process: "net",
      number: 1,
      at: 1_000,
      kind: "fault",
      fault: "clock P10 +1s",
      phase: "begin",
    });
    expect(tally.finish().map(({ touched }) => touched)).toEqual([0, 1]);
  });

  test("on a link where a later entry of the plan replaces it", () => {
    const { trace, touched } = tallied("loss 10%, P1->P3 loss 40%, *->P2 loss 0%");
    const onP1P3 = drops(trace, "loss", ({ from, to }) => from === "P1" && to === "P3");
    expect(touched).toEqual({ "loss 10%": drops(trace, "loss") - onP1P3, "P1->P3 loss 40%": onP1P3 });
    expect(onP1P3).toBeGreaterThan(0);
    expect(tallied("P1->P3 loss 40%, loss 10%").touched["P1->P3 loss 40%"]).toBe(0);
  });

  test("and a rate of nothing is no fault", () => {
    expect(tallied("loss 0%, delay 0ms, duplicate 0%").touched).toEqual({});
  });
});

test("after a reset it counts anew", () => {
  const tally = new FaultTally(parseFaults("crash P2 at 5ms", ["P1", "P2"]));
  for (let run = 0; run < 2; run++) {
    tally.reset();
    tally.observe({ process: "P2", number: 1, at: 5_000, kind: "crash" });
    expect(tally.finish()).toEqual([{ fault: "crash P2 at 5ms", touched: 1 }]);
  }
});
