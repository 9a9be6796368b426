import type { Duration } from "../core/index.js";
import type { DelayFault } from "./plan.js";

/**
 * Turns a number drawn uniformly from [0, 1) into a delay, by the distribution's quantile function.
 *
 * Without a mean: every whole microsecond from `min` to `max` is equally likely. With a mean: the exponential
 * distribution cut off at both bounds, with density proportional to exp(-rate · x / span) where x counts from `min`
 * and span is `max - min`; the rate is solved for, so that the mean of the cut distribution is the one asked for. A
 * mean above the middle mirrors it: x counts down from `max`. A mean within a ten-thousandth of the span of the middle
 * is taken as uniform. Results are rounded to whole microseconds.
 */
export class DelayDistribution {
  readonly #min: Duration;
  readonly #max: Duration;
  readonly #shape: "uniform" | "falling" | "rising";
  readonly #rate: number;
  /** The part of the exponential distribution below the cut. */
  readonly #part: number;

  constructor({ min, max, mean }: DelayFault) {
    this.#min = min;
    this.#max = max;
    const middle = (min + max) / 2;
    const span = max - min;
    if (mean === undefined || Math.abs(mean - middle) <= span / 10_000) {
      this.#shape = "uniform";
      this.#rate = 0;
      this.#part = 0;
      return;
    }
    this.#shape = mean < middle ? "falling" : "rising";
    const share = (mean < middle ? mean - min : max - mean) / span;
    this.#rate = share === 0 ? Infinity : rateFor(share);
    this.#part = 1 - expOfMinus(this.#rate);
  }

  quantile(fraction: number): Duration {
    const span = this.#max - this.#min;
    if (this.#shape === "uniform") return this.#min + Math.floor(fraction * (span + 1));
    const x = Math.min(span, Math.round((-ln(1 - fraction * this.#part) / this.#rate) * span));
    return this.#shape === "falling" ? this.#min + x : this.#max - x;
  }
}

/** The rate whose exponential distribution, cut off at 1, has this mean (below one half); by bisection. */
function rateFor(mean: number): number {
  let low = 0;
  // Cutting only lowers the mean, so the rate is below that of the uncut distribution.
  let high = 1 / mean;
  for (let i = 0; i < 64; i++) {
    const rate = (low + high) / 2;
    const tail = expOfMinus(rate);
    if (1 / rate - tail / (1 - tail) > mean) low = rate;
    else high = rate;
  }
  return (low + high) / 2;
}

// Math.exp and Math.log may differ in the last digit between engines, and a stored run must replay in all of them; the
// four operations may not. These two use nothing else.

/** e^-x for x from 0 to infinity. */
function expOfMinus(x: number): number {
  if (x > 745) return 0; // Less than the smallest double.
  let halvings = 0;
  while (x > 0.5) {
    x /= 2;
    halvings++;
  }
  let term = 1;
  let sum = 1;
  for (let i = 1; i <= 16; i++) {
    term *= -x / i;
    sum += term;
  }
  for (; halvings > 0; halvings--) sum *= sum;
  return sum;
}

const LN2 = 0.6931471805599453;

/** Natural logarithm for x from 2^-53 to 1. */
function ln(x: number): number {
  let halvings = 0;
  while (x < 0.5) {
    x *= 2;
    halvings++;
  }
  // ln x = 2 artanh(s); s² is at most 1/9, so fifteen terms leave less than 1e-15.
  const s = (x - 1) / (x + 1);
  const square = s * s;
  let sum = 0;
  for (let n = 29; n >= 1; n -= 2) sum = sum * square + 1 / n;
  return 2 * s * sum - halvings * LN2;
}
