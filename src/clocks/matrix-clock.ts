/*
 * Matrix clocks of a closed group as plain data: entry [k][l] is how many of l's events this process knows that k has
 * seen. Row `self` is the process's own vector clock; the least entry of column l is what everybody has seen of l.
 *
 * n² integers per message. Functions give a new matrix and leave the given ones alone.
 * Sources: G. Wuu and A. Bernstein, "Efficient Solutions to the Replicated Log and Dictionary Problems", PODC 1984;
 * S. Sarin and N. Lynch, "Discarding Obsolete Information in a Replicated Database System", IEEE TSE 13(1), 1987.
 */
import { invariant } from "../core/index.js";
import * as VectorClock from "./vector-clock.js";

/** One row of knowledge per process, each a vector in the run's order of processes. */
export type Matrix = readonly VectorClock.DenseVector[];

/** The matrix before anything happened. */
export function zero(processes: number): Matrix {
  return Array.from({ length: processes }, () => VectorClock.zero(processes));
}

/** After an internal event or a send of process `self`; what the message carries. */
export function tick(own: Matrix, self: number): Matrix {
  return own.map((row, k) => (k === self ? VectorClock.tick(row, self) : row));
}

/** After process `self` received a message of process `from` stamped `theirs`. */
export function receive(own: Matrix, theirs: Matrix, self: number, from: number): Matrix {
  invariant(
    own.length === theirs.length,
    `matrices of ${own.length} and ${theirs.length} processes do not merge`,
  );
  const rows = own.map((row, k) => VectorClock.merge(row, rowOf(theirs, k)));
  // Receiving makes this process see what the sender itself had seen, beyond what either says of third parties.
  const seen = VectorClock.merge(rowOf(rows, self), rowOf(theirs, from));
  return tick(rows.with(self, seen), self);
}

/** The vector clock within: what process `self` has seen. */
export function vector(own: Matrix, self: number): VectorClock.DenseVector {
  return rowOf(own, self);
}

/**
 * How many of l's events every process is known to have seen: what carries them may be discarded up to there.
 *
 * Never more than the truth; a silent process holds it back until a view change leaves it out.
 */
export function knownToAll(own: Matrix, l: number): number {
  const column = own.map((row) => row[l] ?? 0);
  return Math.min(...column);
}

function rowOf(matrix: Matrix, k: number): VectorClock.DenseVector {
  const row = matrix[k];
  invariant(row !== undefined, `a matrix of ${matrix.length} processes was asked for row ${k}`);
  return row;
}
