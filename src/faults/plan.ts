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
  /** Arrives twice; the second arrival may come after later messages of the link, never before the first in line. */
  readonly duplicate?: number;
  /** A message chosen with this probability is held back so that later ones of its link can overtake it. */
  readonly reorder?: number;
  /** A bit of the frame is flipped; the checksum finds it, so the receiver drops the message. */
  readonly corrupt?: number;
  /** Keeps the link's order. With `mean` the distribution is a truncated exponential, otherwise uniform. */
  readonly delay?: DelayFault;
}

/** Bounds in whole microseconds, both included; `min <= mean <= max`. */
export interface DelayFault {
  readonly min: Duration;
  readonly max: Duration;
  readonly mean?: Duration;
}

/**
 * A fault with a beginning on the reference axis, in force from `at` until just before `until`; `until` absent: to the
 * end of the run. What cuts a link acts on messages sent meanwhile; those already under way arrive.
 */
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
  /**
   * The process's clock steps by `step` and from then on gains `driftPpm` parts per million, whatever it gained before.
   */
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
  | {
      readonly kind: "failed-send";
      readonly process: ProcessId;
      readonly at: Instant;
      readonly until?: Instant;
    }
  /** Everything that reaches the process is lost there. */
  | {
      readonly kind: "failed-receive";
      readonly process: ProcessId;
      readonly at: Instant;
      readonly until?: Instant;
    }
  /** What the process saves is not kept. */
  | {
      readonly kind: "disk-full";
      readonly process: ProcessId;
      readonly at: Instant;
      readonly until?: Instant;
    };

export const NO_FAULTS: FaultPlan = { links: [], schedule: [] };

/** Longest fault text, in characters; a plan anyone writes is a thousand times shorter. */
export const FAULT_TEXT_MAX = 65_536;

/** Most entries of a plan, links and schedule together. */
export const FAULT_ITEMS_MAX = 1_000;

/** Fastest and slowest clock: half as fast again, and half as fast. Parts per million. */
export const DRIFT_PPM_MAX = 500_000;
