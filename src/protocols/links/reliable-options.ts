import type { Duration } from "../../core/index.js";
import { DURATION_MAX, MILLISECOND, SECOND, UsageError } from "../../core/index.js";

/** How `reliable` trades traffic for speed of repair. Durations in microseconds, by the process's own clock. */
export interface ReliableOptions {
  /** How long an acknowledgement waits for a message that can carry it; default 10 ms. */
  readonly acknowledgeAfter: Duration;
  /** From the first unacknowledged message, or the peer's last word, to a heartbeat; default 200 ms. */
  readonly heartbeatAfter: Duration;
  /** Heartbeats without an answer come at doubling intervals up to this; default 2 s. */
  readonly heartbeatMax: Duration;
  /** How long a gap may be mere reordering before the receiver asks; default 25 ms. */
  readonly repairAfter: Duration;
  /** It asks again at doubling intervals up to this; default 1 s. */
  readonly repairMax: Duration;
  /** Heartbeats, or requests for what is missing, without any answer before the link gives up; default 100. */
  readonly maxRetries: number;
  /** Unacknowledged messages on their way to a peer, and how far ahead it accepts one; default 1024. */
  readonly window: number;
  /** Messages kept for a peer, the window included; more are refused by the rule "link.refused". Default 4096. */
  readonly queueMax: number;
}

export const RELIABLE_DEFAULTS: ReliableOptions = {
  acknowledgeAfter: 10 * MILLISECOND,
  heartbeatAfter: 200 * MILLISECOND,
  heartbeatMax: 2 * SECOND,
  repairAfter: 25 * MILLISECOND,
  repairMax: 1 * SECOND,
  maxRetries: 100,
  window: 1024,
  queueMax: 4096,
};

/** Not more than `fifo` can put in order: see `FIFO_EARLY_MAX`. */
const WINDOW_MAX = 4096;

/** The defaults with `given` over them; throws a {@link UsageError} that names the first that cannot be. */
export function reliableOptions(given: Partial<ReliableOptions>): ReliableOptions {
  const options = { ...RELIABLE_DEFAULTS, ...given };
  for (const name of [
    "acknowledgeAfter",
    "heartbeatAfter",
    "heartbeatMax",
    "repairAfter",
    "repairMax",
  ] as const) {
    checkWhole(name, options[name], 1, DURATION_MAX, "microseconds");
  }
  checkWhole("maxRetries", options.maxRetries, 0, 1_000_000, "attempts");
  checkWhole("window", options.window, 1, WINDOW_MAX, "messages");
  checkWhole("queueMax", options.queueMax, options.window, 1_048_576, "messages, not less than the window");
  return options;
}

function checkWhole(name: string, value: number, min: number, max: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new UsageError(`reliable: ${name} is ${value}; give a whole number from ${min} to ${max} (${what})`, {
    name,
    value,
  });
}
