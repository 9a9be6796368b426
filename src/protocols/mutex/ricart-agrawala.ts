import type { Context, ProcessId, Protocol } from "../../core/index.js";
import {
  fenceOf,
  mayAcquire,
  mayRelease,
  mutexNarration,
  precedes,
  type MutexCommand,
  type MutexOutput,
  type MutexStatus,
  type Stamp,
} from "./mutex.js";

/** What a process knows. `deferred` is Ricart and Agrawala's own word: requests answered when it leaves. */
export interface RicartAgrawalaState {
  readonly status: MutexStatus;
  /** Highest timestamp seen in any request, own ones included. */
  readonly highest: number;
  /** Timestamp of the own request; 0 while idle. */
  readonly timestamp: number;
  /** Peers whose reply is still missing: a set, not a count, so that a reply that comes twice counts once. */
  readonly pending: readonly ProcessId[];
  /** Requests that wait for our reply, in order of arrival. */
  readonly deferred: readonly Stamp[];
}

export type RicartAgrawalaMessage =
  | { readonly kind: "request"; readonly timestamp: number }
  /** `of` is the timestamp of the request answered; the paper's reply has none, ours makes stale replies harmless. */
  | { readonly kind: "reply"; readonly of: number };

/**
 * Mutual exclusion by timestamped requests: 2(n-1) messages per entry, no coordinator.
 *
 * Needs reliable links; tolerates any delivery order. A crash of any process blocks all the others.
 * Source: G. Ricart and A. K. Agrawala, "An Optimal Algorithm for Mutual Exclusion in Computer Networks",
 * CACM 24(1), 1981.
 */
export const ricartAgrawala: Protocol<RicartAgrawalaState, RicartAgrawalaMessage, MutexCommand, MutexOutput> =
  {
    name: "ricart-agrawala",

    start: () => ({ status: "idle", highest: 0, timestamp: 0, pending: [], deferred: [] }),

    onCommand(state, command, ctx) {
      switch (command.kind) {
        case "acquire":
          return request(state, ctx);
        case "release":
          return exit(state, ctx);
      }
    },

    onMessage(state, from, message, ctx) {
      switch (message.kind) {
        case "request":
          return onRequest(state, [message.timestamp, from], ctx);
        case "reply":
          return onReply(state, from, message.of, ctx);
      }
    },
  };

type MutexContext = Context<RicartAgrawalaMessage, MutexOutput>;

function request(state: RicartAgrawalaState, ctx: MutexContext): RicartAgrawalaState {
  if (!mayAcquire(state.status, ctx)) return state;
  const timestamp = state.highest + 1;
  ctx.output({ kind: "requested", stamp: [timestamp, ctx.self] });
  ctx.explain("ra.request", { own: [timestamp, ctx.self] });
  ctx.broadcast({ kind: "request", timestamp });
  return enterWhenAllReplied(
    { ...state, status: "waiting", highest: timestamp, timestamp, pending: ctx.peers },
    ctx,
  );
}

function onRequest(state: RicartAgrawalaState, theirs: Stamp, ctx: MutexContext): RicartAgrawalaState {
  const highest = Math.max(state.highest, theirs[0]);
  const own: Stamp = [state.timestamp, ctx.self];
  const peer = theirs[1];
  if (state.status === "inside") {
    ctx.explain("ra.defer.inside", { peer, theirs });
    return { ...state, highest, deferred: [...state.deferred, theirs] };
  }
  if (state.status === "waiting" && precedes(own, theirs, ctx.processes)) {
    ctx.explain("ra.defer.earlier", { peer, theirs, own });
    return { ...state, highest, deferred: [...state.deferred, theirs] };
  }
  if (state.status === "waiting") ctx.explain("ra.reply.later", { peer, theirs, own });
  else ctx.explain("ra.reply.idle", { peer, theirs });
  ctx.send(peer, { kind: "reply", of: theirs[0] });
  return { ...state, highest };
}

function onReply(
  state: RicartAgrawalaState,
  from: ProcessId,
  of: number,
  ctx: MutexContext,
): RicartAgrawalaState {
  if (state.status !== "waiting" || of !== state.timestamp) return state;
  return enterWhenAllReplied({ ...state, pending: state.pending.filter((peer) => peer !== from) }, ctx);
}

function enterWhenAllReplied(state: RicartAgrawalaState, ctx: MutexContext): RicartAgrawalaState {
  if (state.pending.length > 0) return state;
  const own: Stamp = [state.timestamp, ctx.self];
  ctx.explain("ra.enter", { own });
  ctx.output({ kind: "entered", stamp: own, fence: fenceOf(own, ctx.processes) });
  return { ...state, status: "inside" };
}

function exit(state: RicartAgrawalaState, ctx: MutexContext): RicartAgrawalaState {
  if (!mayRelease(state.status, ctx)) return state;
  ctx.output({ kind: "exited", stamp: [state.timestamp, ctx.self] });
  if (state.deferred.length > 0) ctx.explain("ra.exit", { peers: state.deferred.map(([, peer]) => peer) });
  for (const [timestamp, peer] of state.deferred) ctx.send(peer, { kind: "reply", of: timestamp });
  return { ...state, status: "idle", timestamp: 0, deferred: [] };
}

/** A sentence for every rule above; the process itself is the subject. */
export const ricartAgrawalaNarration: Readonly<Record<string, string>> = {
  ...mutexNarration,
  "ra.request": "asks everyone to let it in, with request {own}",
  "ra.defer.inside": "keeps {peer} waiting: it is inside itself",
  "ra.defer.earlier": "keeps {peer} waiting: its own request {own} comes before {theirs}",
  "ra.reply.later": "lets {peer} go first: {theirs} comes before its own request {own}",
  "ra.reply.idle": "lets {peer} in: it does not want to enter itself",
  "ra.enter": "has everyone's reply to {own} and enters",
  "ra.exit": "leaves and answers those it kept waiting: {peers}",
};
