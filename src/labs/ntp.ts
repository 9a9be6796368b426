import { MILLISECOND, Random, SECOND, type Instant, type RunSettings } from "../core/index.js";
import {
  clockMonotonic,
  clocksWereApart,
  correctionArrived,
  correctionsInOrder,
  explained,
  externalPrecision,
  offsetAccuracy,
  receiveHasSend,
  recordedClocks,
  roundCost,
  trustedMajority,
} from "../checkers/index.js";
import { ntp, ntpNarration } from "../protocols/index.js";
import { clockChart } from "./clock-chart.js";
import { clockReadings, clocksOption } from "./clock-readings.js";
import type { Lab } from "./lab.js";
import { boundOfSamples, timeOptions, timeSettings } from "./time-options.js";

/** All but the last process, which is the client; at most four. */
function serversOf({ length }: readonly string[]): number {
  return Math.min(4, length - 1);
}

/** Servers show 100 s, the last of three or more something else; clients are up to half a second out. */
function readingsOf(run: RunSettings): readonly Instant[] {
  if (run.options["clocks"] !== "random") return clockReadings(run);
  const servers = serversOf(run.processes);
  return run.processes.map((process, place) => {
    const out = Random.stream(run.seed, `clock:${process}`).between(-SECOND / 2, SECOND / 2);
    if (place >= servers) return 100 * SECOND + out;
    const lies = servers >= 3 && place === servers - 1;
    return 100 * SECOND + (lies ? (out < 0 ? out - SECOND / 2 : out + SECOND / 2) : 0);
  });
}

/** Clocks kept to several servers, one of which is wrong. */
export const ntpLab: Lab = {
  id: "ntp",
  title: "Clocks that find out which servers to trust",
  summary:
    "Up to four servers, P1 to P4, of which one tells a wrong time; the others are clients. A client measures each server, " +
    "keeps its fastest sample, and finds the interval that a majority agrees on: whoever is outside is not trusted.",
  processes: { min: 2, usual: 6, max: 100 },
  options: [clocksOption, ...timeOptions],
  protocol: (run) =>
    ntp({
      ...timeSettings(run),
      clocks: readingsOf(run),
      servers: serversOf(run.processes),
      driftPpm: Number(run.options["drift"]),
    }),
  faults: "delay 1..30ms, loss 10%, duplicate 5%, reorder 10%",
  // Every message alike, so that without faults an offset is exact.
  latency: { min: 500, max: 500 },
  checkers: [
    receiveHasSend,
    recordedClocks,
    externalPrecision(({ options }) => Number(options["drift"])),
    clockMonotonic(({ options }) => Number(options["step-beyond"])),
    offsetAccuracy(({ options }) => Number(options["drift"])),
    correctionsInOrder,
    trustedMajority,
    roundCost({
      formula: "2k",
      kinds: ["request", "reply"],
      of: ({ processes }) => ({ messages: 2 * serversOf(processes), corrections: 1 }),
    }),
  ],
  witnesses: [
    clocksWereApart(MILLISECOND),
    correctionArrived,
    {
      ...explained("falseticker-found", "a server that tells a wrong time was not trusted", [
        "ntp.falseticker",
      ]),
      only: {
        runs: "runs with a server that is wrong",
        includes: ({ processes, options }) => options["clocks"] === "random" && serversOf(processes) >= 3,
      },
    },
  ],
  guide: [
    {
      text: "Four real servers, one of them wrong, and two clients that find out.",
      command: "lightcone run ntp",
    },
    {
      text: "Without faults: see whom a client trusts, and why.",
      command: "lightcone sim ntp -n 5 --rounds 2 --seed 1",
    },
    {
      text: "Two right servers against two wrong ones: no majority, so the clock is left alone.",
      command: "lightcone sim ntp -n 5 --clocks 100s,100s,107s,93s,101s --rounds 2",
    },
    {
      text: "A thousand schedules: a clock is always as right as it says.",
      command:
        "lightcone sim ntp --seeds 1000 --faults 'delay 1..30ms, loss 20%, duplicate 10%, reorder 10%'",
    },
  ],
  narration: ntpNarration,
  chart: (trace, paper) => clockChart(trace, boundOfSamples(trace.header, 1), paper),
};
