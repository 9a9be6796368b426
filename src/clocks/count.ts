import { ClockError } from "./clock-error.js";

/** 2^53 - 1: from there on a double no longer tells neighbouring counts apart. */
export const COUNT_MAX = Number.MAX_SAFE_INTEGER;

/**
 * 2^20: how many events further a peer may be, by default, than it was known to be. A process would have to miss a
 * million events of another to be wrong about an honest stamp; one poisoned stamp cannot use up the counts.
 */
export const JUMP_MAX = 2 ** 20;

/** A count of events: a whole number from 0 to {@link COUNT_MAX}. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** One more; throws `ClockError("clock-exhausted")` where a double could not hold it exactly. */
export function nextCount(count: number): number {
  if (count >= COUNT_MAX) {
    throw new ClockError("clock-exhausted", `the clock stands at ${count} and can count no further event`, {
      count,
      countMax: COUNT_MAX,
    });
  }
  return count + 1;
}

/** The value when it is a count; throws `ClockError("clock-rejected")` for anything else a peer may have sent. */
export function checkedCount(value: unknown, what: string): number {
  if (isCount(value)) return value;
  throw notACount(value, what);
}

/** {@link checkedCount} of a vector's entry; the text that names it is only built when it is needed. */
export function checkedEntry(value: unknown, k: number): number {
  if (isCount(value)) return value;
  throw notACount(value, `entry ${k} of a stamp`);
}

function notACount(value: unknown, what: string): ClockError {
  return new ClockError(
    "clock-rejected",
    `${what} is ${String(value)}; a count is a whole number from 0 to 2^53 - 1`,
    { what, value, countMax: COUNT_MAX },
  );
}
