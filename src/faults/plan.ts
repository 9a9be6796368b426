import type { Duration, Instant, ProcessId } from "../core/index.js";

/**
 * What is to go wrong in a run: data, the same for the simulator and for real processes. An empty plan is a perfect
 * network: every message arrives, once, in the order sent on its link.
 */
export interface FaultPlan {
  readonly links: readonly LinkFault[];
  readonly schedule: readonly ScheduledFault[];
}

/**
 * How one link, or every link, misbehaves. Rates are probabilities from 0 to 1. For a given link the fields of later
 * entries replace those of earlier ones, so "delay 5ms, P1->P3 loss 50%" leaves P1->P3 with both.
 */
export interface LinkFault {
  /** Absent: from anyone. */
  readonly from?: ProcessId;
  /** Absent: to anyone. */
  readonly to?: ProcessId;
  readonly loss?: number;
  readonly duplicate?: number;
  /** A message chosen with this probability is held back so that later ones of its link can overtake it. */
  readonly reorder?: number;
  /** A bit of the frame is flipped; the checksum finds it, so the receiver drops the message. */
  readonly corrupt?: number;
  /** Keeps the link's order. With `mean` the distribution is a truncated exponential, otherwise uniform. */
  readonly delay?: DelayFault;
}

export interface DelayFault {
  readonly min: Duration;
  readonly max: Duration;
  readonly mean?: Duration;
}

/** `until` absent: to the end of the run. */
export type ScheduledFault =
  /** Processes in different groups cannot reach each other; a process in no group reaches everyone. */
  | {
      readonly kind: "partition";
      readonly groups: readonly (readonly ProcessId[])[];
      readonly at: Instant;
      readonly until?: Instant;
    }
  /** Messages in that one direction are lost. */
  | {
      readonly kind: "one-way";
      readonly from: ProcessId;
      readonly to: ProcessId;
      readonly at: Instant;
      readonly until?: Instant;
    }
  | { readonly kind: "crash"; readonly process: ProcessId; readonly at: Instant }
  | { readonly kind: "restart"; readonly process: ProcessId; readonly at: Instant }
  | { readonly kind: "pause"; readonly process: ProcessId; readonly at: Instant; readonly until?: Instant }
  /** The process's clock steps by `step` and from then on gains `drift` parts per million. */
  | {
      readonly kind: "clock";
      readonly process: ProcessId;
      readonly at: Instant;
      readonly step: Duration;
      readonly driftPpm: number;
    }
  /** Nobody can connect to the process, and its links are down. */
  | { readonly kind: "refuse"; readonly process: ProcessId; readonly at: Instant; readonly until?: Instant }
  /** Everything the process sends is lost at the process, which is told nothing. */
  | { readonly kind: "failed-send"; readonly process: ProcessId; readonly at: Instant; readonly until?: Instant }
  /** Everything that reaches the process is lost there. */
  | { readonly kind: "failed-receive"; readonly process: ProcessId; readonly at: Instant; readonly until?: Instant }
  /** What the process saves is not kept. */
  | { readonly kind: "disk-full"; readonly process: ProcessId; readonly at: Instant; readonly until?: Instant };

export const NO_FAULTS: FaultPlan = { links: [], schedule: [] };

/** What happens to one message: one arrival per entry of `after` (two make a duplicate), or none and why. */
export type Verdict =
  | { readonly kind: "deliver"; readonly after: readonly Duration[]; readonly overtakable: boolean }
  | { readonly kind: "drop"; readonly reason: "loss" | "partition" | "corrupt" | "refused" | "failed-send" | "failed-receive" };
