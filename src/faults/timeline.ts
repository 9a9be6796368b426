import type { Instant } from "../core/index.js";
import type { ScheduledFault } from "./plan.js";

/** In force from `at` until just before `until`. */
export interface Span<Value> {
  readonly at: Instant;
  readonly until: Instant;
  readonly value: Value;
}

/**
 * A value that changes at known times, `undefined` where no span covers. Where several do, the one that stands first
 * in `precedence` counts.
 *
 * Asking is two comparisons while time stays within one stretch; any order of times is answered correctly, a rising
 * one quickly.
 */
export class Timeline<Value> {
  /** When each stretch begins, rising; the first is -Infinity. */
  readonly #starts: Instant[] = [-Infinity];
  readonly #values: (Value | undefined)[] = [undefined];
  #current: Value | undefined = undefined;
  #since: Instant = -Infinity;
  #until: Instant;

  constructor(precedence: readonly Value[], spans: readonly Span<Value>[]) {
    const edges = spans.flatMap(({ at, until, value }) => {
      const rank = precedence.indexOf(value);
      return [
        { at, rank, change: 1 },
        { at: until, rank, change: -1 },
      ];
    });
    edges.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    const active = precedence.map(() => 0);
    for (const [i, { at, rank, change }] of edges.entries()) {
      active[rank] = (active[rank] ?? 0) + change;
      if (edges[i + 1]?.at === at || at === Infinity) continue;
      const value = precedence[active.findIndex((count) => count > 0)];
      if (value === this.#values.at(-1)) continue;
      this.#starts.push(at);
      this.#values.push(value);
    }
    this.#until = this.#starts[1] ?? Infinity;
  }

  at(now: Instant): Value | undefined {
    if (now >= this.#until || now < this.#since) this.#seek(now);
    return this.#current;
  }

  #seek(now: Instant): void {
    // Bisects: the last stretch that begins at or before now.
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? Infinity) <= now) low = middle;
      else high = middle;
    }
    this.#current = this.#values[low];
    this.#since = this.#starts[low] ?? -Infinity;
    this.#until = this.#starts[high] ?? Infinity;
  }
}

/** From when until when a fault is in force. */
export function spanOf(fault: ScheduledFault): { readonly at: Instant; readonly until: Instant } {
  return { at: fault.at, until: ("until" in fault ? fault.until : undefined) ?? Infinity };
}
