import type { Context, Instant, ProcessId } from "../../core/index.js";
import { isReading, type ClockOutput, type RoundOutput, type SlewRule } from "./corrected-clock.js";
import { aimNow, type KeptClock } from "./kept-clock.js";

/** What a client and a server of the time say to each other; T1 is `sent`, T2 `received`, T3 `answered`. */
export type TimeMessage =
  | { readonly kind: "request"; readonly seq: number; readonly sent: Instant }
  | {
      readonly kind: "reply";
      readonly seq: number;
      readonly sent: Instant;
      readonly received: Instant;
      readonly answered: Instant;
    };

/** What a client of the time tells its user. */
export type TimeOutput = ClockOutput | RoundOutput;

export type TimeContext = Context<TimeMessage, TimeOutput>;

/** A request that waits for its reply. */
export interface Outstanding {
  readonly seq: number;
  /** T1, by the own clock. */
  readonly sent: Instant;
}

/** How clients keep to their servers. */
export interface TimeOptions extends SlewRule {
  /** What each clock shows when its host's shows 0, in the order of processes; missing ones show the host's. */
  readonly clocks: readonly Instant[];
  /** Rounds until a client rests. */
  readonly rounds: number;
  /** From one round to the next. */
  readonly period: number;
  /** How long a reply may take; later ones do not count. */
  readonly patience: number;
  /** The least time a message takes, if it is known. */
  readonly delayMin: number;
}

/** A server's whole part: it says what its clock shows. */
export function serve(
  state: KeptClock,
  from: ProcessId,
  { seq, sent }: TimeMessage & { kind: "request" },
  ctx: TimeContext,
): void {
  const reading = aimNow(state, ctx);
  ctx.send(from, { kind: "reply", seq, sent, received: reading, answered: reading });
}

/** What a message says that no process of these protocols says; `undefined` when it is in order. */
export function nonsenseIn(message: TimeMessage): string | undefined {
  // It may have come over a network, from anybody.
  const given: unknown = message;
  if (typeof given !== "object" || given === null) return "no message at all";
  if (!Number.isSafeInteger(message.seq)) return said("seq", message.seq);
  if (!isReading(message.sent)) return said("sent", message.sent);
  if (message.kind === "request") return undefined;
  if (message.kind !== "reply") return "a kind of its own";
  if (!isReading(message.received)) return said("received", message.received);
  return isReading(message.answered) ? undefined : said("answered", message.answered);
}

function said(what: string, value: unknown): string {
  return `${what} ${String(value).slice(0, 40)}`;
}

/** How far the other's clock is ahead, and the time both ways took, from the four times of a request and its reply. */
export interface Sample {
  readonly offset: number;
  readonly delay: number;
}

/**
 * θ = ((T2 - T1) + (T3 - T4)) / 2 and δ = (T4 - T1) - (T3 - T2); the truth is within θ ± δ/2. Source: RFC 5905, §8.
 */
export function sampleOf(t1: Instant, t2: Instant, t3: Instant, t4: Instant): Sample {
  return { offset: Math.round((t2 - t1 + (t3 - t4)) / 2), delay: t4 - t1 - (t3 - t2) };
}
