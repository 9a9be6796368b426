import { JUMP_MAX } from "../../clocks/index.js";
import type { Duration, Instant, ProcessId } from "../../core/index.js";
import { isCorrection, isReading } from "./corrected-clock.js";

/** The messages of TSP, the protocol of Berkeley's time daemons; all carry the epoch of a master or of a candidate. */
export type BerkeleyMessage =
  /** T1 is `sent`, by the master's clock. */
  | {
      readonly kind: "poll";
      readonly round: number;
      readonly sample: number;
      readonly epoch: number;
      readonly sent: Instant;
    }
  /** T1, T2 and T3; the slave's clock where it did not come from the poll. */
  | {
      readonly kind: "answer";
      readonly round: number;
      readonly sample: number;
      readonly epoch: number;
      readonly sent: Instant;
      readonly received: Instant;
      readonly answered: Instant;
    }
  /** A difference, never a time: it stays right on its way. */
  | { readonly kind: "adjust"; readonly round: number; readonly epoch: number; readonly delta: Duration }
  | { readonly kind: "ack"; readonly round: number; readonly epoch: number }
  | { readonly kind: "election"; readonly epoch: number }
  | { readonly kind: "accept"; readonly epoch: number }
  | { readonly kind: "refuse"; readonly epoch: number }
  | { readonly kind: "master-up"; readonly epoch: number }
  /** There is a master, and a later one than you. */
  | { readonly kind: "quit"; readonly epoch: number; readonly master: ProcessId };

/**
 * What a message says that no process of this protocol says, such as `delta NaN`; `undefined` when it is in order.
 * `heard` is the highest epoch known: one that is further ahead than 2^20 would use the epochs up.
 */
export function nonsenseIn(
  message: BerkeleyMessage,
  from: ProcessId,
  processes: readonly ProcessId[],
  heard: number,
): string | undefined {
  if (!isRecord(message)) return "no message at all";
  if (!isCount(message.epoch) || message.epoch === 0 || message.epoch > heard + JUMP_MAX) {
    return said("epoch", message.epoch);
  }
  const owner = ownerOf(message.epoch, processes);
  const foreign = owner === from ? undefined : `epoch ${message.epoch}, which is one of ${owner}`;
  switch (message.kind) {
    case "poll":
      return foreign ?? uncounted(message) ?? unread("sent", message.sent);
    case "answer":
      return (
        uncounted(message) ??
        unread("sent", message.sent) ??
        unread("received", message.received) ??
        unread("answered", message.answered)
      );
    case "adjust":
      return (
        foreign ??
        uncounted(message) ??
        (isCorrection(message.delta) ? undefined : said("delta", message.delta))
      );
    case "ack":
      return uncounted(message);
    case "quit":
      return owner === message.master ? undefined : said("master", message.master);
    case "election":
    case "master-up":
      return foreign;
    case "accept":
    case "refuse":
      return undefined;
    default:
      return "a kind of its own";
  }
}

/** Whose the epoch is: of n processes each has every n-th, so no two masters ever share one. */
function ownerOf(epoch: number, processes: readonly ProcessId[]): ProcessId {
  return processes[(epoch - 1) % processes.length] ?? "";
}

/** The first of a process's own epochs that is later than `heard`. */
export function ownEpochAfter(heard: number, self: ProcessId, processes: readonly ProcessId[]): number {
  const first = processes.indexOf(self) + 1;
  return first + processes.length * Math.max(0, Math.ceil((heard + 1 - first) / processes.length));
}

function uncounted(message: { readonly round: number; readonly sample?: number }): string | undefined {
  if (!isCount(message.round)) return said("round", message.round);
  return isCount(message.sample ?? 0) ? undefined : said("sample", message.sample);
}

function unread(what: string, reading: Instant): string | undefined {
  return isReading(reading) ? undefined : said(what, reading);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function said(what: string, value: unknown): string {
  return `${what} ${String(value).slice(0, 40)}`;
}
