/*
 * How a clock runs, as plain data: where it stood at a point of the reference axis, how fast it drifts from it, and a
 * correction that it is working off. C(t) = reading + (1 + drift)(t - since), plus what is slewed so far.
 *
 * For protocols that keep a corrected clock in their state (there the "reference" is the process's own clock) and for
 * `AdjustableClock`. All in whole microseconds; the fractions that drift leaves behind are kept in millionths, so
 * readings never depend on how often a clock was read or adjusted.
 *
 * The rate stays above a tenth of the reference's: unless it is stepped back, a clock never runs backward.
 */
import { DURATION_MAX, invariant, UsageError, type Duration, type Instant } from "../core/index.js";

/** Parts per million: 1 ppm gains a microsecond each second. Quartz is within 100. */
export type Ppm = number;

/** Half the reference's pace, either way: far beyond any real clock, and still running forward while slewed. */
export const DRIFT_PPM_MAX: Ppm = 500_000;

/** With the largest drift against it the clock still advances a tenth of the reference: 1 - 0.5 - 0.4. */
export const SLEW_PPM_MAX: Ppm = 400_000;

/** How a clock runs from `since` on; plain data. Make one from {@link PERFECT}. */
export interface ClockCourse {
  /** On the reference axis. */
  readonly since: Instant;
  /** The clock at `since`, without the slew. */
  readonly reading: Instant;
  /** What `reading` leaves out, in millionths of a microsecond, 0 to 999,999. */
  readonly millionths: number;
  /** What the clock gains on the reference axis. */
  readonly driftPpm: Ppm;
  /** The correction being worked off, or worked off and still counted. */
  readonly slew: Slew | null;
}

/** Adds `size` to a clock little by little, from `since` on, at a rate of `ppm` (of the same sign) of reference time. */
export interface Slew {
  readonly since: Instant;
  readonly size: Duration;
  readonly ppm: Ppm;
}

/** A clock that shows the reference axis. */
export const PERFECT: ClockCourse = { since: 0, reading: 0, millionths: 0, driftPpm: 0, slew: null };

const MILLION = 1_000_000;

/** What the clock shows at `at`, which must not be before `since`. */
export function read(course: ClockCourse, at: Instant): Instant {
  if (course.driftPpm === 0 && course.slew === null) return course.reading + (at - course.since);
  return carried(exactReading(course, at)).reading;
}

/** What it will show of the instant `at` once its slew is worked off: its reading and what is still to come. */
export function aim(course: ClockCourse, at: Instant): Instant {
  const unslewed = course.slew === null ? course : { ...course, slew: null };
  return read(unslewed, at) + (course.slew?.size ?? 0);
}

/** The clock set forward by `by` at `at`, or back when negative: the one way it runs backward. A slew goes on. */
export function step(course: ClockCourse, by: Duration, at: Instant): ClockCourse {
  checkCorrection("step", by);
  const from = anchored(course, at);
  return { ...from, reading: from.reading + by };
}

/** The clock gaining `driftPpm` from `at` on instead of what it gained before. A slew goes on. */
export function setDrift(course: ClockCourse, driftPpm: Ppm, at: Instant): ClockCourse {
  if (!Number.isSafeInteger(driftPpm) || Math.abs(driftPpm) > DRIFT_PPM_MAX) {
    throw new UsageError(
      `a drift of ${driftPpm} ppm; give a whole number of parts per million from -${DRIFT_PPM_MAX} to ${DRIFT_PPM_MAX}`,
    );
  }
  return { ...anchored(course, at), driftPpm };
}

/**
 * The clock that works off a correction of `delta` from `at` on, gaining or losing `ppm` parts per million until it is
 * done, and never running backward. Replaces what an earlier slew has left; that is {@link slewLeft}.
 */
export function slew(course: ClockCourse, delta: Duration, ppm: Ppm, at: Instant): ClockCourse {
  checkCorrection("slew", delta);
  if (!Number.isSafeInteger(ppm) || ppm < 1 || ppm > SLEW_PPM_MAX) {
    throw new UsageError(
      `a slew at ${ppm} ppm; give a whole number of parts per million from 1 to ${SLEW_PPM_MAX}`,
    );
  }
  const from = withoutSlew(anchored(course, at), at);
  return delta === 0 ? from : { ...from, slew: { since: at, size: delta, ppm: delta < 0 ? -ppm : ppm } };
}

/** How much of the correction is still to come at `at`, rounded away from zero; 0 when none is under way. */
export function slewLeft(course: ClockCourse, at: Instant): Duration {
  if (course.slew === null) return 0;
  const { whole, millionths } = slewed(course.slew, at);
  return course.slew.size - whole - Math.trunc(millionths / MILLION);
}

/**
 * How long on the reference axis, from `at` on, until the clock has advanced by `local`: the least such time. For
 * timers, which count by the process's own clock; right as long as nobody adjusts the clock meanwhile.
 */
export function referenceDuration(course: ClockCourse, local: Duration, at: Instant): Duration {
  if (course.driftPpm === 0 && course.slew === null) return Math.max(0, local);
  const target = read(course, at) + local;
  // Readings never fall, and rise by at least a tenth of the reference: the answer is in here, by bisection.
  let tooEarly = -1;
  let late = Math.max(0, local) * 10 + 10;
  while (late - tooEarly > 1) {
    const middle = Math.floor((tooEarly + late) / 2);
    if (read(course, at + middle) >= target) late = middle;
    else tooEarly = middle;
  }
  return late;
}

/** The same course, described from `at` on. */
function anchored(course: ClockCourse, at: Instant): ClockCourse {
  return { ...course, since: at, ...carried(exactReading({ ...course, slew: null }, at)) };
}

/** What was slewed so far becomes part of the reading, the rest is forgotten; `course` is anchored at `at`. */
function withoutSlew(course: ClockCourse, at: Instant): ClockCourse {
  return { ...course, ...carried(exactReading(course, at)), slew: null };
}

function carried({ whole, millionths }: Exact): { readonly reading: Instant; readonly millionths: number } {
  const carry = Math.floor(millionths / MILLION);
  return { reading: whole + carry, millionths: millionths - carry * MILLION };
}

/** A reading as whole microseconds and millionths of one, not carried over; every product stays below 2^53. */
interface Exact {
  readonly whole: number;
  readonly millionths: number;
}

function exactReading(course: ClockCourse, at: Instant): Exact {
  const passed = at - course.since;
  invariant(passed >= 0, `a clock adjusted at ${course.since} was read at ${at}, before that`);
  const drifted = gained(passed, course.driftPpm);
  const corrected = course.slew === null ? NOTHING : slewed(course.slew, at);
  return {
    whole: course.reading + passed + drifted.whole + corrected.whole,
    millionths: course.millionths + drifted.millionths + corrected.millionths,
  };
}

const NOTHING: Exact = { whole: 0, millionths: 0 };

function slewed(slew: Slew, at: Instant): Exact {
  const done = gained(at - slew.since, slew.ppm);
  const size = Math.abs(slew.size);
  const complete = Math.abs(done.whole) + Math.floor(Math.abs(done.millionths) / MILLION) >= size;
  return complete ? { whole: slew.size, millionths: 0 } : done;
}

/** What a rate of `ppm` adds in `passed` microseconds; both parts have the sign of `ppm`. */
function gained(passed: Duration, ppm: Ppm): Exact {
  const seconds = Math.floor(passed / MILLION);
  return { whole: seconds * ppm, millionths: (passed - seconds * MILLION) * ppm };
}

function checkCorrection(what: string, by: Duration): void {
  if (Number.isSafeInteger(by) && Math.abs(by) <= DURATION_MAX) return;
  throw new UsageError(`a clock ${what} of ${by} µs; give whole microseconds, at most a year either way`);
}
