import type { Context, ProcessId } from "../../core/index.js";

/** What a process's user asks of any mutual exclusion protocol. */
export type MutexCommand = { readonly kind: "acquire" } | { readonly kind: "release" };

/** What any mutual exclusion protocol tells its user; checkers read these. */
export type MutexOutput =
  | { readonly kind: "requested"; readonly stamp: Stamp }
  /**
   * `fence` is the fencing token of the stay: larger than that of every stay before it, so that a resource which
   * refuses smaller ones than it has seen is safe from whoever only believes to be inside.
   */
  | { readonly kind: "entered"; readonly stamp: Stamp; readonly fence: number }
  | { readonly kind: "exited"; readonly stamp: Stamp };

/** What a process is doing, in every protocol of this family. */
export type MutexStatus = "idle" | "waiting" | "inside";

/**
 * A request: its timestamp (or, where the protocol has none, its number at its process), then its process. With
 * timestamps, a place in the total order of all requests.
 *
 * Source: L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", CACM 21(7), 1978.
 */
export type Stamp = readonly [timestamp: number, process: ProcessId];

/** Whether `a` comes first. Ties by position in `processes`, which is the same everywhere, so P10 follows P9. */
export function precedes(a: Stamp, b: Stamp, processes: readonly ProcessId[]): boolean {
  return a[0] < b[0] || (a[0] === b[0] && processes.indexOf(a[1]) < processes.indexOf(b[1]));
}

/** A stamp as one number that keeps the order: the fencing token where entries come in the order of stamps. */
export function fenceOf([timestamp, process]: Stamp, processes: readonly ProcessId[]): number {
  return timestamp * processes.length + processes.indexOf(process);
}

/** Whether a process that is `status` may ask; explains why not. */
export function mayAcquire(status: MutexStatus, ctx: Context<never, MutexOutput>): boolean {
  if (status !== "idle") ctx.explain("mutex.already", { status });
  return status === "idle";
}

/** Whether a process that is `status` may leave; explains why not. */
export function mayRelease(status: MutexStatus, ctx: Context<never, MutexOutput>): boolean {
  if (status !== "inside") ctx.explain("mutex.not-inside", { status });
  return status === "inside";
}

/** A sentence for every rule above; the process itself is the subject. */
export const mutexNarration: Readonly<Record<string, string>> = {
  "mutex.already": "was told to acquire, but is {status} already",
  "mutex.not-inside": "was told to release, but is {status}",
};
