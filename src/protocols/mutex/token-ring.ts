import type { Context, Duration, ProcessId, Protocol } from "../../core/index.js";
import {
  mayAcquire,
  mayRelease,
  mutexNarration,
  type MutexCommand,
  type MutexOutput,
  type MutexStatus,
  type Stamp,
} from "./mutex.js";
import {
  answerEnquiry,
  beginCensus,
  censusNarration,
  nextFence,
  patienceOf,
  takeAnswer,
  takeToken,
  type CensusMessage,
  type CensusState,
  type EpochToken,
} from "./token-census.js";

/** What goes round; whoever has it may enter. */
export interface RingToken extends EpochToken {
  /** Processes in a row that it has passed without need. After a round of them it rests. */
  readonly unused: number;
}

/** What a process knows. */
export interface TokenRingState extends CensusState<null> {
  readonly status: MutexStatus;
  /** Number of its last request; its requests count from 1. */
  readonly number: number;
  readonly token: RingToken | null;
  /** Whether somebody asked through here since the token last came by. */
  readonly wanted: boolean;
}

export type TokenRingMessage =
  | { readonly kind: "token"; readonly token: RingToken }
  /** Goes round until it meets the token, or somebody who waits for it too. */
  | { readonly kind: "wake"; readonly origin: ProcessId }
  | CensusMessage<null>;

export interface TokenRingOptions {
  /** Who waits longer than this suspects that the token is lost, and asks; 0 never asks. */
  readonly patience?: Duration;
}

/**
 * Mutual exclusion by a token that goes round: one message per entry when all want in, up to a round or two when few do.
 *
 * The ring is the order of the processes. Needs reliable links; tolerates any delivery order. A token that nobody
 * needed for a whole round rests until somebody asks. A crash stops it, or takes it along; with `patience` those who
 * wait make a new one once every process is up again and has said that it has none. Source: G. Le Lann, "Distributed
 * Systems: Towards a Formal Approach", IFIP 1977; that the token rests is A. J. Martin's, "Distributed Mutual
 * Exclusion on a Ring of Processes", Science of Computer Programming 5, 1985, in another form.
 */
export function tokenRing({ patience = 0 }: TokenRingOptions = {}): Protocol<
  TokenRingState,
  TokenRingMessage,
  MutexCommand,
  MutexOutput
> {
  return {
    name: "token-ring",

    start(ctx) {
      const first = ctx.self === ctx.processes[0];
      return { ...initial(NOTHING_SAVED), token: first ? { ...NEW_TOKEN, epoch: 0 } : null };
    },

    onCommand(state, command, ctx) {
      switch (command.kind) {
        case "acquire":
          return request(state, patience, ctx);
        case "release":
          return exit(state, ctx);
      }
    },

    onMessage(state, from, message, ctx) {
      switch (message.kind) {
        case "token":
          return onToken(state, message.token, ctx);
        case "wake":
          return onWake(state, message.origin, ctx);
        case "enquiry":
          return onEnquiry(state, from, message.epoch, ctx);
        case "absent":
        case "present":
        case "superseded":
          return onAnswer(state, from, message, ctx);
      }
    },

    onTimer(state, _timer, ctx) {
      if (state.status !== "waiting") return state;
      const next = saved(beginCensus(state, null, ctx), ctx);
      ctx.setTimer("patience", patienceOf(next, patience));
      return next;
    },

    // A token that was here is lost with the process, and never made anew by it alone.
    onRestart: (durable) => initial(isDurable(durable) ? durable : NOTHING_SAVED),
  };
}

type TokenRingContext = Context<TokenRingMessage, MutexOutput>;

const NEW_TOKEN = { passes: 0, entries: 0, unused: 0 };

function initial({ number, epoch, passes }: Durable): TokenRingState {
  return { status: "idle", number, token: null, wanted: false, epoch, passes, census: null, enquiries: 0 };
}

function request(state: TokenRingState, patience: Duration, ctx: TokenRingContext): TokenRingState {
  if (!mayAcquire(state.status, ctx)) return state;
  const number = state.number + 1;
  const own: Stamp = [number, ctx.self];
  const next = saved({ ...state, number }, ctx);
  ctx.output({ kind: "requested", stamp: own });
  if (next.token !== null) {
    ctx.explain("ring.enter.resting", { own });
    return enter(next, next.token, ctx);
  }
  ctx.explain("ring.request", { own, peer: successor(ctx) });
  ctx.send(successor(ctx), { kind: "wake", origin: ctx.self });
  if (patience > 0) ctx.setTimer("patience", patience);
  return { ...next, status: "waiting" };
}

function onWake(state: TokenRingState, origin: ProcessId, ctx: TokenRingContext): TokenRingState {
  if (origin === ctx.self) {
    ctx.explain("ring.round", {});
    return state;
  }
  if (state.status !== "idle") {
    // The token comes here first, and from here goes a whole round.
    ctx.explain("ring.wake.busy", { origin, status: state.status });
    return state;
  }
  if (state.token !== null) {
    ctx.explain("ring.wake", { origin, peer: successor(ctx) });
    return pass(state, { ...state.token, unused: 0 }, ctx);
  }
  ctx.send(successor(ctx), { kind: "wake", origin });
  return { ...state, wanted: true };
}

function onToken(state: TokenRingState, token: RingToken, ctx: TokenRingContext): TokenRingState {
  const next = takeToken(state, token, ctx);
  if (next === undefined) return state;
  saved(next, ctx);
  if (state.status === "waiting") {
    ctx.explain("ring.enter", { own: [state.number, ctx.self] });
    return enter(next, token, ctx);
  }
  // Whoever asked through here is further on: the token owes it a whole round.
  const unused = state.wanted ? 1 : token.unused + 1;
  if (unused <= ctx.processes.length) return pass(next, { ...token, unused }, ctx);
  ctx.explain("ring.rest", {});
  return { ...next, token };
}

function enter(state: TokenRingState, token: RingToken, ctx: TokenRingContext): TokenRingState {
  if (state.status === "waiting") ctx.cancelTimer("patience");
  ctx.output({ kind: "entered", stamp: [state.number, ctx.self], fence: nextFence(token) });
  return { ...state, status: "inside", token: { ...token, entries: token.entries + 1, unused: 0 } };
}

function exit(state: TokenRingState, ctx: TokenRingContext): TokenRingState {
  if (!mayRelease(state.status, ctx) || state.token === null) return state;
  ctx.output({ kind: "exited", stamp: [state.number, ctx.self] });
  const next: TokenRingState = { ...state, status: "idle" };
  return ctx.peers.length === 0 ? next : pass(next, state.token, ctx);
}

function pass(state: TokenRingState, token: RingToken, ctx: TokenRingContext): TokenRingState {
  ctx.send(successor(ctx), { kind: "token", token: { ...token, passes: token.passes + 1 } });
  return { ...state, token: null, wanted: false };
}

function successor(ctx: TokenRingContext): ProcessId {
  const place = ctx.processes.indexOf(ctx.self);
  return ctx.processes[(place + 1) % ctx.processes.length] ?? ctx.self;
}

/** An enquiry wakes a resting token besides: what was to wake it may have gone to a process that has crashed since. */
function onEnquiry(
  state: TokenRingState,
  from: ProcessId,
  epoch: number,
  ctx: TokenRingContext,
): TokenRingState {
  const holds = state.token !== null;
  const next = saved(answerEnquiry(state, from, epoch, { holds, note: null }, ctx), ctx);
  if (next.token === null) return next;
  const token = { ...next.token, epoch: next.epoch, unused: 0 };
  return state.status === "idle" ? pass(next, token, ctx) : { ...next, token };
}

function onAnswer(
  state: TokenRingState,
  from: ProcessId,
  message: Exclude<CensusMessage<null>, { kind: "enquiry" }>,
  ctx: TokenRingContext,
): TokenRingState {
  const { state: next, lost } = takeAnswer<null, TokenRingState>(state, from, message, ctx);
  if (next.epoch !== state.epoch) saved(next, ctx);
  return lost === undefined ? next : enter(next, { ...NEW_TOKEN, epoch: next.epoch }, ctx);
}

interface Durable {
  readonly number: number;
  readonly epoch: number;
  readonly passes: number;
}

const NOTHING_SAVED: Durable = { number: 0, epoch: 0, passes: 0 };

/** What must survive a crash: request numbers that are never given twice, and which tokens to refuse. */
function saved(state: TokenRingState, ctx: TokenRingContext): TokenRingState {
  const durable: Durable = { number: state.number, epoch: state.epoch, passes: state.passes };
  ctx.save(durable);
  return state;
}

function isDurable(value: unknown): value is Durable {
  return typeof value === "object" && value !== null && "number" in value && "passes" in value;
}

/** A sentence for every rule above; the process itself is the subject. */
export const tokenRingNarration: Readonly<Record<string, string>> = {
  ...mutexNarration,
  ...censusNarration,
  "ring.request": "wants the token, with request {own}, and asks round the ring, {peer} first",
  "ring.enter.resting": "has the resting token and enters with {own}",
  "ring.round": "hears its own question again: nobody on the ring has a resting token, so it is under way",
  "ring.wake.busy": "keeps the question of {origin}: it is {status}, so the token comes by {origin} after it",
  "ring.wake": "has the resting token and sends it round to {origin}, {peer} first",
  "ring.enter": "gets the token and enters with {own}",
  "ring.rest": "keeps the token here: nobody wanted it for a whole round",
};
