import type { Instant, ProcessId } from "../core/index.js";
import type { FaultPlan, Verdict } from "./plan.js";

/**
 * Decides what becomes of each message. Simulator and host ask the same injector, and the verdict on the k-th message
 * of a link depends on seed, plan, link, k and the time alone.
 */
export interface Injector {
  /** `now` is on the reference axis. */
  verdict(from: ProcessId, to: ProcessId, now: Instant): Verdict;
}

export type CreateInjector = (plan: FaultPlan, processes: readonly ProcessId[], seed: number) => Injector;
