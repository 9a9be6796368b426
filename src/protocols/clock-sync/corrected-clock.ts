import { ClockCourse } from "../../clocks/index.js";
import { DURATION_MAX, type Duration, type Instant, type ProcessId } from "../../core/index.js";

/*
 * A clock that a protocol keeps right: it cannot set the host's, so it holds a correction to it. The course's reference
 * axis is the host's own clock, `ctx.now`.
 */

/** What any clock synchronisation protocol tells its user of its clock; checkers and charts read these. */
export interface ClockOutput {
  readonly kind: "clock";
  /**
   * `start` also after a restart; `arrived` when a slew is worked off; `held` when the host's clock was set back and this
   * one was not.
   */
  readonly cause: "start" | "slew" | "step" | "arrived" | "held";
  /** The epoch and the round of the last correction; [0, 0] before any. */
  readonly round: RoundId;
  /** The correction just made; 0 at a start and at an arrival. */
  readonly delta: Duration;
  /** What the clock shows now. */
  readonly reading: Instant;
  /** How it goes on, on the axis of the event's `local`. */
  readonly course: ClockCourse.ClockCourse;
}

/** What a process found and decided in a round of measuring; it moves its clock by `average`. */
export interface RoundOutput {
  readonly kind: "round";
  readonly round: RoundId;
  /** Its own first, with 0. `error` is the most that an offset can be wrong: half a round trip, less the least delay. */
  readonly clocks: readonly MeasuredClock[];
  /** Those that it trusts. */
  readonly averaged: readonly ProcessId[];
  readonly average: Duration;
  /** γ, where clocks must agree to within it; 0 elsewhere. */
  readonly gamma: Duration;
  /** From the first message to now, by its own clock. */
  readonly took: Duration;
}

/** How far another clock is ahead, in microseconds. */
export interface MeasuredClock {
  readonly process: ProcessId;
  readonly offset: Duration;
  readonly error: Duration;
}

/** Rounds in order: first by epoch, then by number. */
export type RoundId = readonly [epoch: number, round: number];

/** How a clock is brought right. */
export interface SlewRule {
  /** What a slewed clock gains or loses; 1 to `SLEW_PPM_MAX`. */
  readonly slewPpm: ClockCourse.Ppm;
  /** A larger correction is made at once, even backward; timed's MAXADJ, 20 s. */
  readonly stepBeyond: Duration;
}

/**
 * The clock on its way to `delta` more than it aimed at: slewed, which never goes back, or stepped when that is far.
 *
 * What is measured of such a clock is its aim, not its reading: one that is slewed moves while it is polled.
 */
export function corrected(
  course: ClockCourse.ClockCourse,
  delta: Duration,
  at: Instant,
  { slewPpm, stepBeyond }: SlewRule,
): ClockCourse.ClockCourse {
  const missing = ClockCourse.aim(course, at) + delta - ClockCourse.read(course, at);
  if (Math.abs(missing) <= stepBeyond) return ClockCourse.slew(course, missing, slewPpm, at);
  return ClockCourse.step(ClockCourse.slew(course, 0, 1, at), missing, at);
}

/**
 * The same clock after the host's was set back from `before` to `at`: it goes on from where it was.
 *
 * Forward it follows the host's clock, which cannot be told from time that passed.
 */
export function held(course: ClockCourse.ClockCourse, before: Instant, at: Instant): ClockCourse.ClockCourse {
  const back = before - at;
  const slew = course.slew === null ? null : { ...course.slew, since: course.slew.since - back };
  return { ...course, since: course.since - back, slew };
}

/** By the host's clock, how long the slew that begins now takes; 0 when nothing is to be slewed. */
export function slewTime(course: ClockCourse.ClockCourse): Duration {
  if (course.slew === null) return 0;
  return Math.ceil((Math.abs(course.slew.size) * 1_000_000) / Math.abs(course.slew.ppm));
}

/** Whether `a` comes after `b`. */
export function isLater(a: RoundId, b: RoundId): boolean {
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
}

/**
 * Largest reading taken from a peer, either way, in microseconds: 2^51, 71 years. Differences of two stay exact. A peer
 * that says more, or says what is no whole number, is not believed.
 */
export const READING_MAX: Instant = 2 ** 51;

export function isReading(value: unknown): value is Instant {
  return Number.isSafeInteger(value) && Math.abs(Number(value)) <= READING_MAX;
}

/** Half a year: the largest correction made for a peer's word. What a slew has left comes on top. */
export const CORRECTION_MAX: Duration = DURATION_MAX / 2;

export function isCorrection(value: unknown): value is Duration {
  return Number.isSafeInteger(value) && Math.abs(Number(value)) <= CORRECTION_MAX;
}

/** `100.55 s`, `+2.15 s`, `-1.3 ms`: exact, for sentences and tables. */
export function secondsText(time: Duration, sign: "" | "+" = ""): string {
  const size = Math.abs(time);
  const shown = size >= 100_000 || size === 0 ? `${size / 1_000_000} s` : `${size / 1_000} ms`;
  return `${time < 0 ? "-" : sign}${shown}`;
}
