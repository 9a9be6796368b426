import { MILLISECOND } from "../core/index.js";
import {
  clockMonotonic,
  clocksWereApart,
  correctionArrived,
  correctionsInOrder,
  externalPrecision,
  offsetAccuracy,
  receiveHasSend,
  recordedClocks,
  roundCost,
} from "../checkers/index.js";
import { cristian, cristianNarration } from "../protocols/index.js";
import { clockChart } from "./clock-chart.js";
import { clockReadings, clocksOption } from "./clock-readings.js";
import type { Lab } from "./lab.js";
import { boundOfSamples, timeOptions, timeSettings } from "./time-options.js";

const ATTEMPTS = 5;

/** Clocks kept to a server's, each reply taken for half a round trip old. */
export const cristianLab: Lab = {
  id: "cristian",
  title: "Clocks that ask a server for the time",
  summary:
    "P1 has the right time. The others ask it, and take the reply for half a round trip old; the faster it came, the " +
    "surer they are. A reply that took too long is not taken.",
  processes: { min: 2, usual: 3, max: 100 },
  options: [clocksOption, ...timeOptions],
  protocol: (run) => cristian({ ...timeSettings(run), clocks: clockReadings(run), attempts: ATTEMPTS }),
  faults: "delay 1..30ms, loss 15%, duplicate 20%, reorder 20%, clock P2 +250ms drift -80ppm",
  // Every message alike, so that without faults a reply is exactly half a round trip old.
  latency: { min: 500, max: 500 },
  checkers: [
    receiveHasSend,
    recordedClocks,
    externalPrecision(({ options }) => Number(options["drift"])),
    clockMonotonic(({ options }) => Number(options["step-beyond"])),
    offsetAccuracy(({ options }) => Number(options["drift"])),
    correctionsInOrder,
    roundCost({ formula: "2", kinds: ["request", "reply"], of: () => ({ messages: 2, corrections: 1 }) }),
  ],
  witnesses: [clocksWereApart(MILLISECOND), correctionArrived],
  guide: [
    {
      text: "The textbook's four clocks, all brought to the first one's time.",
      command: "lightcone sim cristian -n 4 --clocks 100.3s,102.5s,98.4s,101.0s --rounds 1",
    },
    {
      text: "Real processes over a slow network: what is left is at most half a round trip.",
      command: "lightcone run cristian",
    },
    {
      text: "Ways of different length cannot be told apart: all clocks are wrong by half the difference, and within the bound.",
      command: "lightcone sim cristian --seed 1 --faults 'P1->P2 delay 40ms, P1->P3 delay 40ms'",
    },
    {
      text: "The server is lost: the clocks drift until it is back.",
      command: "lightcone sim cristian --seed 1 --faults 'crash P1 at 2500ms, restart P1 at 5500ms'",
    },
  ],
  narration: cristianNarration,
  chart: (trace, paper) => clockChart(trace, boundOfSamples(trace.header, ATTEMPTS), paper),
};
