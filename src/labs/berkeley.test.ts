import { describe, expect, test } from "vitest";
import { clockBound, ClockTracks, clockPrecision, errorMax, roundOutput } from "../checkers/index.js";
import { MILLISECOND, processNames, SECOND } from "../core/index.js";
import { bestPrecision } from "../protocols/index.js";
import type { Trace } from "../trace/index.js";
import { berkeleyLab } from "./berkeley.js";
import { clockReadings } from "./clock-readings.js";
import { judge } from "./judge.js";
import { runOf } from "./lab-run.test-helper.js";
import { runSettings } from "./run-lab.js";

const TEXTBOOK = { clocks: "100.3s,102.5s,98.4s,101.0s", rounds: 1 };
const NETWORK = "delay 1..20ms, loss 10%, duplicate 5%, reorder 10%, crash P1 at 3s";
const BOUND = {
  driftPpm: 100,
  period: SECOND,
  span: SECOND,
  roundTripMax: 100 * MILLISECOND,
  delayMin: 0,
};

/** How far the clocks of those that run are apart in the end, as they show it, and what their last round allows. */
function inTheEnd(trace: Trace): { readonly apart: number; readonly allowed: number } {
  const tracks = new ClockTracks();
  const at = trace.events.at(-1)?.at ?? 0;
  let allowed = 0;
  for (const event of trace.events) {
    tracks.observe(event);
    const round = roundOutput(event);
    if (round === undefined) continue;
    const error = Math.max(...round.clocks.map((clock) => clock.error));
    allowed = clockBound(BOUND, error, at - event.at + round.took);
  }
  const shown = [...tracks.all()].filter(({ up }) => up).map((track) => track.reading(at));
  return { apart: Math.max(...shown) - Math.min(...shown), allowed };
}

describe("the textbook's clocks", () => {
  test("come out exactly, and are charted", () => {
    const trace = runOf(berkeleyLab, { n: 4, options: TEXTBOOK });
    expect(judge(berkeleyLab, trace)).toMatchObject({ verdict: "pass", reasons: [] });
    expect(inTheEnd(trace).apart).toBe(0);
    expect(berkeleyLab.chart?.(trace, { columns: 80 })).toMatchInlineSnapshot(`
      "First round, master P1: average 100.55 s; adjustments P1 +0.25 s, P2 -1.95 s, P3 +2.15 s, P4 -0.45 s.

      Clocks, less the time since the run began; between, how far each is from their median:
              at first  0s                                               11s  in the end
      P1       100.3 s  ▅▅▅▅▅▅▅▄▄▄▃▃········································  100.55 s
      P2       102.5 s  ▇▇▇▇▇▇▇▇▇▇▇▇▇▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▅▅▅▅▅▅▅▅▅▅▄▄▄▄▄▃▂····  100.55 s
      P3        98.4 s  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▅▅▅▅▅▅▅▅▅▅▅▄▄▄▄▃▃  100.55 s
      P4         101 s  ▅▅▅▅▅▅▅▄▄▄▃▃········································  100.55 s
      master            P1
      · within the bound 2E + 2ρ(τ+W), 1.4 ms in the last round, 0.1004 s promised beforehand;
      ▁ to █ above it, half a power of ten each; blank: down."
    `);
    expect(berkeleyLab.chart?.(trace, { columns: 60, ascii: true })).toContain("555");
  });

  test("with γ = 2.5 s the third one is left out, and corrected", () => {
    const trace = runOf(berkeleyLab, { n: 4, options: { ...TEXTBOOK, gamma: 2_500 * MILLISECOND } });
    const chart = berkeleyLab.chart?.(trace, { columns: 80 });
    expect(chart).toContain(
      "average 101.266667 s; adjustments P1 +0.966667 s, P2 -1.233333 s, P3 +2.866667 s",
    );
    expect(inTheEnd(trace).apart).toBe(0);
  });
});

test("in every one of 300 seeds the clocks are judged, and show times within the bound in the end", () => {
  const precision = clockPrecision(() => BOUND);
  for (let seed = 0; seed < 300; seed++) {
    const trace = runOf(berkeleyLab, { n: 4, seed, faults: NETWORK, options: { rounds: 8 } });
    const { checks } = judge({ ...berkeleyLab, checkers: [precision] }, trace);
    expect([seed, checks[0]?.outcome]).toEqual([seed, "holds"]);
    const { apart, allowed } = inTheEnd(trace);
    expect(apart, `seed ${seed}`).toBeLessThanOrEqual(allowed);
  }
});

test("what is promised beforehand is never better than Lundelius and Lynch allow", () => {
  for (const delayMin of [0, 1, 20, 49].map((ms) => ms * MILLISECOND)) {
    for (const processes of [2, 4, 100]) {
      const bound = { ...BOUND, driftPpm: 0, delayMin };
      // A round trip that counts leaves either way from the least delay to what the other way leaves over.
      const uncertainty = bound.roundTripMax - 2 * delayMin;
      expect(clockBound(bound, errorMax(bound))).toBeGreaterThanOrEqual(
        bestPrecision(uncertainty, processes),
      );
    }
  }
});

describe("--clocks", () => {
  const settings = (clocks: string, n = 4) =>
    clockReadings(runSettings(berkeleyLab, { processes: processNames(n), seed: 1, options: { clocks } }));

  test("names a reading for each process, or draws them from the seed", () => {
    expect(settings("1s,2s,3s,1h")).toEqual([1, 2, 3, 3_600].map((seconds) => seconds * SECOND));
    expect(settings("random")).toEqual(settings("random"));
    expect(new Set(settings("random")).size).toBe(4);
  });

  test.each([
    ["1s,2s", "--clocks names 2 clocks for 4 processes"],
    ["1s,2s,3s,later", '--clocks: "later" is not a duration'],
    ["1s,2s,3s,-4s", '--clocks: "-4s" is not a duration'],
    ["", "--clocks names 1 clock for 4 processes"],
    ["1s,2s,3s,9999999h", "longer than a year"],
  ])("%j is refused", (clocks, reason) => {
    expect(() => settings(clocks)).toThrow(reason);
  });
});
