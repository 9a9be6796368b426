import { describe, expect, test } from "vitest";
import { clockMonotonic } from "./clock-monotonic.js";
import { clockBound, clockPrecision } from "./clock-precision.js";
import { correctionsInOrder, faultTolerantMean, oneMasterPerEpoch, roundCost } from "./clock-rounds.js";
import { ClockRun } from "./clock-run.test-helper.js";
import { clocksWereApart, correctionArrived, masterFailedOver, outlierLeftOut } from "./clock-witnesses.js";
import type { Checker } from "./checker.js";
import { checkTrace } from "./check-trace.js";
import { toldOf } from "./hand-made.test-helper.js";
import { externalPrecision } from "./external-precision.js";
import { offsetAccuracy } from "./offset-accuracy.js";
import { trustedMajority } from "./trusted-majority.js";

const BOUND = { driftPpm: 100, period: 1_000_000, span: 100_000, roundTripMax: 400, delayMin: 0 };
/** As in the paper: 20 ppm, 4 minutes. */
const TEMPO = { driftPpm: 20, period: 240_000_000, span: 0, roundTripMax: 10_000, delayMin: 0 };
const outcome = (checker: Checker, run: ClockRun) =>
  checkTrace(run.trace(), [checker], []).checks[0]?.outcome;

describe("clock-precision", () => {
  const precision = clockPrecision(() => BOUND);

  test("2E + 2ρ(τ+W): E = 3 ms, ρ = 20 ppm, τ = 240 s make 15.6 ms", () => {
    expect(clockBound(TEMPO, 3_000)).toBe(15_600);
    expect(clockBound(TEMPO, 3_000, 480_000_000)).toBe(25_200);
  });

  test("holds as long as clocks of a round are within it, and is violated just above", () => {
    const apart = (by: number) => {
      const run = new ClockRun().starts([0, 500_000]).round(1, 1, { P1: 0, P2: 500_000 });
      return run.clock("P1", 2, 0).clock("P2", 3, by);
    };
    // 2E is 200 µs, 2ρ(τ+W) 220, and P2 was seen 1 ms after P1.
    expect(toldOf(precision, apart(424).trace())).toEqual([]);
    expect(toldOf(precision, apart(426).trace())).toMatchInlineSnapshot(`
      [
        "P2 and P1 are 426 µs apart at P2:3, after round 1 of epoch 1; at most 420 µs are allowed [P2:3]",
      ]
    `);
  });

  test("is violated by a round that counts what was under way too long", () => {
    const late = { clocks: [{ process: "P1", offset: 0, error: 201 }] };
    expect(toldOf(precision, new ClockRun().round(1, 1, { P1: 0 }, late).trace())).toHaveLength(1);
  });

  test("a correction that is under way counts as made", () => {
    const run = new ClockRun().starts([0, 500_000]).round(1, 1, { P1: 0, P2: 500_000 });
    run.clock("P1", 2, 0).clock("P2", 3, 500_000, { left: -500_000 });
    expect(outcome(precision, run)).toBe("holds");
  });

  test("clocks of different rounds, or of a process that is down, are not compared", () => {
    const run = new ClockRun().starts().round(1, 1, { P1: 0, P2: 0 });
    run.clock("P1", 2, 0).clock("P2", 3, 90_000, { round: [1, 2] });
    expect(outcome(precision, run)).toBe("idle");
  });

  test("says nothing after somebody set a host's clock, until a later round", () => {
    const set = (later: boolean) => {
      const run = new ClockRun().starts().round(1, 1, { P1: 0, P2: 0 }).clock("P1", 2, 0).clock("P2", 3, 0);
      run.seen("P2", 10, 250_000).seen("P2", 11);
      if (later) run.round(20, 2, { P1: 0, P2: 0 }).clock("P1", 21, 0, { round: [1, 2] });
      if (later) run.clock("P2", 22, 90_000, { round: [1, 2] });
      return run;
    };
    expect(toldOf(precision, set(false).trace())).toEqual([]);
    expect(toldOf(precision, set(true).trace())).toHaveLength(1);
  });
});

describe("clock-monotonic", () => {
  const monotonic = clockMonotonic(() => 1_000_000);

  test("holds for slews, and for steps that are large enough", () => {
    const run = new ClockRun().starts([0, 50_000, -9_000_000]);
    run.clock("P2", 1, 50_000, { left: -50_000 }).clock("P3", 1, 0, { cause: "step" });
    expect(outcome(monotonic, run)).toBe("holds");
  });

  test("is violated by a small step, by a jump that calls itself a slew, and by another reading than the course gives", () => {
    const small = new ClockRun().starts([0, 50_000]).clock("P2", 1, 0, { cause: "step" });
    expect(toldOf(monotonic, small.trace())).toMatchInlineSnapshot(`
      [
        "P2 jumps by -50000 µs at P2:3; up to 1000000 µs it must slew [P2:3]",
      ]
    `);
    const jump = new ClockRun().starts([0, 50_000]).clock("P2", 1, 0);
    expect(toldOf(monotonic, jump.trace())).toHaveLength(1);
    const back = new ClockRun().starts([0, 50_000]).clock("P2", 1, 0, { cause: "held" });
    expect(toldOf(monotonic, back.trace())).toMatchInlineSnapshot(`
      [
        "P2 runs backward by 49000 µs at P2:3 [P2:3]",
      ]
    `);
  });
});

describe("offset-accuracy", () => {
  const accuracy = offsetAccuracy(() => 0);

  test("an offset may be wrong by half its round trip, and no more", () => {
    const measured = (offset: number) => new ClockRun().starts([0, 500]).round(5, 1, { P1: 0, P2: offset });
    expect(toldOf(accuracy, measured(604).trace())).toEqual([]);
    expect(toldOf(accuracy, measured(605).trace())).toMatchInlineSnapshot(`
      [
        "P1 measured at P1:3 that P2 is 605 µs ahead, to 100 µs; it is 500 µs [P1:3]",
      ]
    `);
  });

  test("a clock that was corrected meanwhile is not judged", () => {
    const run = new ClockRun().starts([0, 500]).clock("P2", 4.5, 0, { cause: "held" });
    expect(outcome(accuracy, run.round(5, 1, { P1: 0, P2: 500 }))).toBe("idle");
  });
});

describe("fault-tolerant-mean", () => {
  const run = (offsets: Record<string, number>, told = {}) => new ClockRun().round(1, 1, offsets, told);

  test("holds for the mean of the largest set, whoever is left out", () => {
    expect(toldOf(faultTolerantMean, run({ P1: 0, P2: 40 }).trace())).toEqual([]);
    const without = { averaged: ["P2", "P3"], average: 5_050 };
    expect(toldOf(faultTolerantMean, run({ P1: 0, P2: 5_000, P3: 5_100 }, without).trace())).toEqual([]);
  });

  test.each([
    [{ P2: 40 }, {}],
    [{ P1: 0, P2: 5_000 }, {}],
    [
      { P1: 0, P2: 40 },
      { averaged: ["P1"], average: 0 },
    ],
    [{ P1: 0, P2: 40 }, { averaged: ["P1", "P3"] }],
    [{ P1: 0, P2: 40 }, { average: 25 }],
  ] as const)("is violated by %j, of which %j is told", (offsets, told) => {
    expect(toldOf(faultTolerantMean, run(offsets, told).trace())).toHaveLength(1);
  });
});

test("corrections-in-order is violated by the same round again, and by an older one", () => {
  const rounds = (...ids: (readonly [number, number])[]) => {
    const run = new ClockRun().starts();
    for (const [i, round] of ids.entries()) run.clock("P2", i + 1, 0, { round });
    return toldOf(correctionsInOrder, run.trace());
  };
  expect(rounds([1, 1], [1, 2], [2, 2], [6, 1])).toEqual([]);
  expect(rounds([1, 2], [1, 2])).toHaveLength(1);
  expect(rounds([2, 1], [1, 9])).toMatchInlineSnapshot(`
    [
      "P2 is corrected by round 9 of epoch 1 at P2:4, after round 1 of epoch 2 at P2:3 [P2:4 P2:3]",
    ]
  `);
});

test("one-master-per-epoch is violated by two of the same", () => {
  const masters = (epoch: number) =>
    new ClockRun().output("P1", { kind: "master", epoch: 1 }).output("P2", { kind: "master", epoch });
  expect(toldOf(oneMasterPerEpoch, masters(2).trace())).toEqual([]);
  expect(toldOf(oneMasterPerEpoch, masters(1).trace())).toHaveLength(1);
});

describe("round-cost", () => {
  const cost = roundCost({
    formula: "(2m+2)(n-1)",
    kinds: ["poll"],
    of: ({ processes: { length } }) => ({ messages: 4 * (length - 1), corrections: length }),
  });
  const run = (messages: number, corrected: number, rule = "bk.poll") => {
    const told = new ClockRun().starts().explain("P1", rule).round(1, 1, { P1: 0, P2: 0, P3: 0 });
    for (let i = 0; i < messages; i++) told.send("P1", "P2", { kind: "poll" });
    for (const process of ["P1", "P2", "P3"].slice(0, corrected)) told.clock(process, 2, 0);
    return told;
  };

  test("holds for (2m+2)(n-1) messages and n corrections", () => {
    expect(outcome(cost, run(8, 3))).toBe("holds");
  });

  test("is violated by one message or one correction more or less", () => {
    for (const wrong of [run(7, 3), run(9, 3), run(8, 2)])
      expect(toldOf(cost, wrong.trace())).toHaveLength(1);
  });

  test("says nothing when an answer came too late", () => {
    expect(outcome(cost, run(7, 3, "bk.late"))).toBe("idle");
  });
});

describe("witnesses", () => {
  const shown = (run: ClockRun, witness: Parameters<typeof checkTrace>[2][number]) =>
    checkTrace(run.trace(), [], [witness]).witnesses[0];

  test("clocks were apart only when they really were", () => {
    expect(shown(new ClockRun().starts([0, 1_000]), clocksWereApart(1_000))?.shownBy).toBeUndefined();
    expect(shown(new ClockRun().starts([0, 1_001]), clocksWereApart(1_000))?.shownBy).toBe("P2:2");
  });

  test("a correction arrives when its slew is over", () => {
    const run = new ClockRun().starts().clock("P2", 1, 0, { left: 10 });
    expect(shown(run, correctionArrived)?.shownBy).toBeUndefined();
    expect(shown(run.clock("P2", 2, 10, { cause: "arrived" }), correctionArrived)?.shownBy).toBe("P2:4");
  });

  test("an outlier is expected of the runs in its scope only", () => {
    const run = new ClockRun().round(1, 1, { P1: 0, P2: 40 });
    const never = outlierLeftOut({ runs: "no runs", includes: () => false });
    expect(shown(run, never)).toMatchObject({ outOfScope: true });
    const without = new ClockRun().round(1, 1, { P1: 0, P2: 9_000 }, { averaged: ["P1"], average: 0 });
    expect(shown(without, never)?.shownBy).toBe("P1:1");
  });

  test("a fail-over is expected when the first process is lost for good", () => {
    const scoped = (faults: string) => shown(new ClockRun({ faults }), masterFailedOver)?.outOfScope;
    expect(scoped("loss 5%, crash P1 at 3s")).toBeUndefined();
    expect(scoped("crash P1 at 3s, restart P1 at 4s")).toBe(true);
    expect(scoped("crash P2 at 3s")).toBe(true);
  });
});

describe("external-precision", () => {
  const precision = externalPrecision(() => 0);
  /** P1 trusts P2, measured 500 µs ahead to within 100, and then shows `ahead`. */
  const corrected = (ahead: number) =>
    new ClockRun()
      .starts([0, 500])
      .round(1, 1, { P1: 0, P2: 500 }, { averaged: ["P2"], average: 500 })
      .clock("P1", 2, ahead);

  test("a client may be as far from a server that it trusts as its round says, and no further", () => {
    expect(toldOf(precision, corrected(604).trace())).toEqual([]);
    expect(toldOf(precision, corrected(605).trace())).toMatchInlineSnapshot(`
      [
        "P1 is 105 µs from P2 at P1:4; its round 1 says at most 100 µs [P1:4]",
      ]
    `);
  });

  test("nothing is judged before the correction is made", () => {
    const run = new ClockRun().starts([0, 500]).round(1, 1, { P1: 0, P2: 500 }, { averaged: ["P2"] });
    expect(outcome(precision, run)).toBe("idle");
  });
});

test("trusted-majority is violated by a minority that is trusted, and by a time that most say cannot be", () => {
  const round = (averaged: readonly string[], average: number) =>
    toldOf(
      trustedMajority,
      new ClockRun().round(1, 1, { P1: 0, P2: 0, P3: 10, P4: 9_000 }, { averaged, average }).trace(),
    );
  expect(round(["P2", "P3"], 5)).toEqual([]);
  expect(round(["P2"], 0)).toHaveLength(1);
  expect(round(["P2", "P3", "P4"], 3_000)).toMatchInlineSnapshot(`
    [
      "P1 moves its clock by 3000 µs at P1:1, trusting 3 of 3 servers; 0 of them say that this can be [P1:1]",
    ]
  `);
});
