import {
  invariant,
  MILLISECOND,
  SECOND,
  unknownName,
  type Duration,
  type Plain,
  type ProcessId,
} from "../../core/index.js";

/**
 * What a caller may count on. `maybe`: one attempt, no promise. `at-least-once`: repeated until answered, perhaps run
 * again each time, so for idempotent operations only. `at-most-once`: never run twice; a restart of the server leaves
 * what was under way unknown. `exactly-once`: never run twice, through restarts of the server too, which keeps effect
 * and reply together on disk; unknown only when the caller's time runs out.
 */
export type CallMode = (typeof CALL_MODES)[number];

export const CALL_MODES = ["maybe", "at-least-once", "at-most-once", "exactly-once"] as const;

/** The mode of that name; throws a `UsageError` that names the nearest. */
export function callMode(name: string): CallMode {
  const found = CALL_MODES.find((mode) => mode === name);
  if (found === undefined) throw unknownName("mode", name, CALL_MODES);
  return found;
}

export interface RequestReplyOptions {
  /** Who serves; everybody else is a client. */
  readonly server: ProcessId;
  readonly mode: CallMode;
  /** Time for a call that names none. */
  readonly deadline: Duration;
  /** Sends of one call's request, the first included; after the last the client only waits. */
  readonly attemptsMax: number;
  /** The wait after attempt k is uniform between 0 and `backOffBase` · 2^(k-1), at most `backOffMax`. */
  readonly backOffBase: Duration;
  readonly backOffMax: Duration;
  /** Longest wait before the next attempt once the server has acknowledged; at least half of it. */
  readonly probeAfter: Duration;
  /** Work that takes longer is acknowledged after this long. */
  readonly acknowledgeAfter: Duration;
  /** Calls of one client from the oldest without an outcome to the newest; one more fails at once. */
  readonly window: number;
  /** Calls under way at the server, of all clients together; it ignores one more, whose client will try again. */
  readonly worksMax: number;
  /** Messages are neither lost nor reordered while a connection lives: nothing is sent again to make up for it. */
  readonly reliable?: boolean;
  /** How long the server works on a call before it has its effect: what computing costs, in a simulation. Default 0. */
  readonly work?: (method: string, args: Plain) => Duration;
}

export const REQUEST_REPLY_DEFAULTS: Omit<RequestReplyOptions, "server"> = {
  mode: "exactly-once",
  deadline: 5 * SECOND,
  attemptsMax: 30,
  // Ceilings of 100, 200, 400, 800, 1600, 2000 ms: 2.55 s expected over six attempts.
  backOffBase: 100 * MILLISECOND,
  backOffMax: 2 * SECOND,
  probeAfter: SECOND,
  acknowledgeAfter: 20 * MILLISECOND,
  window: 1024,
  worksMax: 4096,
};

export function checkRequestReplyOptions(options: RequestReplyOptions): void {
  const positive = [
    "deadline",
    "attemptsMax",
    "backOffBase",
    "backOffMax",
    "probeAfter",
    "window",
    "worksMax",
  ];
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== "number") continue;
    const least = positive.includes(name) ? 1 : 0;
    invariant(
      Number.isSafeInteger(value) && value >= least,
      `request/reply option ${name} is ${value}; it must be a whole number from ${least} up`,
    );
  }
}

/** Whether the server keeps replies, and so never runs a call twice. */
export function keepsReplies(mode: CallMode): boolean {
  return mode === "at-most-once" || mode === "exactly-once";
}
