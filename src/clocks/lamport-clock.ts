/*
 * Lamport's clock as plain data, for the states and messages of protocols: one integer per process, such that an event
 * that happened before another has the smaller time. The converse does not hold: 1 < 3 proves nothing.
 *
 * Source: L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", CACM 21(7), 1978:
 * the clock condition and rules IR1 and IR2, and the total order of the section "Ordering the Events Totally".
 */
import type { ProcessId } from "../core/index.js";
import { ClockError } from "./clock-error.js";
import { checkedCount, nextCount } from "./count.js";

/** A Lamport time: how long, in events, the longest chain of causes is that ends in the event. 0 before the first. */
export type LamportTime = number;

/** An event's place in the total order of all events: its Lamport time, then its process. */
export type LamportStamp = readonly [time: LamportTime, process: ProcessId];

/** The time after an internal event (IR1); throws `ClockError("clock-exhausted")` at 2^53 - 1. */
export function tick(own: LamportTime): LamportTime {
  return nextCount(own);
}

/** The sender's time after the send, and the stamp its message carries: the same time (IR2a). */
export function send(
  own: LamportTime,
  self: ProcessId,
): { readonly time: LamportTime; readonly stamp: LamportStamp } {
  const time = tick(own);
  return { time, stamp: [time, self] };
}

/**
 * The receiver's time after the receipt of a message stamped `theirs`: later than both (IR2b).
 *
 * A duplicate only makes the time larger. Throws `ClockError("clock-rejected")` when `theirs` is no count. Limit: no
 * bound on the jump; a peer that stamps 2^53 - 1 exhausts the clock, so run it among processes that you trust.
 */
export function receive(own: LamportTime, theirs: LamportTime): LamportTime {
  return nextCount(Math.max(own, checkedCount(theirs, "a message's Lamport time")));
}

/**
 * The total order "⇒": negative when `a` comes first, positive when `b` does, 0 for the same stamp.
 *
 * Equal times go by position in `processes`, which is the same everywhere, so P10 follows P9. Throws
 * `ClockError("clock-rejected")` when a tie names a process that is not among them.
 */
export function compare(a: LamportStamp, b: LamportStamp, processes: readonly ProcessId[]): number {
  return a[0] - b[0] || placeOf(a[1], processes) - placeOf(b[1], processes);
}

function placeOf(process: ProcessId, processes: readonly ProcessId[]): number {
  const place = processes.indexOf(process);
  if (place >= 0) return place;
  throw new ClockError("clock-rejected", `a Lamport stamp names "${process}", which is no member`, {
    process,
  });
}
