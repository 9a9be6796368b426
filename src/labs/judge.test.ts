import { describe, expect, test } from "vitest";
import { explained, type Checker } from "../checkers/index.js";
import type { Trace, TraceEnd } from "../trace/index.js";
import { causalBroadcastLab } from "./causal-broadcast.js";
import { judge } from "./judge.js";
import type { Lab } from "./lab.js";
import { runOf } from "./lab-run.test-helper.js";
import { ricartAgrawalaLab } from "./ricart-agrawala.js";

const calm: Lab = { ...ricartAgrawalaLab, checkers: [], witnesses: [] };

const complaint: Checker = {
  name: "complaint",
  claim: "all is well",
  begin: () => ({
    observe: () => {},
    finish: () => [{ checker: "complaint", message: "all is not well", evidence: ["P1:1"] }],
  }),
};

const ended = (trace: Trace, end: TraceEnd): Trace => ({ ...trace, end });

test("a run that shows what it claims passes, without a reason", () => {
  const trace = runOf(ricartAgrawalaLab, { faults: "loss 20%, duplicate 20%" });
  const report = judge(ricartAgrawalaLab, trace);
  expect(report).toMatchObject({ verdict: "pass", reasons: [], violations: [], stopped: "quiescent" });
  expect(report.events).toBe(trace.events.length);
  expect(report.messages).toBe(trace.events.filter(({ kind }) => kind === "send").length);
  expect(report.faults.map(({ fault }) => fault)).toEqual(["loss 20%", "duplicate 20%"]);
});

describe("a run fails", () => {
  test("on a violation, whatever else may be said of it", () => {
    const trace = ended(runOf(calm), { stopped: "time-limit" });
    const report = judge({ ...calm, checkers: [complaint] }, trace);
    expect(report.verdict).toBe("fail");
    expect(report.reasons[0]).toBe("all is not well");
    expect(report.violations[0]?.evidence).toEqual(["P1:1"]);
  });

  test("when a process broke down by itself", () => {
    const trace = ended(runOf(calm), { stopped: "failed", detail: "P2 ran out of memory" });
    expect(judge(calm, trace)).toMatchObject({
      verdict: "fail",
      reasons: ["the run broke down: P2 ran out of memory"],
    });
  });
});

describe("a run is inconclusive", () => {
  test("when a planned fault touched nothing", () => {
    const report = judge(calm, runOf(calm, { faults: "duplicate 0.0001%, fail-send P2 at 50s..51s" }));
    expect(report.verdict).toBe("inconclusive");
    expect(report.reasons).toMatchInlineSnapshot(`
      [
        "the fault "duplicate 0.0001%" touched nothing",
        "the fault "fail-send P2 at 50s..51s" touched nothing",
      ]
    `);
  });

  test("when a witness is missing", () => {
    const lab = { ...calm, witnesses: [explained("miracle", "a miracle happened", ["miracle"])] };
    const report = judge(lab, runOf(lab));
    expect(report.verdict).toBe("inconclusive");
    expect(report.reasons).toMatchInlineSnapshot(`
      [
        "it did not come to it that a miracle happened (miracle)",
      ]
    `);
    const alone = runOf(causalBroadcastLab, { options: { questions: 1, answers: 0, think: 0 }, n: 2 });
    expect(judge(causalBroadcastLab, alone).verdict).toBe("inconclusive");
  });

  test("when it ended before it was done", () => {
    const trace = runOf(calm);
    const reasons = (["time-limit", "event-limit", "interrupted"] as const).map((stopped) => {
      const report = judge(calm, ended(trace, { stopped }));
      expect(report.verdict).toBe("inconclusive");
      return report.reasons;
    });
    expect(reasons).toMatchInlineSnapshot(`
      [
        [
          "the time limit of 1m came before the run was done",
        ],
        [
          "the limit on steps came before the run was done",
        ],
        [
          "the run was interrupted",
        ],
      ]
    `);
  });

  test("when its time limit came, as the simulator says", () => {
    const report = judge(calm, runOf(calm, { duration: 30_000 }));
    expect(report).toMatchObject({ verdict: "inconclusive", stopped: "time-limit" });
    expect(report.reasons).toEqual(["the time limit of 30ms came before the run was done"]);
  });
});

test("a fault that was planned and touched something is no reason", () => {
  expect(judge(calm, runOf(calm, { faults: "fail-send P2 at 0s..100ms" })).verdict).toBe("pass");
});
