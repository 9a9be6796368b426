/*
 * Hybrid logical clocks as plain data: a stamp that respects happened-before, like Lamport's, and stays within the
 * clock error of physical time, so that it can stand for it.
 *
 * `l` is the largest physical reading in the causal past, `c` counts events while l stands still.
 * Source: S. Kulkarni, M. Demirbas, D. Madappa, B. Avva and M. Leone, "Logical Physical Clocks", OPODIS 2014, §3.
 */
import type { Duration, Instant } from "../core/index.js";
import { ClockError } from "./clock-error.js";
import { checkedCount, nextCount } from "./count.js";

/** An event's hybrid time, ordered by `l`, then `c`. */
export interface HybridTime {
  /** Microseconds on the axis of the processes' physical clocks, from 0. */
  readonly l: Instant;
  readonly c: number;
}

/** The time before the first event. */
export const ZERO: HybridTime = { l: 0, c: 0 };

/** After an internal event or a send at physical reading `pt`; what the message carries. */
export function tick(own: HybridTime, pt: Instant): HybridTime {
  const l = Math.max(own.l, pt);
  return { l, c: l === own.l ? nextCount(own.c) : 0 };
}

/**
 * After the receipt, at physical reading `pt`, of a message stamped `theirs`.
 *
 * One clock far in the future would carry every other along, so a stamp more than `aheadMax` (ε, the greatest clock
 * error there can be between two processes) beyond `pt` is refused: throws `ClockError("clock-rejected")`, as for a
 * stamp that is no time at all. The message may then be dropped or kept aside; the clock is unchanged.
 */
export function receive(own: HybridTime, theirs: HybridTime, pt: Instant, aheadMax: Duration): HybridTime {
  checkedCount(theirs.l, "the l of a hybrid stamp");
  checkedCount(theirs.c, "the c of a hybrid stamp");
  if (theirs.l - pt > aheadMax) {
    throw new ClockError(
      "clock-rejected",
      `a hybrid stamp is ${theirs.l - pt} µs ahead of this clock; at most ${aheadMax} µs is believed`,
      { given: theirs.l, reading: pt, aheadMax },
    );
  }
  const l = Math.max(own.l, theirs.l, pt);
  return { l, c: counterAt(l, own, theirs) };
}

/** Lexicographic: negative when `a` is earlier, positive when later, 0 when the same. */
export function compare(a: HybridTime, b: HybridTime): number {
  return a.l - b.l || a.c - b.c;
}

/**
 * Whether a process that stored `saved` before a crash may stamp again: not until its clock has passed it, since what
 * was stamped after the last save is lost, and would be stamped twice.
 */
export function mayResume(saved: HybridTime, pt: Instant): boolean {
  return pt > saved.l;
}

function counterAt(l: Instant, own: HybridTime, theirs: HybridTime): number {
  if (l === own.l && l === theirs.l) return nextCount(Math.max(own.c, theirs.c));
  if (l === own.l) return nextCount(own.c);
  if (l === theirs.l) return nextCount(theirs.c);
  return 0;
}
