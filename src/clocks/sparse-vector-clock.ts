/*
 * Vector clocks of a group whose members come and go, as plain data: counts by member, and a member that is absent
 * counts 0. A joining process needs no announcement; it starts with nothing but its own entry.
 *
 * A process that lost its memory is another member: count under `memberKey(process, incarnation)`, or its second life
 * repeats stamps of its first. Functions give new clocks and leave the given ones alone; keys may come from peers, so
 * they are read as own properties only.
 *
 * Sources: C. J. Fidge, "Timestamps in Message-Passing Systems That Preserve the Partial Ordering", ACSC 1988 (clocks
 * as sets of pairs); removal by common knowledge as in G. Wuu and A. Bernstein, PODC 1984.
 */
import type { ProcessId } from "../core/index.js";
import { causalOrder, type CausalOrder } from "./causal-order.js";
import { nextCount } from "./count.js";

/** A member's key: a process, or one of its lives. */
export type MemberKey = string;

/** Counts of events by member; absent is 0. */
export type SparseVector = Readonly<Record<MemberKey, number>>;

/** The clock before anything happened. */
export const ZERO: SparseVector = {};

/** One life of a process: `P2#1` after its first restart. "#" cannot stand in a process's name. */
export function memberKey(process: ProcessId, incarnation: number): MemberKey {
  return `${process}#${incarnation}`;
}

/** How many events of the member the clock has seen. */
export function countOf(clock: SparseVector, member: MemberKey): number {
  return Object.hasOwn(clock, member) ? (clock[member] ?? 0) : 0;
}

/** After an internal event or a send of `self`. */
export function tick(own: SparseVector, self: MemberKey): SparseVector {
  return { ...own, [self]: nextCount(countOf(own, self)) };
}

/** The least clock that has seen what either has; keys sorted, so equal clocks print alike. */
export function merge(a: SparseVector, b: SparseVector): SparseVector {
  return Object.fromEntries(members(a, b).map((key) => [key, Math.max(countOf(a, key), countOf(b, key))]));
}

/** After `self` received a message stamped `theirs`. */
export function receive(own: SparseVector, theirs: SparseVector, self: MemberKey): SparseVector {
  return tick(merge(own, theirs), self);
}

/** Whether `b` has seen everything that `a` has; a member that `b` does not list counts 0 there. */
export function lessOrEqual(a: SparseVector, b: SparseVector): boolean {
  return members(a, b).every((key) => countOf(a, key) <= countOf(b, key));
}

/** How `a` stands to `b`: `before` when it is in b's causal past. */
export function compare(a: SparseVector, b: SparseVector): CausalOrder {
  return causalOrder(lessOrEqual(a, b), lessOrEqual(b, a));
}

/**
 * The clock without a member that has left, once its last event is stable; until then the clock as it is.
 *
 * `last` is that event's number, which the view change must state; `view` has the latest clock known of each current
 * member. Removed while one of them had not seen `last`, an old message would make two ordered stamps look concurrent.
 */
export function prune(
  clock: SparseVector,
  member: MemberKey,
  last: number,
  view: readonly SparseVector[],
): SparseVector {
  const stable = view.every((known) => countOf(known, member) >= last);
  if (!stable) return clock;
  return Object.fromEntries(Object.entries(clock).filter(([key]) => key !== member));
}

function members(a: SparseVector, b: SparseVector): MemberKey[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
