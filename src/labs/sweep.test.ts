import { describe, expect, test } from "vitest";
import { explained } from "../checkers/index.js";
import { processNames, UsageError } from "../core/index.js";
import { parseFaults } from "../faults/index.js";
import { judge } from "./judge.js";
import { runOf, type LabRun } from "./lab-run.test-helper.js";
import type { Lab } from "./lab.js";
import { ricartAgrawalaLab } from "./ricart-agrawala.js";
import { runSettings } from "./run-lab.js";
import { FAILURES_MAX, sweep, type SweepReport, type SweepSettings } from "./sweep.js";

function request(seeds: number, run: LabRun = {}, lab: Lab = ricartAgrawalaLab): SweepSettings {
  const processes = processNames(run.n ?? 3);
  return {
    lab,
    reference: lab.id,
    lightcone: "0.0.0",
    settings: runSettings(lab, { processes, seed: run.seed ?? 1, options: run.options ?? {} }),
    faults: parseFaults(run.faults ?? "", processes),
    duration: run.duration ?? 60_000_000,
    seeds,
  };
}

function swept(settings: SweepSettings): SweepReport {
  const reports = sweep(settings);
  for (;;) {
    const { done, value } = reports.next();
    if (done === true) return value;
  }
}

const FAILS = { faults: "crash P2 at 1ms", options: { "max-retries": 2 } };

test("adds up what the single runs of its seeds show", () => {
  const run = { faults: "loss 20%, reorder 20%", seed: 7 };
  const report = swept(request(20, run));
  const singles = Array.from({ length: 20 }, (_, i) =>
    judge(ricartAgrawalaLab, runOf(ricartAgrawalaLab, { ...run, seed: 7 + i })),
  );
  const sum = (of: (single: (typeof singles)[number]) => number) =>
    singles.reduce((total, each) => total + of(each), 0);
  expect(report).toMatchObject({ verdict: "pass", seeds: 20, failed: 0, cutShort: 0 });
  expect(report.events).toBe(sum(({ events }) => events));
  expect(report.messages).toBe(sum(({ messages }) => messages));
  expect(report.faults).toEqual(
    ["loss 20%", "reorder 20%"].map((fault, i) => ({
      fault,
      touched: sum(({ faults }) => faults[i]?.touched ?? 0),
    })),
  );
  expect(report.witnesses.map(({ seeds }) => seeds)).toEqual(
    report.witnesses.map((_, i) => sum(({ witnesses }) => (witnesses[i]?.shownBy === undefined ? 0 : 1))),
  );
});

test("tells how far it is after each seed, and stops when nobody asks for more", () => {
  const seen: number[] = [];
  for (const report of sweep(request(1_000_000))) {
    seen.push(report.seeds);
    if (report.seeds === 3) break;
  }
  expect(seen).toEqual([1, 2, 3]);
});

test("fails when any seed fails; counts all, keeps the first reports, each with the seed that replays it", () => {
  const report = swept(request(15, FAILS));
  expect(report).toMatchObject({ verdict: "fail", seeds: 15, failed: 15 });
  expect(report.reasons).toContain("15 of 15 seeds failed");
  expect(report.failures).toHaveLength(FAILURES_MAX);
  const [, second] = report.failures;
  expect(second?.seed).toBe(2);
  expect(second?.report).toEqual(judge(ricartAgrawalaLab, runOf(ricartAgrawalaLab, { ...FAILS, seed: 2 })));
});

describe("is inconclusive", () => {
  test("when a witness or a fault was met in no seed", () => {
    const lab = {
      ...ricartAgrawalaLab,
      witnesses: [explained("miracle", "a miracle happened", ["miracle"])],
    };
    expect(swept(request(5, {}, lab))).toMatchObject({
      verdict: "inconclusive",
      reasons: ["in no seed did it come to it that a miracle happened (miracle)"],
    });
    const report = swept(
      request(5, { options: { entries: 1, think: 0 }, n: 2, faults: "fail-send P2 at 50s..51s" }),
    );
    expect(report.verdict).toBe("inconclusive");
    expect(report.reasons).toMatchInlineSnapshot(`
      [
        "the fault "fail-send P2 at 50s..51s" touched nothing in any seed",
      ]
    `);
  });

  test("when some run was cut short", () => {
    const report = swept(request(5, { duration: 30_000 }));
    expect(report).toMatchObject({ verdict: "inconclusive", cutShort: 5 });
    expect(report.reasons).toContain("5 of 5 runs were cut short by a limit");
  });
});

test("passes although a single seed lacks a witness, as long as another has it", () => {
  const witnesses = swept(request(50, { options: { entries: 1 } })).witnesses;
  expect(witnesses.some(({ seeds }) => seeds < 50)).toBe(true);
  expect(swept(request(50, { options: { entries: 1 } })).verdict).toBe("pass");
});

test("there is no seed beyond 2^53 - 1", () => {
  expect(() => swept(request(2, { seed: Number.MAX_SAFE_INTEGER }))).toThrow(UsageError);
});
