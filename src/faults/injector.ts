import type { Instant, ProcessId } from "../core/index.js";
import { invariant } from "../core/index.js";
import { checkFaults } from "./check.js";
import { LinkInjector } from "./link-injector.js";
import type { FaultPlan, ScheduledFault } from "./plan.js";
import { spanOf, Timeline } from "./timeline.js";
import { DELIVERED } from "./verdict.js";
import type { Verdict } from "./verdict.js";

/**
 * Decides what becomes of each message. Simulator and host ask the same injector, and the verdict on the k-th message
 * of a link depends on seed, plan, link, k and the time alone: who else sends, and when, shifts nothing.
 */
export interface Injector {
  /**
   * To be asked once per message, in the order sent on the link. `now` is the send, on the reference axis. What a
   * process sends to itself passes no link, so it always arrives.
   */
  verdict(from: ProcessId, to: ProcessId, now: Instant): Verdict;

  /** Whether a message that arrives at `to` gets in; if not, it is dropped there as `failed-receive`. */
  receives(to: ProcessId, now: Instant): boolean;

  /** Whether what the process saves now is lost: its disk is full. */
  savesFail(process: ProcessId, now: Instant): boolean;
}

/** Throws a `UsageError` when the plan makes no sense or names a process that does not take part. */
export type CreateInjector = (plan: FaultPlan, processes: readonly ProcessId[], seed: number) => Injector;

export const createInjector: CreateInjector = (plan, processes, seed) => {
  checkFaults(plan, processes);
  if (plan.links.length === 0 && plan.schedule.length === 0) return PERFECT;
  return new PlanInjector(plan, processes, seed);
};

const PERFECT: Injector = {
  verdict: () => DELIVERED,
  receives: () => true,
  savesFail: () => false,
};

class PlanInjector implements Injector {
  readonly #plan: FaultPlan;
  readonly #seed: number;
  /** By sender, then receiver; filled as links come into use, since few runs use all of n². */
  readonly #links = new Map<ProcessId, Map<ProcessId, LinkInjector>>();
  readonly #deaf: ReadonlyMap<ProcessId, Timeline<true>>;
  readonly #full: ReadonlyMap<ProcessId, Timeline<true>>;

  constructor(plan: FaultPlan, processes: readonly ProcessId[], seed: number) {
    this.#plan = plan;
    this.#seed = seed;
    for (const process of processes) this.#links.set(process, new Map());
    this.#deaf = timelinesOf(plan, "failed-receive");
    this.#full = timelinesOf(plan, "disk-full");
  }

  verdict(from: ProcessId, to: ProcessId, now: Instant): Verdict {
    if (from === to) return DELIVERED;
    const link = this.#links.get(from)?.get(to) ?? this.#open(from, to);
    return link.verdict(now);
  }

  receives(to: ProcessId, now: Instant): boolean {
    return this.#deaf.get(to)?.at(now) === undefined;
  }

  savesFail(process: ProcessId, now: Instant): boolean {
    return this.#full.get(process)?.at(now) !== undefined;
  }

  #open(from: ProcessId, to: ProcessId): LinkInjector {
    const outgoing = this.#links.get(from);
    invariant(
      outgoing !== undefined && this.#links.has(to),
      `a message from ${from} to ${to}, not both of this run`,
    );
    const link = new LinkInjector(this.#plan, from, to, this.#seed);
    outgoing.set(to, link);
    return link;
  }
}

function timelinesOf(
  plan: FaultPlan,
  kind: "failed-receive" | "disk-full",
): ReadonlyMap<ProcessId, Timeline<true>> {
  const faults = new Map<ProcessId, ScheduledFault[]>();
  for (const fault of plan.schedule) {
    if (fault.kind !== kind) continue;
    const those = faults.get(fault.process);
    if (those === undefined) faults.set(fault.process, [fault]);
    else those.push(fault);
  }
  const timelines = new Map<ProcessId, Timeline<true>>();
  for (const [process, those] of faults) {
    timelines.set(
      process,
      new Timeline(
        [true],
        those.map((fault) => ({ ...spanOf(fault), value: true as const })),
      ),
    );
  }
  return timelines;
}
