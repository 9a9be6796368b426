import { HOUR, MILLISECOND, SECOND, UsageError, type RunSettings } from "../core/index.js";
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
import { boundOfSamples, timeOptions, timeSettings } from "./time-options.js";

/** What of a run's settings decides how close its clocks stay. */
function boundOf(run: Pick<RunSettings, "options">): ClockBound {
  return boundOfSamples(run, Number(run.options["samples"]) + BERKELEY_DEFAULTS.attempts);
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
    ...timeOptions,
    {
      name: "samples",
      summary: "m, polls of each clock in a round",
      kind: "integer",
      usual: 5,
      min: 1,
      max: 100,
    },
    {
      name: "gamma",
      summary: "γ: clocks that differ by more do not agree",
      kind: "duration",
      usual: 5 * SECOND,
      min: 0,
      max: HOUR,
    },
  ],
  protocol: (run) =>
    berkeley({
      ...timeSettings(run),
      clocks: clockReadings(run),
      samples: Number(run.options["samples"]),
      gamma: Number(run.options["gamma"]),
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
    roundCost({
      formula: "(2m+2)(n-1)",
      kinds: ["poll", "answer", "adjust", "ack"],
      of: ({ processes: { length }, options }) => ({
        messages: (2 * Number(options["samples"]) + 2) * (length - 1),
        corrections: length,
      }),
    }),
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
