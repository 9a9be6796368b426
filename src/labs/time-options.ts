import { ClockCourse } from "../clocks/index.js";
import { HOUR, MILLISECOND, MINUTE, SECOND } from "../core/index.js";
import type { ClockBound } from "../checkers/index.js";
import type { LabOption } from "./lab.js";

/** What every lab of clocks lets its user set, besides what each shows at first. */
export const timeOptions: readonly LabOption[] = [
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
    name: "patience",
    summary: "how long an answer may take",
    kind: "duration",
    usual: 100 * MILLISECOND,
    min: 1,
    max: MINUTE,
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
];

/** The settings that all protocols of clocks share, from the options above. */
export function timeSettings({ options }: { readonly options: Readonly<Record<string, unknown>> }): {
  readonly rounds: number;
  readonly period: number;
  readonly patience: number;
  readonly slewPpm: number;
  readonly stepBeyond: number;
  readonly delayMin: number;
} {
  return {
    rounds: Number(options["rounds"]),
    period: Number(options["period"]),
    patience: Number(options["patience"]),
    slewPpm: Number(options["slew"]),
    stepBeyond: Number(options["step-beyond"]),
    delayMin: Number(options["delay-min"]),
  };
}

/** How close clocks stay that are measured `samples` times in a round, one after the other. */
export function boundOfSamples(
  { options }: { readonly options: Readonly<Record<string, unknown>> },
  samples: number,
): ClockBound {
  const patience = Number(options["patience"]);
  return {
    driftPpm: Number(options["drift"]),
    period: Number(options["period"]),
    span: samples * patience,
    roundTripMax: patience,
    delayMin: Number(options["delay-min"]),
  };
}
