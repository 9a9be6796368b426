/*
 * Vector clocks of a closed group as plain data: entry k counts the events of process k in the causal past, in the
 * run's order of processes. One event happened before another exactly when its vector is the smaller one.
 *
 * Every function gives a new vector and never keeps or returns the one it was given, so a message cannot alias the
 * clock it was stamped by. Vectors of different groups do not compare: `invariant` throws.
 * Limit: entries are trusted to be counts; what strangers send goes through `LiveVector.check` first.
 *
 * Sources: C. J. Fidge, "Timestamps in Message-Passing Systems That Preserve the Partial Ordering", ACSC 1988;
 * F. Mattern, "Virtual Time and Global States of Distributed Systems", 1989, §5.
 */
import { invariant } from "../core/index.js";
import { causalOrder, type CausalOrder } from "./causal-order.js";
import { nextCount } from "./count.js";

/** One count of events per process, in the run's order of processes. */
export type DenseVector = readonly number[];

/** The vector before anything happened; `processes` from 1 up. */
export function zero(processes: number): DenseVector {
  return Array.from({ length: processes }, () => 0);
}

/** After an internal event or a send of process `self`; what the message carries. */
export function tick(own: DenseVector, self: number): DenseVector {
  const next = [...own];
  next[self] = nextCount(entry(own, self));
  return next;
}

/** The least vector that has seen what either has: componentwise maximum. Commutative, associative, idempotent. */
export function merge(a: DenseVector, b: DenseVector): DenseVector {
  sameGroup(a, b);
  return a.map((count, k) => Math.max(count, entry(b, k)));
}

/** After process `self` received a message stamped `theirs`: what both knew, and the receipt itself. */
export function receive(own: DenseVector, theirs: DenseVector, self: number): DenseVector {
  return tick(merge(own, theirs), self);
}

/** Whether `b` has seen everything that `a` has; true of equal vectors. */
export function lessOrEqual(a: DenseVector, b: DenseVector): boolean {
  sameGroup(a, b);
  return a.every((count, k) => count <= entry(b, k));
}

/** How `a` stands to `b`: `before` when it is in b's causal past. */
export function compare(a: DenseVector, b: DenseVector): CausalOrder {
  return causalOrder(lessOrEqual(a, b), lessOrEqual(b, a));
}

/** Whether the event stamped `a` is a cause of the one stamped `b`. */
export function happensBefore(a: DenseVector, b: DenseVector): boolean {
  return compare(a, b) === "before";
}

/** Whether neither event could have known of the other. */
export function concurrent(a: DenseVector, b: DenseVector): boolean {
  return compare(a, b) === "concurrent";
}

/**
 * Whether `event`, which is an event of process `of`, is `other` or happened before it: one comparison instead of n.
 *
 * Right only for stamps of events under rules that tick at every event; not for merges of stamps.
 */
export function reaches(event: DenseVector, of: number, other: DenseVector): boolean {
  return entry(event, of) <= entry(other, of);
}

function entry(vector: DenseVector, k: number): number {
  const count = vector[k];
  // The message is only built when it is needed: this runs n times per comparison.
  if (count === undefined) invariant(false, `a vector of ${vector.length} entries was asked for entry ${k}`);
  return count;
}

function sameGroup(a: DenseVector, b: DenseVector): void {
  invariant(a.length === b.length, `vectors of ${a.length} and of ${b.length} processes do not compare`);
}
