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

/** What moves from process to process; whoever has it may enter. */
export interface SuzukiKasamiToken extends EpochToken {
  /** The paper's LN: number of the last request of each process that was served; absent is 0. */
  readonly served: Readonly<Record<ProcessId, number>>;
  /** The paper's Q: who gets it next, in order. */
  readonly queue: readonly ProcessId[];
}

/** What a process tells in a census: its last request, and the last that was served. */
interface Note {
  readonly requested: number;
  readonly served: number;
}

/** What a process knows. */
export interface SuzukiKasamiState extends CensusState<Note> {
  readonly status: MutexStatus;
  /** The paper's RN: highest request number heard of each process, the own one included; absent is 0. */
  readonly requests: Readonly<Record<ProcessId, number>>;
  readonly token: SuzukiKasamiToken | null;
}

export type SuzukiKasamiMessage =
  | { readonly kind: "request"; readonly number: number }
  | { readonly kind: "token"; readonly token: SuzukiKasamiToken }
  | CensusMessage<Note>;

export interface SuzukiKasamiOptions {
  /** Who waits longer than this suspects that the token is lost, and asks; 0 never asks, as in the paper. */
  readonly patience?: Duration;
}

/**
 * Mutual exclusion by a token that is asked of everybody: n messages per entry, or none where the token already is.
 *
 * Needs reliable links; tolerates any delivery order. A crash may take the token along; with
 * `patience` those who wait make a new one once every process is up again and has said that it has none.
 * Source: I. Suzuki and T. Kasami, "A Distributed Mutual Exclusion Algorithm", TOCS 3(4), 1985.
 */
export function suzukiKasami({ patience = 0 }: SuzukiKasamiOptions = {}): Protocol<
  SuzukiKasamiState,
  SuzukiKasamiMessage,
  MutexCommand,
  MutexOutput
> {
  return {
    name: "suzuki-kasami",

    start(ctx) {
      const first = ctx.self === ctx.processes[0];
      return { ...initial(NOTHING_SAVED, ctx), token: first ? { ...NEW_TOKEN, epoch: 0 } : null };
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
        case "request":
          return onRequest(state, from, message.number, ctx);
        case "token":
          return onToken(state, message.token, ctx);
        case "enquiry":
          return onEnquiry(state, from, message.epoch, message.note, ctx);
        case "absent":
        case "present":
        case "superseded":
          return onAnswer(state, from, message, ctx);
      }
    },

    onTimer(state, _timer, ctx) {
      if (state.status !== "waiting") return state;
      const next = saved(beginCensus(state, noteOf(state, ctx), ctx), ctx);
      ctx.setTimer("patience", patienceOf(next, patience));
      return next;
    },

    // A token that was here is lost with the process, and never made anew by it alone.
    onRestart(durable, ctx) {
      return initial(isDurable(durable) ? durable : NOTHING_SAVED, ctx);
    },
  };
}

type SuzukiKasamiContext = Context<SuzukiKasamiMessage, MutexOutput>;

const NEW_TOKEN = { passes: 0, entries: 0, served: {}, queue: [] };

function initial(
  { number, epoch, passes }: Durable,
  ctx: Pick<SuzukiKasamiContext, "self">,
): SuzukiKasamiState {
  const requests = { [ctx.self]: number };
  return { status: "idle", requests, token: null, epoch, passes, census: null, enquiries: 0 };
}

function request(state: SuzukiKasamiState, patience: Duration, ctx: SuzukiKasamiContext): SuzukiKasamiState {
  if (!mayAcquire(state.status, ctx)) return state;
  const number = numberOf(state, ctx.self) + 1;
  const own: Stamp = [number, ctx.self];
  const next = saved({ ...state, requests: { ...state.requests, [ctx.self]: number } }, ctx);
  ctx.output({ kind: "requested", stamp: own });
  if (next.token !== null) {
    ctx.explain("sk.enter.kept", { own });
    return enter(next, next.token, ctx);
  }
  ctx.explain("sk.request", { own });
  ctx.broadcast({ kind: "request", number });
  if (patience > 0) ctx.setTimer("patience", patience);
  return { ...next, status: "waiting" };
}

function onRequest(
  state: SuzukiKasamiState,
  from: ProcessId,
  number: number,
  ctx: SuzukiKasamiContext,
): SuzukiKasamiState {
  const theirs: Stamp = [number, from];
  const requests = { ...state.requests, [from]: Math.max(numberOf(state, from), number) };
  const next = { ...state, requests };
  if (state.token === null) ctx.explain("sk.note", { peer: from, theirs });
  else if (state.status === "inside") ctx.explain("sk.note.inside", { peer: from, theirs });
  else if (!isOutstanding(next, state.token, from)) ctx.explain("sk.stale", { peer: from, theirs });
  else {
    ctx.explain("sk.pass.idle", { peer: from, theirs });
    return pass(next, state.token, from, ctx);
  }
  return next;
}

function onToken(
  state: SuzukiKasamiState,
  token: SuzukiKasamiToken,
  ctx: SuzukiKasamiContext,
): SuzukiKasamiState {
  const taken = takeToken(state, token, ctx);
  if (taken === undefined) return state;
  const next = saved(taken, ctx);
  if (state.status !== "waiting") {
    // It was asked for before a crash; whoever waits gets it.
    return passToNext(
      next,
      { ...token, served: { ...token.served, [ctx.self]: numberOf(next, ctx.self) } },
      ctx,
    );
  }
  ctx.explain("sk.enter", { own: [numberOf(state, ctx.self), ctx.self] });
  return enter(next, token, ctx);
}

function enter(
  state: SuzukiKasamiState,
  token: SuzukiKasamiToken,
  ctx: SuzukiKasamiContext,
): SuzukiKasamiState {
  const stamp: Stamp = [numberOf(state, ctx.self), ctx.self];
  if (state.status === "waiting") ctx.cancelTimer("patience");
  ctx.output({ kind: "entered", stamp, fence: nextFence(token) });
  return { ...state, status: "inside", token: { ...token, entries: token.entries + 1 } };
}

function exit(state: SuzukiKasamiState, ctx: SuzukiKasamiContext): SuzukiKasamiState {
  if (!mayRelease(state.status, ctx) || state.token === null) return state;
  const number = numberOf(state, ctx.self);
  ctx.output({ kind: "exited", stamp: [number, ctx.self] });
  const served = { ...state.token.served, [ctx.self]: number };
  return passToNext({ ...state, status: "idle" }, { ...state.token, served }, ctx);
}

/** Queues everybody who waits, and passes the token to the head of the queue; keeps it when nobody waits. */
function passToNext(
  state: SuzukiKasamiState,
  token: SuzukiKasamiToken,
  ctx: SuzukiKasamiContext,
): SuzukiKasamiState {
  const behind = ctx.peers.filter((peer) => !token.queue.includes(peer) && isOutstanding(state, token, peer));
  const [head, ...queue] = [...token.queue, ...behind];
  if (head === undefined) return { ...state, token };
  ctx.explain("sk.pass", { peer: head, queue });
  return pass(state, { ...token, queue }, head, ctx);
}

function pass(
  state: SuzukiKasamiState,
  token: SuzukiKasamiToken,
  to: ProcessId,
  ctx: SuzukiKasamiContext,
): SuzukiKasamiState {
  ctx.send(to, { kind: "token", token: { ...token, passes: token.passes + 1 } });
  return { ...state, token: null };
}

/** Whether `process` has asked and was not served since. Exactly one ahead in the paper; more after a restart. */
function isOutstanding(state: SuzukiKasamiState, token: SuzukiKasamiToken, process: ProcessId): boolean {
  return numberOf(state, process) > (token.served[process] ?? 0);
}

/** An enquiry is a request besides: the first one may have gone to a process that has crashed since. */
function onEnquiry(
  state: SuzukiKasamiState,
  from: ProcessId,
  epoch: number,
  theirs: Note,
  ctx: SuzukiKasamiContext,
): SuzukiKasamiState {
  const holds = state.token !== null;
  const next = saved(answerEnquiry(state, from, epoch, { holds, note: noteOf(state, ctx) }, ctx), ctx);
  const token = next.token === null ? null : { ...next.token, epoch: next.epoch };
  return onRequest({ ...next, token }, from, theirs.requested, ctx);
}

function onAnswer(
  state: SuzukiKasamiState,
  from: ProcessId,
  message: Exclude<CensusMessage<Note>, { kind: "enquiry" }>,
  ctx: SuzukiKasamiContext,
): SuzukiKasamiState {
  const { state: next, lost } = takeAnswer<Note, SuzukiKasamiState>(state, from, message, ctx);
  if (next.epoch !== state.epoch) saved(next, ctx);
  if (lost === undefined) return next;
  const requests = { ...next.requests };
  const served: Record<ProcessId, number> = { [ctx.self]: noteOf(next, ctx).served };
  for (const peer of ctx.peers) {
    const note = lost[peer];
    if (note === undefined) continue;
    requests[peer] = Math.max(requests[peer] ?? 0, note.requested);
    served[peer] = note.served;
  }
  return enter({ ...next, requests }, { ...NEW_TOKEN, epoch: next.epoch, served }, ctx);
}

function noteOf(state: SuzukiKasamiState, ctx: SuzukiKasamiContext): Note {
  const requested = numberOf(state, ctx.self);
  return { requested, served: state.status === "waiting" ? requested - 1 : requested };
}

function numberOf(state: SuzukiKasamiState, process: ProcessId): number {
  return state.requests[process] ?? 0;
}

interface Durable {
  readonly number: number;
  readonly epoch: number;
  readonly passes: number;
}

const NOTHING_SAVED: Durable = { number: 0, epoch: 0, passes: 0 };

/** What must survive a crash: request numbers that are never given twice, and which tokens to refuse. */
function saved(state: SuzukiKasamiState, ctx: SuzukiKasamiContext): SuzukiKasamiState {
  const durable: Durable = { number: numberOf(state, ctx.self), epoch: state.epoch, passes: state.passes };
  ctx.save(durable);
  return state;
}

function isDurable(value: unknown): value is Durable {
  return typeof value === "object" && value !== null && "number" in value && "passes" in value;
}

/** A sentence for every rule above; the process itself is the subject. */
export const suzukiKasamiNarration: Readonly<Record<string, string>> = {
  ...mutexNarration,
  ...censusNarration,
  "sk.request": "asks everyone for the token, with request {own}",
  "sk.enter.kept": "has the token still and enters with {own}, asking nobody",
  "sk.note": "notes that {peer} wants the token: {theirs}",
  "sk.note.inside": "has the token and is inside; {peer} must wait with {theirs}",
  "sk.stale": "keeps the token: {theirs} of {peer} has been served already",
  "sk.pass.idle": "does not need the token and passes it to {peer}",
  "sk.enter": "gets the token and enters with {own}",
  "sk.pass": "passes the token to {peer}; behind it wait: {queue}",
};
