import { ClockCourse } from "../../clocks/index.js";
import {
  formatDuration,
  HOUR,
  MILLISECOND,
  MINUTE,
  SECOND,
  UsageError,
  type Duration,
  type Instant,
} from "../../core/index.js";
import type { SlewRule } from "./corrected-clock.js";
import { checkGamma } from "./fault-tolerant-average.js";

/** How a group keeps its clocks together. */
export interface BerkeleyOptions extends SlewRule {
  /** What each clock shows when its host's shows 0, in the order of processes; missing ones show the host's. */
  readonly clocks: readonly Instant[];
  /** Rounds until the group rests. timed goes on for ever. */
  readonly rounds: number;
  /** τ, from the beginning of one round to that of the next. timed: 4 min. */
  readonly period: Duration;
  /** Polls of each slave in a round. timed: 5. */
  readonly samples: number;
  /** How long an answer may take; later ones do not count. */
  readonly patience: Duration;
  /** γ: clocks that differ by more do not agree. timed: 20 ms. */
  readonly gamma: Duration;
  /** The least time a message takes, if it is known. */
  readonly delayMin: Duration;
  /** Times that a correction is sent to a slave that does not acknowledge it. */
  readonly attempts: number;
}

/** Fast enough to watch; timed's own figures stand at each option. */
export const BERKELEY_DEFAULTS: BerkeleyOptions = {
  clocks: [],
  rounds: 10,
  period: SECOND,
  samples: 5,
  patience: 100 * MILLISECOND,
  gamma: 5 * SECOND,
  delayMin: 0,
  attempts: 5,
  slewPpm: 200_000,
  stepBeyond: 20 * SECOND,
};

/** The options with their usual values; throws a {@link UsageError} for what no group could do. */
export function berkeleyOptions(given: Partial<BerkeleyOptions>): BerkeleyOptions {
  const options = { ...BERKELEY_DEFAULTS, ...given };
  checkGamma(options.gamma);
  whole("rounds", options.rounds, 0, 1_000_000);
  whole("samples of each slave", options.samples, 1, 100);
  whole("attempts", options.attempts, 1, 1_000);
  whole("µs of patience", options.patience, 1, MINUTE);
  whole("µs of least delay", options.delayMin, 0, MINUTE);
  whole("µs of period", options.period, 1, 24 * HOUR);
  checkSlewRule(options);
  if (options.period <= options.samples * options.patience) {
    throw new UsageError(
      `${options.samples} samples that may take ${formatDuration(options.patience)} each do not fit into a period of ${formatDuration(options.period)}; give a longer period, fewer samples or less patience`,
    );
  }
  return options;
}

/** Throws a {@link UsageError} unless a clock can be brought right so. */
export function checkSlewRule({ slewPpm, stepBeyond }: SlewRule): void {
  whole("ppm of slewing", slewPpm, 1, ClockCourse.SLEW_PPM_MAX);
  whole("µs to step beyond", stepBeyond, 0, HOUR);
}

function whole(what: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new UsageError(`${value} ${what}; give a whole number from ${min} to ${max}`);
}
