import { describe, expect, test } from "vitest";
import { fillTemplate } from "../diagram/index.js";
import { parseFaults } from "../faults/index.js";
import { processNames } from "../core/index.js";
import type { Trace, TraceEvent } from "../trace/index.js";
import { labs } from "./catalogue.js";
import { causalBroadcastLab } from "./causal-broadcast.js";
import { judge } from "./judge.js";
import { fewRetries, runOf } from "./lab-run.test-helper.js";
import { ricartAgrawalaLab } from "./ricart-agrawala.js";
import { runSettings } from "./run-lab.js";
import { sweep } from "./sweep.js";

const STORM = "loss 15%, duplicate 15%, reorder 20%, delay 0..40ms";

/** What the algorithm itself sent: what its link carries, once. */
function algorithmMessages(trace: Trace): number {
  return trace.events.filter((event) => event.kind === "send" && isData(event.message)).length;
}

function isData(message: unknown): boolean {
  return typeof message === "object" && message !== null && "body" in message;
}

function entries(trace: Trace): number {
  return trace.events.filter((event) => isOutput(event, "entered")).length;
}

function isOutput(event: TraceEvent, kind: string): boolean {
  const value = event.kind === "output" ? event.value : undefined;
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}

describe("Ricart–Agrawala", () => {
  test.each([2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "without faults, %d processes need 2(n-1) messages per entry",
    (n) => {
      for (const seed of [1, 2, 3]) {
        const trace = runOf(ricartAgrawalaLab, { n, seed });
        expect(entries(trace)).toBe(2 * n);
        expect(algorithmMessages(trace)).toBe(2 * (n - 1) * entries(trace));
        expect(judge(ricartAgrawalaLab, trace).violations).toEqual([]);
      }
    },
  );

  test("does not tolerate a crash: those who ask the dead process wait for ever, and the verdict says so", () => {
    const options = { "max-retries": 3 };
    const trace = runOf(ricartAgrawalaLab, { faults: "crash P2 at 30ms", options });
    const report = judge(ricartAgrawalaLab, trace);
    expect([report.verdict, report.stopped]).toEqual(["fail", "quiescent"]);
    expect(new Set(report.violations.map(({ checker }) => checker))).toEqual(
      new Set(["every-request-served"]),
    );
    expect(report.violations[0]?.message).toMatchInlineSnapshot(
      `"P1 waits for ever: its request (3, P1) of P1:26 was never granted, and nothing is left to happen; P2 crashed and never came back"`,
    );
    // With its retries it is still trying when the time is up, and nobody can tell "never" from "not yet".
    const patient = judge(ricartAgrawalaLab, runOf(ricartAgrawalaLab, { faults: "crash P2 at 30ms" }));
    expect([patient.verdict, patient.stopped]).toEqual(["inconclusive", "time-limit"]);
  });

  test("does not tolerate a crash in any of 50 seeds, if it comes before all are served", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const faults = "crash P2 at 1ms";
      const report = judge(
        ricartAgrawalaLab,
        runOf(ricartAgrawalaLab, { seed, faults, options: { "max-retries": 2 } }),
      );
      expect(report.violations.map(({ checker }) => checker)).toEqual([
        "every-request-served",
        "every-request-served",
      ]);
    }
  });
});

describe("causal broadcast", () => {
  test("everybody reads every note, and no answer before its question", () => {
    const trace = runOf(causalBroadcastLab, { n: 5, seed: 3, faults: STORM });
    const read = new Map<string, string[]>();
    for (const event of trace.events) {
      if (event.kind !== "deliver" || event.layer !== "causal-broadcast") continue;
      const note = event.message as { readonly id: string; readonly answers?: string };
      const known = read.get(event.process) ?? [];
      if (note.answers !== undefined) expect(known).toContain(note.answers);
      read.set(event.process, [...known, note.id]);
    }
    const boards = [...read.values()].map((notes) => notes.toSorted());
    expect(boards).toHaveLength(5);
    for (const board of boards) expect(board).toEqual(boards[0]);
    expect(boards[0]?.length).toBeGreaterThanOrEqual(10);
  });

  test("a broadcast costs n-1 messages", () => {
    const trace = runOf(causalBroadcastLab, { n: 6, seed: 2 });
    const broadcasts = trace.events.filter(({ kind }) => kind === "command").length;
    expect(algorithmMessages(trace)).toBe(5 * broadcasts);
  });
});

describe.each(labs)("$id", (lab) => {
  test("200 seeds under loss, duplication, reordering and delay pass", () => {
    const processes = processNames(3);
    const settings = runSettings(lab, { processes, seed: 1 });
    const faults = parseFaults(STORM, processes);
    let last;
    for (last of sweep({
      lab,
      reference: lab.id,
      lightcone: "0.0.0",
      settings,
      faults,
      duration: 60_000_000,
      seeds: 200,
    }));
    expect(last).toMatchObject({ verdict: "pass", reasons: [], seeds: 200, failed: 0, cutShort: 0 });
  });

  test("through crashes and restarts its links stay honest, whatever becomes of the algorithm", () => {
    const faults = `${STORM}, crash P2 at 30ms, restart P2 at 45ms, pause P1 at 40ms..80ms, crash P1 at 70ms, restart P1 at 90ms`;
    for (let seed = 1; seed <= 100; seed++) {
      const { violations } = judge(lab, runOf(lab, { seed, faults, options: fewRetries(lab, 4) }));
      const ofLinks = violations.filter(({ checker }) =>
        ["receive-has-send", "at-most-once:reliable"].includes(checker),
      );
      expect(ofLinks).toEqual([]);
    }
  });

  test("every rule that is explained in 200 seeds has a sentence, with nothing left to fill in", () => {
    const told = new Set<string>();
    const untold = new Set<string>();
    for (let seed = 1; seed <= 200; seed++) {
      for (const event of runOf(lab, { seed, faults: STORM }).events) {
        if (event.kind !== "explain") continue;
        told.add(event.rule);
        const template = lab.narration[event.rule];
        const sentence = template === undefined ? event.rule : fillTemplate(template, event.terms);
        if (template === undefined || /[{}]|undefined|\[object/.test(sentence)) untold.add(sentence);
      }
    }
    expect([...untold]).toEqual([]);
    expect(told.size).toBeGreaterThan(3);
  });

  test("its usual faults parse, and its usual options are within their own bounds", () => {
    const processes = processNames(lab.processes.usual);
    expect(parseFaults(lab.faults, processes)).toBeDefined();
    const { options } = runSettings(lab, { processes, seed: 1 });
    expect(runSettings(lab, { processes, seed: 1, options }).options).toEqual(options);
  });

  test("runs with as few processes as it says", () => {
    const trace = runOf(lab, { n: lab.processes.min });
    expect(judge(lab, trace).violations).toEqual([]);
    expect(trace.end.stopped).toBe("quiescent");
  });
});
