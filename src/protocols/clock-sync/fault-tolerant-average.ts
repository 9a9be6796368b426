import { HOUR, UsageError, type Duration } from "../../core/index.js";

/** The mean of the clocks that agree, and which those are. */
export interface Average {
  /** Rounded to whole microseconds. */
  readonly mean: Duration;
  /** Places in the list, rising. */
  readonly members: readonly number[];
}

/** An hour: clocks that differ by more than that do not agree about anything; keeps every sum exact. */
export const GAMMA_MAX: Duration = HOUR;

/**
 * The mean of the largest set of clocks of which no two differ by more than `gamma`: one that is far out moves nobody.
 *
 * Of several sets of that size the one whose mean is nearest to 0 counts, which is the master's own clock, then the
 * lower one. `offsets` are whole microseconds, relative to the master, its own 0 among them; at least one.
 * Source: R. Gusella and S. Zatti, "The Accuracy of the Clock Synchronization Achieved by TEMPO in Berkeley UNIX 4.3BSD",
 * IEEE Transactions on Software Engineering 15(7), 1989, §II.
 */
export function faultTolerantAverage(offsets: readonly Duration[], gamma: Duration): Average {
  checkGamma(gamma);
  const rising = offsets.map((offset, place) => ({ offset, place })).sort((a, b) => a.offset - b.offset);
  let best: { readonly mean: Duration; readonly from: number; readonly to: number } | undefined;
  let to = 0;
  for (const [from, { offset: lowest }] of rising.entries()) {
    while (to < rising.length && (rising[to]?.offset ?? 0) - lowest <= gamma) to++;
    const size = to - from;
    const largest = best === undefined ? 0 : best.to - best.from;
    if (size < largest) continue;
    const mean = meanOf(
      rising.slice(from, to).map(({ offset }) => offset),
      lowest,
    );
    if (size > largest || Math.abs(mean) < Math.abs(best?.mean ?? 0)) best = { mean, from, to };
  }
  if (best === undefined) throw new UsageError("an average of no clocks; give at least the master's own");
  const members = rising.slice(best.from, best.to).map(({ place }) => place);
  return { mean: best.mean, members: members.sort((a, b) => a - b) };
}

/** Throws a {@link UsageError} unless clocks can differ by `gamma`. */
export function checkGamma(gamma: Duration): void {
  if (Number.isSafeInteger(gamma) && gamma >= 0 && gamma <= GAMMA_MAX) return;
  throw new UsageError(`γ is ${gamma} µs; give whole microseconds from 0 to an hour (${GAMMA_MAX})`);
}

/** Sums differences to the lowest, which stay below n·γ, so that clocks a year away are averaged exactly. */
function meanOf(offsets: readonly Duration[], lowest: Duration): Duration {
  const sum = offsets.reduce((total, offset) => total + (offset - lowest), 0);
  return lowest + Math.round(sum / offsets.length);
}
