import type { Instant, ProcessId } from "../core/index.js";
import { MILLISECOND, Random } from "../core/index.js";
import { DelayDistribution } from "./delay.js";
import { linkFaultsOf } from "./link-faults.js";
import type { FaultPlan, ScheduledFault } from "./plan.js";
import { spanOf, Timeline } from "./timeline.js";
import type { Span } from "./timeline.js";
import { DELIVERED } from "./verdict.js";
import type { Arrival, Verdict } from "./verdict.js";

const LOST: Verdict = { kind: "drop", reason: "loss" };
const CORRUPT: Verdict = { kind: "drop", reason: "corrupt" };
const FAILED_SEND: Verdict = { kind: "drop", reason: "failed-send" };
const REFUSED: Verdict = { kind: "drop", reason: "refused" };
const PARTITIONED: Verdict = { kind: "drop", reason: "partition" };

/** Nearest the sender first: a message that never left cannot be refused. */
const CUTS: readonly Verdict[] = [FAILED_SEND, REFUSED, PARTITIONED];

/** Below it a hold is lost among the steps of a fast run. */
const HOLD_MIN = 2 * MILLISECOND;

/**
 * The faults of one direction of one link, resolved once: flat numbers, its own random stream, and the timeline of
 * what cuts it.
 *
 * Order of decisions: cut (failed send, refused, partition or one-way), loss, corruption; what is left is delayed,
 * perhaps held back for reordering, perhaps duplicated. Every message draws the same eight values, whatever the rates
 * and whatever becomes of it, so changing one rate leaves every other decision of the same seed alone.
 */
export class LinkInjector {
  readonly #cuts: Timeline<Verdict>;
  readonly #random: Random;
  readonly #loss: number;
  readonly #corrupt: number;
  readonly #duplicate: number;
  readonly #reorder: number;
  readonly #delay: DelayDistribution;
  /**
   * Shortest hold, at least twice the longest delay: what is sent right afterwards arrives first, even when the delay
   * treats it worst. The longest hold is twice that.
   */
  readonly #hold: number;
  /** Set when no value drawn could matter. */
  readonly #always: Verdict | undefined;

  constructor(plan: FaultPlan, from: ProcessId, to: ProcessId, seed: number) {
    const { loss, corrupt, duplicate, reorder, delay } = linkFaultsOf(plan, from, to);
    this.#cuts = new Timeline(CUTS, cutsOf(plan, from, to));
    this.#random = Random.stream(seed, `fault:${from}>${to}`);
    this.#loss = loss;
    this.#corrupt = corrupt;
    this.#duplicate = duplicate;
    this.#reorder = reorder;
    this.#delay = new DelayDistribution(delay);
    this.#hold = Math.max(2 * delay.max, HOLD_MIN);
    if (loss + corrupt + duplicate + reorder === 0 && delay.min === delay.max) {
      this.#always = delay.max === 0 ? DELIVERED : { kind: "deliver", arrivals: [delayed(delay.max)] };
    }
  }

  verdict(now: Instant): Verdict {
    const cut = this.#cuts.at(now);
    if (this.#always !== undefined) return cut ?? this.#always;

    const random = this.#random;
    const lost = random.chance(this.#loss);
    const corrupted = random.chance(this.#corrupt);
    const duplicated = random.chance(this.#duplicate);
    const reordered = random.chance(this.#reorder);
    const delayDraw = random.fraction();
    const holdDraw = random.fraction();
    const copyDelayDraw = random.fraction();
    const copyExtraDraw = random.fraction();

    if (cut !== undefined) return cut;
    if (lost) return LOST;
    if (corrupted) return CORRUPT;

    const delay = this.#delay.quantile(delayDraw);
    const own: Arrival = reordered
      ? {
          after: delay + this.#hold + Math.floor(holdDraw * (this.#hold + 1)),
          overtakable: true,
          held: "reorder",
        }
      : delayed(delay);
    if (!duplicated) return { kind: "deliver", arrivals: [own] };

    // A copy takes another way: a delay of its own, and up to one shortest hold more, so that it can come late.
    const copyAfter = this.#delay.quantile(copyDelayDraw) + 1 + Math.floor(copyExtraDraw * this.#hold);
    return { kind: "deliver", arrivals: [own, { after: copyAfter, overtakable: true, held: undefined }] };
  }
}

function delayed(after: number): Arrival {
  return { after, overtakable: false, held: after === 0 ? undefined : "delay" };
}

function cutsOf(plan: FaultPlan, from: ProcessId, to: ProcessId): Span<Verdict>[] {
  const spans: Span<Verdict>[] = [];
  for (const fault of plan.schedule) {
    const verdict = cutBy(fault, from, to);
    if (verdict !== undefined) spans.push({ ...spanOf(fault), value: verdict });
  }
  return spans;
}

/** What a message from `from` to `to` meets while the fault is in force; `undefined` when it gets through. */
function cutBy(fault: ScheduledFault, from: ProcessId, to: ProcessId): Verdict | undefined {
  switch (fault.kind) {
    case "failed-send":
      return fault.process === from ? FAILED_SEND : undefined;
    case "refuse":
      return fault.process === from || fault.process === to ? REFUSED : undefined;
    case "one-way":
      return fault.from === from && fault.to === to ? PARTITIONED : undefined;
    case "partition": {
      const mine = fault.groups.findIndex((group) => group.includes(from));
      const theirs = fault.groups.findIndex((group) => group.includes(to));
      return mine >= 0 && theirs >= 0 && mine !== theirs ? PARTITIONED : undefined;
    }
    // These act on processes: receiver, host and store ask for them.
    case "failed-receive":
    case "disk-full":
    case "crash":
    case "restart":
    case "pause":
    case "clock":
      return undefined;
  }
}
