import type { ProcessId } from "../../core/index.js";

/** What a process's user asks of any mutual exclusion protocol. */
export type MutexCommand = { readonly kind: "acquire" } | { readonly kind: "release" };

/** What any mutual exclusion protocol tells its user; checkers read these. */
export type MutexOutput =
  | { readonly kind: "requested"; readonly stamp: Stamp }
  | { readonly kind: "entered"; readonly stamp: Stamp }
  | { readonly kind: "exited"; readonly stamp: Stamp };

/**
 * A request's place in the total order of all requests: Lamport timestamp, then process id.
 *
 * Source: L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", CACM 21(7), 1978.
 */
export type Stamp = readonly [timestamp: number, process: ProcessId];

/** Whether `a` comes first. Ties by position in `processes`, which is the same everywhere, so P10 follows P9. */
export function precedes(a: Stamp, b: Stamp, processes: readonly ProcessId[]): boolean {
  return a[0] < b[0] || (a[0] === b[0] && processes.indexOf(a[1]) < processes.indexOf(b[1]));
}
