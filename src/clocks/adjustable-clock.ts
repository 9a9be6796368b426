import type { Duration, Instant } from "../core/index.js";
import * as ClockCourse from "./clock-course.js";

/**
 * A process's own clock, which may be wrong: it drifts, is stepped, and is slewed back to right.
 *
 * `at` is always on the reference axis (virtual time in a simulation, the machine's monotonic clock in a real run),
 * in whole microseconds, and never before an earlier adjustment's. Begins perfect, showing the reference itself.
 * Rules, limits and errors are those of `ClockCourse`.
 */
export class AdjustableClock {
  #course = ClockCourse.PERFECT;

  /** What the clock shows. */
  read(at: Instant): Instant {
    return ClockCourse.read(this.#course, at);
  }

  /** Sets the clock forward by `by`, or back when negative: the one way that it runs backward. */
  step(by: Duration, at: Instant): void {
    this.#course = ClockCourse.step(this.#course, by, at);
  }

  /** From `at` on the clock gains this many microseconds each second of the reference; whole, may be negative. */
  setDrift(driftPpm: ClockCourse.Ppm, at: Instant): void {
    this.#course = ClockCourse.setDrift(this.#course, driftPpm, at);
  }

  /** Works off a correction of `delta` at a rate of `ppm`, never running backward; replaces an earlier slew's rest. */
  slew(delta: Duration, ppm: ClockCourse.Ppm, at: Instant): void {
    this.#course = ClockCourse.slew(this.#course, delta, ppm, at);
  }

  /** How long on the reference axis until this clock has advanced by `local`, unless adjusted meanwhile: for timers. */
  referenceDuration(local: Duration, at: Instant): Duration {
    return ClockCourse.referenceDuration(this.#course, local, at);
  }
}
