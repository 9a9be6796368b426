import { HOUR, MILLISECOND, MINUTE, SECOND, UsageError, type RunSettings } from "../core/index.js";
import { ClockCourse } from "../clocks/index.js";
import {
  clockMonotonic,
  clockPrecision,
  clocksWereApart,
  correctionArrived,
  correctionsInOrder,
  faultTolerantMean,
  masterFailedOver,
  offsetAccuracy,
  oneMasterPerEpoch,
  outlierLeftOut,
  receiveHasSend,
  recordedClocks,
  roundCost,
  type ClockBound,
} from "../checkers/index.js";
import { berkeley, BERKELEY_DEFAULTS, berkeleyNarration, faultTolerantAverage } from "../protocols/index.js";
import { clockChart } from "./clock-chart.js";
import { clockReadings, clocksOption } from "./clock-readings.js";
import type { Lab } from "./lab.js";

/** What of a run's settings decides how close its clocks stay. */
function boundOf({ options }: { readonly options: RunSettings["options"] }): ClockBound {
  const [samples, patience] = [Number(options["samples"]), Number(options["patience"])];
  return {
    driftPpm: Number(options["drift"]),
    period: Number(options["period"]),
    span: (samples + BERKELEY_DEFAULTS.attempts) * patience,
    roundTripMax: patience,
    delayMin: Number(options["delay-min"]),
  };
}

/** Whether some clock is too far out at first to be averaged. */
function hasOutlier(run: RunSettings): boolean {
  try {
    const readings = clockReadings(run);
    const [master = 0] = readings;
    const offsets = readings.map((reading) => reading - master);
    return faultTolerantAverage(offsets, Number(run.options["gamma"])).members.length < readings.length;
  } catch (error) {
    // A trace from elsewhere may carry options that no run could have had: nothing is expected of it.
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/** Clocks kept together by averaging: the laboratory's eighth experiment, over a network, with faults. */
export const berkeleyLab: Lab = {
  id: "berkeley",
  title: "Clocks that keep together by averaging",
  summary:
    "Nobody knows the right time. A master asks how far everyone's clock is from its own, averages those that agree, and " +
    "tells each how far to move; clocks are slewed, so that time never runs backward. When the master is lost, the " +
    "others elect another.",
  processes: { min: 2, usual: 4, max: 100 },
  options: [
    clocksOption,
    { name: "rounds", summary: "rounds until they rest", kind: "integer", usual: 10, min: 0, max: 100_000 },
    {
      name: "period",
      summary: "τ, from one round to the next",
      kind: "duration",
      usual: SECOND,
      min: MILLISECOND,
      max: 24 * HOUR,
    },
    {
      name: "samples",
      summary: "m, polls of each clock in a round",
      kind: "integer",
      usual: 5,
      min: 1,
      max: 100,
    },
    {
      name: "patience",
      summary: "how long an answer may take",
      kind: "duration",
      usual: 100 * MILLISECOND,
      min: 1,
      max: MINUTE,
    },
    {
      name: "gamma",
      summary: "γ: clocks that differ by more do not agree",
      kind: "duration",
      usual: 5 * SECOND,
      min: 0,
      max: HOUR,
    },
    {
      name: "slew",
      summary: "σ, how fast a clock is moved: parts per million",
      kind: "integer",
      usual: 200_000,
      min: 1,
      max: ClockCourse.SLEW_PPM_MAX,
    },
    {
      name: "step-beyond",
      summary: "a larger correction is made at once",
      kind: "duration",
      usual: 20 * SECOND,
      min: 0,
      max: HOUR,
    },
    {
      name: "drift",
      summary: "ρ, the most that a clock is trusted to drift: parts per million",
      kind: "integer",
      usual: 100,
      min: 0,
      max: ClockCourse.DRIFT_PPM_MAX,
    },
    {
      name: "delay-min",
      summary: "the least that a message takes, if it is known",
      kind: "duration",
      usual: 0,
      min: 0,
      max: MINUTE,
    },
  ],
  protocol: (run) =>
    berkeley({
      clocks: clockReadings(run),
      rounds: Number(run.options["rounds"]),
      period: Number(run.options["period"]),
      samples: Number(run.options["samples"]),
      patience: Number(run.options["patience"]),
      gamma: Number(run.options["gamma"]),
      slewPpm: Number(run.options["slew"]),
      stepBeyond: Number(run.options["step-beyond"]),
      delayMin: Number(run.options["delay-min"]),
    }),
  faults:
    "delay 1..20ms, loss 5%, clock P1 +0ms drift 50ppm, clock P2 +250ms drift -80ppm, pause P2 at 2500ms..3500ms, crash P1 at 4500ms",
  // Every message alike, so that without faults the offsets are exact and the sums of the textbook come out.
  latency: { min: 500, max: 500 },
  checkers: [
    receiveHasSend,
    recordedClocks,
    clockPrecision(boundOf),
    clockMonotonic(({ options }) => Number(options["step-beyond"])),
    offsetAccuracy(({ options }) => Number(options["drift"])),
    faultTolerantMean,
    correctionsInOrder,
    oneMasterPerEpoch,
    roundCost((options) => Number(options["samples"])),
  ],
  witnesses: [
    clocksWereApart(MILLISECOND),
    correctionArrived,
    outlierLeftOut({ runs: "runs in which a clock is further out than γ", includes: hasOutlier }),
    masterFailedOver,
  ],
  guide: [
    {
      text: "The textbook's four clocks, one round: all show 100.55 s in the end, less the time that passed.",
      command: "lightcone sim berkeley --clocks 100.3s,102.5s,98.4s,101.0s --rounds 1",
    },
    {
      text: "Four real processes; one is paused, the master is killed. Watch each clock come within the bound.",
      command: "lightcone run berkeley -n 4",
    },
    {
      text: "With γ = 2.5 s one clock does not agree: it moves nobody, and is corrected all the same.",
      command: "lightcone sim berkeley --clocks 100.3s,102.5s,98.4s,101.0s --rounds 1 --gamma 2500ms",
    },
    {
      text: "Two groups, two masters; when the network heals, the later epoch's stays.",
      command:
        "lightcone sim berkeley --seed 1 --rounds 12 --faults 'delay 1..5ms, partition P1 P2 | P3 P4 at 1500ms..8s'",
    },
    {
      text: "A thousand schedules with loss, reordering and a crash: the bound holds in all of them.",
      command:
        "lightcone sim berkeley --seeds 1000 --faults 'delay 1..20ms, loss 10%, duplicate 10%, reorder 10%, crash P1 at 3s'",
    },
  ],
  narration: berkeleyNarration,
  chart: (trace, paper) => clockChart(trace, boundOf(trace.header), paper),
};
