import { UsageError } from "./errors.js";

/**
 * A length of time in whole microseconds.
 *
 * Integers, because sums of decimal seconds in floating point do not come out even, and a replay must.
 */
export type Duration = number;

/** A point on some time axis, in whole microseconds since that axis's zero; may be negative on a wrong clock. */
export type Instant = number;

export const MICROSECOND: Duration = 1;
export const MILLISECOND: Duration = 1_000;
export const SECOND: Duration = 1_000_000;
export const MINUTE: Duration = 60 * SECOND;
export const HOUR: Duration = 60 * MINUTE;

/** A year: longer is a mistake in the text, and keeps every sum far below 2^53. */
export const DURATION_MAX: Duration = 365 * 24 * HOUR;

const UNITS: Readonly<Record<string, Duration>> = {
  us: MICROSECOND,
  µs: MICROSECOND,
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
};

/** Reads `250ms`, `10s`, `1.5s`, `2m`, `80us`, `1h`; throws a {@link UsageError} that shows these for anything else. */
export function parseDuration(text: string): Duration {
  const match = /^([0-9]+(?:\.[0-9]+)?)(us|µs|ms|s|m|h)$/.exec(text.trim());
  const unit = UNITS[match?.[2] ?? ""];
  if (match?.[1] === undefined || unit === undefined) {
    throw new UsageError(
      `"${text}" is not a duration; write a number and a unit, such as 250ms, 10s or 2m (units: us, ms, s, m, h)`,
    );
  }
  const duration = Math.round(Number(match[1]) * unit);
  if (duration > DURATION_MAX) throw new UsageError(`"${text}" is longer than a year; give at most 8760h`);
  return duration;
}

/** The shortest exact text that {@link parseDuration} reads back: `250ms`, `1.5s`, `2m`. */
export function formatDuration(duration: Duration): string {
  for (const [unit, size] of [
    ["h", HOUR],
    ["m", MINUTE],
    ["s", SECOND],
    ["ms", MILLISECOND],
  ] as const) {
    const whole = duration / size;
    if (Math.abs(duration) >= size && Number.isInteger(whole)) return `${whole}${unit}`;
  }
  if (Math.abs(duration) >= SECOND) return `${duration / SECOND}s`;
  if (Math.abs(duration) >= MILLISECOND) return `${duration / MILLISECOND}ms`;
  return duration === 0 ? "0ms" : `${duration}us`;
}
