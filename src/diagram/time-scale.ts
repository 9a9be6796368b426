import { MILLISECOND, SECOND, type Duration, type Instant } from "../core/index.js";

/** How a diagram writes points in time: one unit and precision for all, so that they line up. */
export interface TimeScale {
  readonly format: (at: Instant) => string;
  /** Of the longest text. */
  readonly width: number;
}

/** Tenths of milliseconds up to ten seconds, hundredths of seconds beyond; finer when everything happens at once. */
export function timeScale(instants: readonly Instant[]): TimeScale {
  let latest = 0;
  for (const at of instants) latest = Math.max(latest, Math.abs(at));
  const format = formatFor(latest);
  let width = 0;
  for (const at of instants) width = Math.max(width, format(at).length);
  return { format, width };
}

function formatFor(latest: Instant): (at: Instant) => string {
  if (latest >= 10 * SECOND) return (at) => `${(at / SECOND).toFixed(2)} s`;
  const digits = latest < 10 * MILLISECOND ? 3 : 1;
  return (at) => `${(at / MILLISECOND).toFixed(digits)} ms`;
}

/** A length of time to two or three digits, for reading: `0.52 ms`, `15.5 ms`, `3.43 s`. */
export function shortDuration(duration: Duration): string {
  const [size, unit] =
    Math.abs(duration) >= SECOND ? [duration / SECOND, "s"] : [duration / MILLISECOND, "ms"];
  const digits = Math.abs(size) >= 100 ? 0 : Math.abs(size) >= 10 ? 1 : 2;
  return `${Number(size.toFixed(digits))} ${unit}`;
}

export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** About `wanted` round values from `low` to `high`: times in microseconds, or steps. */
export function axisTicks(low: number, high: number, wanted: number, times: boolean): Tick[] {
  const rough = (high - low) / Math.max(1, wanted);
  const size = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = Math.max(1, [1, 2, 5, 10].find((factor) => factor * size >= rough) ?? 10) * size;
  const ticks: Tick[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) {
    ticks.push({ at, text: times ? tickTime(at, step) : String(at) });
  }
  return ticks;
}

function tickTime(at: Instant, step: Duration): string {
  const [unit, name] = step >= SECOND / 10 ? [SECOND, "s"] : [MILLISECOND, "ms"];
  const digits = Math.max(0, Math.ceil(-Math.log10(step / unit)));
  return `${(at / unit).toFixed(digits)} ${name}`;
}
