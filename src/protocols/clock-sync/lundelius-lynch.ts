import type { Duration } from "../../core/index.js";

/**
 * The best that anybody can promise: no algorithm keeps n clocks closer than this in all runs whose messages take from
 * d - u to d, even if the clocks do not drift. In microseconds; not rounded.
 *
 * Source: J. Lundelius and N. Lynch, "An Upper and Lower Bound for Clock Synchronization", Information and Control
 * 62(2/3), 1984.
 */
export function bestPrecision(uncertainty: Duration, processes: number): Duration {
  return uncertainty * (1 - 1 / processes);
}

/**
 * What a clock is to be moved by in the algorithm that reaches {@link bestPrecision}: everybody sends its time once, and
 * takes the mean of all differences, its own 0 among them. Not rounded.
 *
 * `differences`: of each other process, the time in its message + d - u/2 - the own time at its arrival.
 */
export function lundeliusLynchCorrection(differences: readonly Duration[]): Duration {
  return differences.reduce((sum, difference) => sum + difference, 0) / (differences.length + 1);
}
